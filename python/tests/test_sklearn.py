"""scikit-learn's conventions."""

import copy
import pickle

import numpy as np
import pytest
from conftest import random_hmm, random_population, random_walk

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
        model.set_params(n_init=7, states=3)
    assert model.n_init == 5
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
    with pytest.raises(scotopic.errors.ParameterError, match=r"transmat_\[0\]"):
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


COPIES = [lambda model: pickle.loads(pickle.dumps(model)), copy.deepcopy, copy.copy]


@pytest.mark.parametrize("copied", COPIES, ids=["pickle", "deepcopy", "copy"])
@pytest.mark.parametrize("made", [lambda: random_hmm("diag"), random_walk, random_population])
def test_arrays_of_copies_are_read_only_too(made, copied):
    # A change of an entry would be shown, but not used.
    model = made()
    model.score(np.zeros((3, model._model.n_features)))
    again = copied(model)
    assert again._given().keys() == model._given().keys()
    for name in again._given():
        for array in (getattr(model, name), getattr(again, name)):
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0.0


@pytest.mark.parametrize("copied", COPIES, ids=["pickle", "deepcopy", "copy"])
def test_what_is_set_or_learned_in_a_copy_is_not_in_the_model(copied):
    model = random_hmm("diag")
    x, _ = model.sample(60, random_state=0)
    before, means = model.score(x), model.means_
    again = copied(model)
    again.means_ = means + 1.0
    assert (model.means_ == means).all() and model.score(x) == before != again.score(x)
    # Of two streams from one start each is its own.
    model.partial_fit(x[:20])
    again, third = copied(model), copied(model)
    again.partial_fit(x[20:40])
    for part in (x[20:40], x[40:]):
        model.partial_fit(part)
    third.partial_fit(x[20:40]).partial_fit(x[40:])
    assert (third.means_ == model.means_).all()


def test_parameters_set_by_hand_are_numbers():
    pandas = pytest.importorskip("pandas")
    model = random_hmm("diag", d=1)
    for bad in (
        ["0", "1", "2"],
        np.array([0, 1, 2], "M8[s]"),
        pandas.Series(pandas.date_range("2020", periods=3)),
        [1j],
    ):
        with pytest.raises(scotopic.errors.DataError, match="means_: .*expected numbers"):
            model.means_ = bad
    for bad in ([0.0, 4.0, 5.0], [[[0.0]], [[4.0]], [[5.0]]], 1.0):
        model.means_ = bad
        with pytest.raises(scotopic.errors.SizeError, match=r"means_ \[.*expected means_: Means ``\[K, D\]``"):
            model.score([0.0])


HUGE = 10**30


@pytest.mark.parametrize(
    "setting",
    [{"n_components": HUGE}, {"n_components": 10**12}, {"n_init": 10**12}, {"n_iter": HUGE}, {"tol": 10**400}],
)
def test_settings_have_an_upper_end(setting):
    model = scotopic.GaussianHMM(2).set_params(**setting)
    with pytest.raises(scotopic.errors.SettingError, match=next(iter(setting))):
        model.fit([0.0, 1.0, 2.0])


@pytest.mark.parametrize("made", [lambda: random_hmm("diag"), random_walk, random_population])
@pytest.mark.parametrize("count", [10**12, 2**62, HUGE, -1])
def test_counts_that_would_fill_the_memory_are_refused(made, count):
    model = made()
    x, _ = model.sample(10, random_state=0)
    filter = model.filter()
    filter.extend(x)
    for name, call in (
        ("n_samples", lambda: model.sample(count)),
        ("steps", lambda: model.forecast(x, count)),
        ("steps", lambda: filter.forecast(count)),
        ("back", lambda: filter.smooth(count if count in (-1, HUGE) else -1)),
        ("lag", lambda: model.filter(lag=count if count in (-1, HUGE) else -1)),
        ("lags", lambda: model.residuals(x, lags=count)),
    ):
        with pytest.raises(scotopic.errors.SettingError, match=f"setting `{name}`: found"):
            call()
    # The ends themselves are taken.
    whole = scotopic._settings.whole
    assert whole("steps", 10**6, 0, scotopic._settings.MOST_STEPS) == 10**6
    assert whole("n_samples", 10**8, 0, scotopic._settings.MOST_SAMPLES) == 10**8


def test_errors_of_the_compiled_half_are_those_of_the_package():
    for call in (
        lambda: scotopic.Filter('kind = "x"'),
        lambda: scotopic.Filter(""),
        lambda: scotopic.parse("kind = 1"),
        lambda: scotopic.Filter.restore(b"x"),
        lambda: pickle.dumps(scotopic.Nonlinear(lambda x: x, lambda y, x: 0.0, [[1.0]]).filter()),
        lambda: scotopic.Nonlinear(lambda x: [0.0, 0.0], lambda y, x: 0.0, [[1.0]]).filter().extend([0.0, 0.0]),
    ):
        with pytest.raises(scotopic.ScotopicError):
            call()
    with pytest.raises(scotopic.errors.SizeError, match="one observation at a time"):
        random_walk(n=2, m=2).filter().update(np.zeros((2, 2)))


def test_errors_are_those_of_the_package():
    model = random_hmm("diag", d=1)
    for call, error in (
        (lambda: model.sample(3, random_state="a"), scotopic.errors.SettingError),
        (lambda: model.summary([0.0, 1.0, 2.0], level="x"), scotopic.errors.SettingError),
        (lambda: model.forecast([0.0]).interval(95), scotopic.errors.SettingError),
        (lambda: model.filter(learn=True, block=object()), scotopic.errors.SettingError),
        (lambda: scotopic.compare(random_population(), [[1.0] * 5]), scotopic.errors.UnsupportedError),
    ):
        with pytest.raises(error):
            call()
    # Numbers of numpy are numbers of a rule too.
    assert model.filter(learn=True, block=np.int64(8)).n_observations == 0


def test_settings_of_a_model_in_use_take_effect():
    counts = scotopic.PLDS(1)
    counts.transition_, counts.process_noise_ = [[0.9]], [[0.15]]
    counts.loadings_, counts.offset_ = [[1.0], [-0.7]], [1.0, 1.2]
    once = counts.score([[1.0, 2.0]])
    counts.set_params(exposure=2.0)
    twice = scotopic.PLDS(1, exposure=2.0)
    twice.transition_, twice.process_noise_ = [[0.9]], [[0.15]]
    twice.loadings_, twice.offset_ = [[1.0], [-0.7]], [1.0, 1.2]
    assert counts.score([[1.0, 2.0]]) == twice.score([[1.0, 2.0]]) < once
    x = np.random.default_rng(0).normal(size=(100, 2))
    model = scotopic.GaussianHMM(2, random_state=0).fit(x)
    model.set_params(covariance_type="full", init="parameters")
    for use in (model.fit, model.score):
        with pytest.raises(scotopic.errors.SizeError, match="covariance_type='full'$"):
            use(x)


def test_a_fit_forgets_what_another_left():
    x = np.random.default_rng(0).normal(size=(100, 1))
    model = scotopic.GaussianHMM(2, random_state=0).fit(x)
    assert model.found_by_
    model.set_params(method="em").fit(x)
    assert not hasattr(model, "found_by_") and len(model.history_) == model.n_iter_ + 1
    model.set_params(method="search").fit(x)
    assert not hasattr(model, "history_")
