"""A copy, a pickle and a file of a fitted model learn as the model itself."""

import copy
import pickle

import numpy as np
import pytest

import scotopic as sc

# A file holds the shortest decimals of every number; learning carries their last digit on.
DECIMALS = 1e-9


def _data():
    rng = np.random.default_rng(3)
    inputs = rng.normal(size=(300, 1))
    states = np.repeat([0, 1, 0, 1, 0, 1], 50)
    slopes = np.array([2.0, -1.0])[states]
    linear = slopes * inputs[:, 0] + np.array([0.0, 3.0])[states] + 0.3 * rng.normal(size=300)
    counts = rng.poisson(np.exp(0.5 * slopes * inputs[:, 0]))
    choices = (rng.random(300) < 1 / (1 + np.exp(-2 * slopes * inputs[:, 0]))).astype(float)
    exposure = rng.uniform(0.5, 4.0, size=300)
    events = rng.poisson(exposure * np.array([1.0, 5.0])[states])
    return inputs, linear, counts, choices, events, exposure


def _fitted():
    inputs, linear, counts, choices, events, exposure = _data()
    column = lambda y: np.asarray(y, float)[:, None]
    yield "linear", sc.LinearRegressionHMM(2, random_state=0), column(linear), {"inputs": inputs}
    yield "counts", sc.PoissonRegressionHMM(2, random_state=0), column(counts), {"inputs": inputs}
    yield "choices", sc.LogisticRegressionHMM(2, random_state=0), column(choices), {"inputs": inputs}
    yield "exposure", sc.PoissonHMM(2, random_state=0), column(events), {"exposure": exposure}
    yield "lags", sc.AutoregressiveHMM(2, n_lags=1, random_state=0), column(linear), {}


@pytest.mark.parametrize("name, model, x, given", list(_fitted()), ids=lambda v: v if isinstance(v, str) else "")
def test_copies_learn_alike(name, model, x, given, tmp_path):
    model.fit(x, **given)
    path = tmp_path / "model.toml"
    model.save(path)
    found = []
    for one in (model, copy.deepcopy(model), pickle.loads(pickle.dumps(model)), sc.load(path)):
        learner = one.filter(learn=True)
        learner.extend(x, **given)
        found.append(learner.elbo)
    assert np.allclose(found, found[0], rtol=DECIMALS, atol=0), (name, found)


def test_observations_in_a_pickle():
    x = np.random.default_rng(0).normal(size=(10, 2))
    data = sc.observations(x, lengths=[4, 6])
    read = pickle.loads(pickle.dumps(data))
    assert read.lengths == [4, 6] and read.address != data.address
    model = sc.GaussianHMM(1).fit(x)
    assert model.score(read) == model.score(data)


def test_rows_of_other_libraries_one_at_a_time():
    pd = pytest.importorskip("pandas")
    x = np.random.default_rng(0).normal(size=(20, 2))
    model = sc.GaussianHMM(1).fit(x)

    class Tensor:
        def __init__(self, array):
            self.array = array

        def __dlpack__(self, **options):
            return self.array.__dlpack__(**options)

        def __dlpack_device__(self):
            return self.array.__dlpack_device__()

    expected = model.filter()
    expected.update(x[0])
    for row in (pd.DataFrame(x[:1]), Tensor(x[0]), Tensor(x[0].astype(np.float32).astype(float))):
        found = model.filter()
        found.update(row)
        assert np.isclose(found.elbo, expected.elbo, rtol=1e-6)
    with pytest.raises(sc.errors.SizeError, match="one observation at a time"):
        model.filter().update(pd.DataFrame(x[:2]))
