"""scikit-learn's conventions."""

import pickle

import numpy as np
import pytest
from conftest import random_hmm

import scotopic

sklearn = pytest.importorskip("sklearn")
from sklearn.base import clone  # noqa: E402
from sklearn.utils.estimator_checks import estimator_checks_generator  # noqa: E402

#: Checks that ask for something else than what these models promise, and why.
DIFFERENT = {
    "check_fit1d": "an array of one axis is a series of one number each",
    "check_methods_subset_invariance": "rows are a series: what comes before a row counts",
    "check_methods_sample_order_invariance": "the order of rows is time",
    "check_fit2d_1sample": "one observation has no variance; the message says so in other words",
}


def checks():
    estimators = [
        scotopic.GaussianHMM(2, pseudo_count=1e-3, random_state=0, n_init=1, method="em", n_iter=5),
        scotopic.GaussianHMM(1, pseudo_count=1e-3, random_state=0, n_init=1, n_iter=20),
        scotopic.AutoregressiveHMM(1, pseudo_count=1e-3, random_state=0, n_init=1, n_iter=20),
        scotopic.LinearGaussian(1, n_iter=5, pseudo_count=1e-3),
    ]
    for estimator in estimators:
        for found, check in estimator_checks_generator(estimator, legacy=True, expected_failed_checks=DIFFERENT):
            name = getattr(check, "func", check).__name__
            yield pytest.param(found, check, id=f"{type(found).__name__}-{getattr(found, 'method', '')}-{name}")


@pytest.mark.filterwarnings("ignore:.*does not inherit from", "ignore::scotopic.errors.FitWarning")
@pytest.mark.parametrize("estimator,check", list(checks()))
def test_check_estimator(estimator, check):
    name = getattr(check, "func", check).__name__
    if name in DIFFERENT:
        pytest.skip(DIFFERENT[name])
    check(estimator)


def test_parameters_are_got_set_and_cloned():
    model = scotopic.GaussianHMM(3, "full", n_init=5, random_state=1)
    assert model.get_params()["covariance_type"] == "full"
    assert model.set_params(n_components=2) is model and model.n_components == 2
    other = clone(model)
    assert other.get_params() == model.get_params() and other is not model
    with pytest.raises(ValueError, match="Invalid parameter 'states'"):
        model.set_params(states=3)
    assert repr(model) == "GaussianHMM(covariance_type='full', n_components=2, n_init=5, random_state=1)"


def test_a_clone_is_not_fitted(hmm):
    other = clone(hmm)
    with pytest.raises(sklearn.exceptions.NotFittedError, match="not fitted"):
        other.score([[0.0]])
    assert not hasattr(other, "startprob_") and hasattr(hmm, "startprob_")


def test_pickles_continue(hmm):
    x, _ = hmm.sample(30, random_state=0)
    again = pickle.loads(pickle.dumps(hmm))
    assert again.score(x) == hmm.score(x)
    if getattr(hmm, "covariance_type", None) == "diag" and isinstance(hmm, scotopic.AutoregressiveHMM):
        again.set_params(init="parameters")  # independent noise is fitted from parameters that are set
    again.fit(x)
    third = pickle.loads(pickle.dumps(again))
    assert third.score(x) == again.score(x) and third.n_iter_ == again.n_iter_


def test_in_a_pipeline_and_a_search():
    from sklearn.model_selection import GridSearchCV, KFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = random_hmm("diag", k=2)
    x, _ = model.sample(400, random_state=0)
    pipe = make_pipeline(StandardScaler(), scotopic.GaussianHMM(2, random_state=0))
    assert pipe.fit(x).predict(x).shape == (400,)
    search = GridSearchCV(scotopic.GaussianHMM(random_state=0), {"n_components": [1, 2]}, cv=KFold(2))
    assert search.fit(x).best_params_ == {"n_components": 2}


def test_parameters_set_by_hand_are_checked():
    model = random_hmm("diag")
    model.transmat_ = np.eye(2)
    with pytest.raises(scotopic.errors.SizeError, match="transmat"):
        model.score(np.zeros((3, 2)))
    model.transmat_ = np.full((3, 3), 0.5)
    with pytest.raises(scotopic.errors.ParameterError, match=r"transition\[0\]"):
        model.score(np.zeros((3, 2)))
    model = random_hmm("full")
    model.covars_ = np.zeros((3, 2, 2))
    with pytest.raises(scotopic.errors.ParameterError, match="not positive definite"):
        model.score(np.zeros((3, 2)))


@pytest.mark.parametrize(
    "setting",
    [
        {"n_components": 0},
        {"n_components": 2.0},
        {"n_init": 0},
        {"method": "gibbs"},
        {"n_jobs": 0},
        {"n_iter": -1},
        {"tol": -1.0},
        {"tol": float("nan")},
        {"pseudo_count": -1.0},
        {"pseudo_count": float("inf")},
        {"init": "kmeans"},
        {"covariance_type": "tied"},
        {"random_state": -1},
    ],
)
def test_settings_are_checked_when_they_are_used(setting):
    model = scotopic.GaussianHMM(2).set_params(**setting)
    with pytest.raises(scotopic.errors.SettingError):
        model.fit(np.random.default_rng(0).normal(size=(50, 1)))
