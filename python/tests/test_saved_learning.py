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
