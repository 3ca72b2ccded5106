"""The gradient of ln p: against differences by the attributes, in parts, in one process or in several."""

import pickle

import numpy as np
import pytest
from conftest import GIVEN, LAGGED, MORE, given_of, random_hmm, random_walk
from numpy.testing import assert_allclose

import scotopic
from scotopic.errors import SizeError, UnsupportedError

#: Central differences of functions whose third derivatives are of the size of the gradient.
STEP = 1e-5


def moved(model, name, coordinate, at, h):
    """A copy with one entry of an attribute moved by h in the coordinate of its gradient."""
    model = pickle.loads(pickle.dumps(model))
    value = np.array(getattr(model, name))
    if coordinate == "value":
        value[at] += h
    elif coordinate == "log":
        value[at] *= np.exp(h)
    elif isinstance(model, scotopic.BernoulliHMM) and name == "emissionprob_":
        odds = value[at] / (1.0 - value[at]) * np.exp(h)
        value[at] = odds / (1.0 + odds)
    else:
        value[at] *= np.exp(h)
        value /= value.sum(axis=-1, keepdims=True)
    setattr(model, name, value)
    return model


def check(model, x, names, **given):
    gradient = model.gradient(x, **given)
    assert_allclose(gradient.log_evidence, model.score(x, **given), rtol=1e-12)
    assert set(gradient.by) == set(gradient.coordinates) == set(names)
    for name, slope in gradient.by.items():
        assert slope.shape == getattr(model, name).shape
        if slope.size == 0:
            continue
        # The first entry is a variance, and no covariance of which two entries move.
        at = (0,) * slope.ndim
        ends = [moved(model, name, gradient.coordinates[name], at, h).score(x, **given) for h in (STEP, -STEP)]
        # 1e-15 of some hundred nats over the step, and the third derivative.
        assert_allclose(slope[at], (ends[0] - ends[1]) / (2 * STEP), rtol=1e-5, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("kind", [*MORE, *LAGGED, "categorical", "poisson", "diag", "full"])
def test_of_every_hmm(kind):
    model = random_hmm(kind)
    x, _ = model.sample(60, random_state=0)
    x = x.astype(float)
    x[7] = np.nan
    check(model, x, model._PARAMETERS)


@pytest.mark.parametrize("kind", GIVEN)
def test_with_inputs_and_exposure(kind):
    model = random_hmm(kind)
    given = given_of(model, 60)
    x, _ = model.sample(random_state=0, **given)
    check(model, x, model._PARAMETERS, **given)


def test_with_inputs_of_transitions():
    model = random_hmm("poisson", k=2)
    model.transition_inputs_ = ["reward"]
    model.transition_weights_ = [[[0.0], [1.0]], [[-0.5], [0.0]]]
    v = np.random.default_rng(0).normal(size=(80, 1))
    x, _ = model.sample(transition_inputs=v, random_state=1)
    names = set(model._PARAMETERS) - {"transition_origin_"}
    check(model, x, names, transition_inputs=v)


def test_of_linear_models():
    model = random_walk()
    y, _ = model.sample(50, random_state=0)
    y[3] = np.nan
    names = set(model._ALL) - {"diffuse_", "control_", "direct_"}
    check(model, y, names)
    u = np.random.default_rng(0).normal(size=(50, 2))
    driven = scotopic.LinearGaussian(1, n_iter=3).fit(y[:, :1], inputs=u)
    check(driven, y[:, :1], set(driven._ALL) - {"diffuse_"}, inputs=u)


def test_parts_add_up_and_know_their_model():
    model = random_hmm("diag")
    x, _ = model.sample(300, random_state=0)
    parts = np.array_split(x, 7)
    whole, added = model.gradient(parts), sum(model.gradient(part) for part in parts)
    assert whole.observations == added.observations == 300 and "300 observations" in repr(added)
    assert_allclose(added.log_evidence, whole.log_evidence, rtol=1e-12)
    for name, slope in whole.by.items():
        assert_allclose(added.by[name], slope, rtol=1e-10, atol=1e-10)
    again = pickle.loads(pickle.dumps(whole))
    assert (again.by["means_"] == whole.by["means_"]).all()
    assert (again + whole).observations == 600
    other = moved(model, "means_", "value", (0, 0), 0.1)
    with pytest.raises(SizeError, match="other parameters"):
        other.gradient(x) + whole
    with pytest.raises(SizeError, match="other parameters"):
        random_hmm("poisson").gradient(np.ones((3, 2))) + whole
    with pytest.raises(TypeError):
        whole + 1
    with pytest.raises(TypeError):
        1 + whole


def slope(model, part):
    return model.gradient(part)


def test_two_processes_climb_as_one_does():
    joblib = pytest.importorskip("joblib")
    sequences = [random_hmm("poisson").sample(80, random_state=seed)[0] for seed in range(4)]
    one, two = (random_hmm("poisson", seed=3) for _ in range(2))
    before = one.score(sequences)
    with joblib.Parallel(n_jobs=2) as parallel:
        for _ in range(5):
            for model in (one, two):
                if model is one:
                    total = model.gradient(sequences)
                else:
                    total = sum(parallel(joblib.delayed(slope)(model, part) for part in (sequences[:1], sequences[1:])))
                model.lambdas_ = model.lambdas_ * np.exp(1e-4 * total.by["lambdas_"])
    assert_allclose(two.lambdas_, one.lambdas_, rtol=1e-10)
    assert one.score(sequences) > before


def test_what_has_none_says_why():
    y = np.random.default_rng(0).normal(size=60).cumsum()
    diffuse = random_walk(n=1, m=1)
    diffuse.diffuse_ = [1.0]
    structural = scotopic.StructuralModel("level").fit(y)
    counts = scotopic.PLDS(1, n_iter=1).fit(np.random.default_rng(0).poisson(2.0, size=(40, 3)))
    for model, x in ((diffuse, y), (structural, y), (counts, np.ones((5, 3)))):
        with pytest.raises(UnsupportedError):
            model.gradient(x)
