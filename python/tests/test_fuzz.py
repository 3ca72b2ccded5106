"""Shapes and types drawn at random: an answer or an exception of the documented kinds, never a panic."""

import numpy as np
import pytest
from conftest import GIVEN, KINDS, LAGGED, MORE, given_of, random_hmm, random_population, random_walk

import scotopic

ALLOWED = (ValueError, TypeError, OverflowError)
DTYPES = ["f8", "f4", "f2", "i8", "i4", "u1", "?", "c16", "U3", "O", "M8[s]", ">f8", "S2"]
SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 1e300, -1e300, 1e-310, np.inf, -np.inf, np.nan, 2.0**53, 2.0**63, 2.0**64]


def drawn(rng):
    shape = tuple(rng.integers(0, 5, size=rng.integers(0, 4)))
    values = rng.choice(SPECIAL, size=shape) if rng.random() < 0.5 else rng.integers(0, 4, size=shape).astype(float)
    with np.errstate(all="ignore"):
        try:
            array = np.asarray(values).astype(rng.choice(DTYPES))
        except (ValueError, TypeError, OverflowError):
            return values
    if array.ndim > 1 and rng.random() < 0.3:
        array = np.asfortranarray(array)
    if array.ndim and rng.random() < 0.3:
        array = array[::-1]
    return array.tolist() if rng.random() < 0.2 else array


def tried(call, *args, **kwargs):
    try:
        return call(*args, **kwargs)
    except ALLOWED as error:
        assert type(error).__name__ != "PanicException"
        return None


@pytest.mark.parametrize("seed", range(8))
def test_data(seed):
    rng = np.random.default_rng(seed)
    models = [random_hmm(kind) for kind in [*KINDS, *MORE, *LAGGED]] + [random_walk(n=2, m=2), random_walk(n=1, m=1)]
    models += [random_population(law, neurons=2) for law in ("poisson", "bernoulli")]
    for _ in range(150):
        x, lengths = drawn(rng), drawn(rng) if rng.random() < 0.3 else None
        model = models[rng.integers(len(models))]
        names = ["score", "predict", "statistics"]
        names += (
            ["predict_proba", "decode", "posterior"]
            if hasattr(model, "decode")
            else ["smooth", "filtered", "transform"]
        )
        tried(getattr(model, rng.choice(names)), x, lengths=lengths)
        lag = int(rng.integers(0, 3))
        without = (scotopic.PLDS, scotopic.BLDS, scotopic.AutoregressiveHMM)
        filter = model.filter(lag=0 if isinstance(model, without) else lag)
        tried(filter.extend, x)
        tried(filter.update, x)
        tried(filter.forecast, 2)


@pytest.mark.parametrize("seed", range(6))
def test_inputs_and_exposure(seed):
    rng = np.random.default_rng(300 + seed)
    models = [random_hmm(kind) for kind in GIVEN]
    for _ in range(150):
        model = models[rng.integers(len(models))]
        given = given_of(model, 4)
        x, _ = model.sample(random_state=0, **given)
        # One of three is wrong, or all are.
        given = {name: drawn(rng) if rng.random() < 0.5 else values for name, values in given.items()}
        x = drawn(rng) if rng.random() < 0.5 else x
        if rng.random() < 0.2:
            given[rng.choice(["inputs", "exposure"])] = drawn(rng)
        names = ["score", "predict", "predict_proba", "decode", "statistics", "posterior", "forecast", "residuals"]
        tried(getattr(model, rng.choice(names)), x, **given)
        tried(lambda: model.sample(random_state=0, **given))
        filter = model.filter(lag=int(rng.integers(0, 3)))
        tried(filter.extend, x, **given)
        tried(filter.update, x, **given)
        tried(filter.forecast, 2, **given)


@pytest.mark.parametrize("seed", range(4))
def test_linear_models_with_inputs(seed):
    rng = np.random.default_rng(400 + seed)
    models = [random_walk(n=2, m=2), scotopic.ContinuousLinearGaussian.of([[-1.0]], [[1.0]], [[1.0]], [[1.0]])]
    models[0].control_, models[0].regressors_ = np.ones((2, 2)), {(0, 1): "x2"}
    for _ in range(150):
        model = models[rng.integers(2)]
        given = {"inputs": np.sort(rng.normal(size=(4, len(model.inputs_))), axis=0)}
        x, _ = model.sample(random_state=0, **given)
        given = {"inputs": drawn(rng)} if rng.random() < 0.5 else given
        x = drawn(rng) if rng.random() < 0.5 else x
        names = ["score", "predict", "smooth", "filtered", "forecast", "residuals", "statistics"]
        tried(getattr(model, rng.choice(names)), x, **given)
        tried(lambda: model.sample(random_state=0, **given))
        live = model.filter()
        tried(live.extend, x, **given)
        tried(live.update, x, **given)
        tried(live.forecast, 2, **given)
        tried(scotopic.LinearGaussian(1, n_iter=3).fit, x, **given)
        if rng.random() < 0.2:
            changed = random_walk(n=2, m=2)
            tried(setattr, changed, rng.choice(["control_", "direct_", "regressors_", "inputs_"]), drawn(rng))
            tried(changed.score, x, **given)


@pytest.mark.filterwarnings("ignore::scotopic.errors.FitWarning")
@pytest.mark.parametrize("seed", range(4))
def test_fits(seed):
    rng = np.random.default_rng(100 + seed)
    for _ in range(40):
        x = drawn(rng)
        k, method = int(rng.integers(1, 4)), rng.choice(["em", "search"])
        model = [
            scotopic.CategoricalHMM(k, n_iter=5, n_init=1, method=method),
            scotopic.PoissonHMM(k, n_iter=5, n_init=1, method=method),
            scotopic.GaussianHMM(k, "diag", n_iter=5, n_init=1, method=method),
            scotopic.GaussianHMM(k, "full", n_iter=5, n_init=1, method=method),
            scotopic.LinearGaussian(k, n_iter=5),
            scotopic.BernoulliHMM(k, n_iter=5, n_init=1, method=method),
            scotopic.NegativeBinomialHMM(k, n_iter=5, n_init=1, method=method),
            scotopic.StudentTHMM(k, n_iter=5, n_init=1, method=method),
            scotopic.PLDS(k, n_iter=3),
            scotopic.BLDS(k, n_iter=3),
            scotopic.AutoregressiveHMM(k, k, n_iter=5, n_init=1, method=method),
        ][rng.integers(11)]
        tried(model.fit, x)
        regression = [
            scotopic.LogisticRegressionHMM(k, n_iter=5, n_init=1, method=method),
            scotopic.PoissonRegressionHMM(k, n_iter=5, n_init=1, method=method),
            scotopic.LinearRegressionHMM(k, n_iter=5, n_init=1, method=method),
        ][rng.integers(3)]
        y = rng.integers(0, 2, size=np.shape(x)[:1]) if rng.random() < 0.7 else drawn(rng)
        tried(regression.fit, y, inputs=x)


@pytest.mark.parametrize("seed", range(4))
def test_parameters(seed):
    rng = np.random.default_rng(200 + seed)
    for _ in range(100):
        kinds = [*KINDS, *MORE, *GIVEN, *LAGGED]
        model = [random_hmm(rng.choice(kinds)), random_walk(), random_population()][rng.choice(3, p=[0.7, 0.15, 0.15])]
        name = rng.choice(sorted(model._given()))
        if tried(setattr, model, name, drawn(rng)) is None:
            tried(lambda: model.score(np.zeros((3, 2))))
            tried(lambda: model.sample(3, random_state=0))
            tried(lambda: model.filter().update([0.0, 0.0]))
