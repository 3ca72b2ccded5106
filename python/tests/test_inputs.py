"""Emissions beyond hmmlearn's, inputs and exposure, against recursions in numpy with the densities of SciPy."""

import numpy as np
import pytest
from conftest import GIVEN, MORE, drawn, given_of, random_hmm, recursions
from numpy.testing import assert_allclose

import scotopic
from scotopic.errors import ObservationError, ScotopicError, SettingError, SizeError

stats = pytest.importorskip("scipy.stats")
#: Both compute the same sums in double precision.
RTOL = 1e-10


def log_likelihoods(model, x, inputs=None, exposure=None):
    """ln p(o_t | s) [T, K], entry by entry; 0 for what is missing."""
    kind, (t, _) = model._KIND, x.shape
    e = np.ones(t) if exposure is None else exposure
    e = e[:, None, None]
    y = x[:, None, :]
    if kind.endswith("-regression"):
        w = np.asarray(model.weights_)
        eta = (w[:, 0] + inputs @ w[:, 1:].T)[:, :, None]
    if kind == "bernoulli":
        terms = stats.bernoulli.logpmf(y, model.emissionprob_)
    elif kind == "poisson":
        terms = stats.poisson.logpmf(y, e * model.lambdas_)
    elif kind == "negative-binomial":
        terms = stats.nbinom.logpmf(y, model.shapes_, model.shapes_ / (model.shapes_ + e * model.means_))
    elif kind == "student-t":
        terms = stats.t.logpdf(y, model.freedoms_, model.locations_, model.scales_)
    elif kind == "logistic-regression":
        terms = stats.bernoulli.logpmf(y, 1.0 / (1.0 + np.exp(-eta)))
    elif kind == "poisson-regression":
        terms = stats.poisson.logpmf(y, e * np.exp(eta))
    else:
        terms = stats.norm.logpdf(y, eta, np.sqrt(model.variances_)[:, None])
    return np.where(np.isnan(y), 0.0, terms).sum(axis=2)


@pytest.mark.parametrize("kind", [*MORE, *GIVEN])
def test_evidence_posterior_and_path(kind):
    model, x, given = drawn(kind)
    x = x.astype(float)
    x[[0, 17, 299]] = np.nan
    if x.shape[1] > 1:
        x[30, 1] = np.nan
    log_p, posterior, path = recursions(model, log_likelihoods(model, x, **given))
    assert_allclose(model.score(x, **given), log_p, rtol=RTOL)
    assert_allclose(model.predict_proba(x, **given), posterior, rtol=1e-8, atol=RTOL)
    assert (model.predict(x, **given) == path).all()
    assert (model.decode(x, **given)[1] == path).all()
    assert_allclose(model.score_samples(x, **given)[0], log_p, rtol=RTOL)
    assert_allclose(model.log_predictive(x, **given).sum(), log_p, rtol=RTOL)
    assert_allclose(model.posterior(x, **given).probabilities, posterior, rtol=1e-8, atol=RTOL)
    assert model.posterior(x, factorisation="frozen", **given).gap >= -1e-9
    # One observation at a time.
    live, nats = model.filter(lag=3), 0.0
    for i, row in enumerate(x):
        nats += live.update(row, **{name: values[i] for name, values in given.items()})
    assert_allclose(nats, log_p, rtol=RTOL)
    assert_allclose(live.belief, posterior[-1], rtol=1e-8, atol=RTOL)
    assert_allclose(model.filter().extend(x, **given).log_predictive.sum(), log_p, rtol=RTOL)


@pytest.mark.parametrize("kind", [*MORE, *GIVEN])
def test_a_sum_over_all_paths(kind):
    # Two states and four observations: sixteen paths, no recursion at all.
    model, x, given = drawn(kind, t=4, k=2)
    terms, a = log_likelihoods(model, x, **given), np.asarray(model.transmat_)
    paths = np.array(np.meshgrid(*[[0, 1]] * 4)).reshape(4, -1).T
    p = np.array(model.startprob_)[paths[:, 0]] * np.prod(a[paths[:, :-1], paths[:, 1:]], axis=1)
    p = p * np.exp(terms[np.arange(4), paths].sum(axis=1))
    assert_allclose(model.score(x, **given), np.log(p.sum()), rtol=1e-12)


def cut(given, *places):
    return {name: np.split(values, places) for name, values in given.items()}


def test_sequences(given_hmm):
    given = given_of(given_hmm, 60)
    x, _ = given_hmm.sample(random_state=1, **given)
    parts, apart = np.split(x, [20, 21]), cut(given, 20, 21)
    each = [given_hmm.score(p, **{n: v[i] for n, v in apart.items()}) for i, p in enumerate(parts)]
    assert_allclose(given_hmm.score(parts, **apart), sum(each), rtol=1e-12)
    assert given_hmm.score(x, lengths=[20, 1, 39], **given) == given_hmm.score(parts, **apart)
    held = scotopic.observations(x, [20, 1, 39], **given)
    assert given_hmm.score(held) == given_hmm.score(parts, **apart)
    with pytest.raises(SettingError, match="theirs already"):
        given_hmm.score(held, **given)
    for name in given:
        with pytest.raises(SettingError, match=f"`{name}`: expected a list of 3"):
            given_hmm.score(parts, **{**apart, name: given[name]})
        with pytest.raises(SizeError, match=rf"{name}\[1\]: found 39 rows, expected 1"):
            given_hmm.score(parts, **{**apart, name: apart[name][:1] + apart[name][:0:-1]})


def test_what_was_checked_once_keeps_what_it_was_given():
    counts, hours = np.arange(20) % 3, np.arange(1.0, 21.0)
    held = scotopic.observations(counts, exposure=hours)
    assert held.given == (0, True) and scotopic.observations(counts).given == (0, False)
    model = scotopic.PoissonHMM(1).fit(held)
    assert model.exposure_ == "exposure" and model.lambdas_ == pytest.approx(counts.sum() / hours.sum())
    plain = scotopic.PoissonHMM(1).fit(counts)
    with pytest.raises(SettingError, match="0 inputs and an exposure, expected 0 inputs and no exposure"):
        plain.score(held)
    with pytest.raises(SettingError, match="no exposure, expected 0 inputs and an exposure"):
        model.filter().extend(scotopic.observations(np.ones((20, 2))))
    for other in (scotopic.BernoulliHMM(1), scotopic.LinearGaussian(1), scotopic.PLDS(1)):
        with pytest.raises(ScotopicError, match="exposure"):
            other.fit(held)


def test_one_input_is_a_column():
    model = random_hmm("logistic-regression", d=1)
    u = np.random.default_rng(0).normal(size=60)
    x, _ = model.sample(random_state=1, inputs=u)
    parts, apart = np.split(x, [20]), np.split(u, [20])
    assert model.score(x, inputs=u) == model.score(x, inputs=u[:, None])
    assert model.score(parts, inputs=apart) == model.score(x, lengths=[20, 40], inputs=u)
    held = scotopic.observations(parts, inputs=apart)
    fits = [scotopic.LogisticRegressionHMM(2, random_state=0, method="em", n_init=1, n_iter=5) for _ in range(2)]
    assert fits[0].fit(held).score(held) == fits[1].fit(parts, inputs=apart).score(held)
    assert fits[0].inputs_ == ["x1"] and fits[0].n_features_in_ == 1


def test_every_layout_gives_the_same_bits(given_hmm):
    given = given_of(given_hmm, 60)
    x, _ = given_hmm.sample(random_state=1, **given)
    exact = given_hmm.score(x, **given)

    def views(array):
        wide = np.repeat(array, 2, axis=0)
        return [np.asfortranarray(array), wide[::2], array[::-1].copy()[::-1], array.astype(">f8"), array.tolist()]

    for i in range(5):
        assert given_hmm.score(views(x)[i], **{name: views(values)[i] for name, values in given.items()}) == exact
    single = {name: values.astype(np.float32) for name, values in given.items()}
    wide = {name: values.astype(float) for name, values in single.items()}
    assert given_hmm.score(x, **single) == given_hmm.score(x, **wide)


def test_what_is_given_is_checked(given_hmm):
    model, given = given_hmm, given_of(given_hmm, 30)
    x, _ = model.sample(random_state=1, **given)
    calls = [
        model.score,
        model.predict,
        model.predict_proba,
        model.decode,
        model.statistics,
        model.residuals,
        model.aic,
    ]
    calls += [model.filter().extend, model.partial_fit, model.compare, model.summary, model.forecast]
    for call in calls:
        with pytest.raises(SettingError, match="found None, expected an array"):
            call(x)
    with pytest.raises(SettingError, match="found None, expected an array"):
        model.sample(3)
    for name, values in given.items():
        missing = {n: v for n, v in given.items() if n != name}
        with pytest.raises(SettingError, match=f"`{name}`: found None"):
            model.score(x, **missing)
        with pytest.raises(SizeError, match=f"{name}: found 29 rows, expected 30"):
            model.score(x, **{**given, name: values[:-1]})
        with pytest.raises(SizeError, match=f"{name}: found 3 columns"):
            model.score(x, **{**given, name: np.ones((30, 3))})
        for bad in (values.astype(complex), np.full(values.shape, "a"), np.ones((2, 2, 2)), 3.0, "text", {"a": 1}):
            with pytest.raises((ValueError, TypeError)):
                model.score(x, **{**given, name: bad})
        gap = values.copy()
        gap[7] = np.nan
        with pytest.raises(ObservationError, match="observation 7.*missing input"):
            model.score(x, **{**given, name: gap})
        # What was not observed needs no inputs.
        y = x.astype(float)
        y[7] = np.nan
        assert np.isfinite(model.score(y, **{**given, name: gap}))
        gap[7] = np.inf
        with pytest.raises(ObservationError, match="observation 7"):
            model.score(x, **{**given, name: gap})
    if "exposure" in given:
        for bad in (0.0, -1.0):
            with pytest.raises(ObservationError, match="exposure above 0"):
                model.score(x, **{**given, "exposure": np.where(np.arange(30) == 3, bad, 1.0)})
    for other in {"inputs", "exposure"} - given.keys():
        with pytest.raises(SettingError, match=f"`{other}`: found some, expected None"):
            model.score(x, **given, **{other: np.ones((30, 1))})
        with pytest.raises(SettingError, match=f"`{other}`: found some, expected None"):
            model.filter().update(x[0], **{n: v[0] for n, v in given.items()}, **{other: 1.0})


def test_one_observation_is_checked(given_hmm):
    given = given_of(given_hmm, 5)
    x, _ = given_hmm.sample(random_state=1, **given)
    live, one = given_hmm.filter(), {name: values[0] for name, values in given.items()}
    with pytest.raises(SettingError, match="found None, expected a number for each"):
        live.update(x[0])
    with pytest.raises(SizeError, match="observation: found 7 entries"):
        live.update(np.ones(7), **one)
    for name in given:
        with pytest.raises(SizeError, match=f"{name}: found 5 entries"):
            live.update(x[0], **{**one, name: np.ones(5)})
        with pytest.raises(TypeError):
            live.update(x[0], **{**one, name: "text"})
        with pytest.raises(ObservationError):
            live.update(x[0], **{**one, name: np.full(np.shape(one[name]), np.nan)})
    assert live.n_observations == 0
    assert live.update(None) == 0.0 and live.update(None, **one) == 0.0
    assert live.update(x[0], **one) < 0.5 and live.n_observations == 3
    assert live.n_features == given_hmm.n_features_in_ == x.shape[1]


def test_models_without_inputs_refuse_them(hmm):
    x, _ = hmm.sample(20, random_state=0)
    with pytest.raises(SettingError, match="no inputs"):
        hmm.score(x, inputs=np.ones((20, 1)))
    with pytest.raises(SettingError, match="no inputs"):
        hmm.filter().update(x[0], inputs=1.0)
    with pytest.raises(SettingError, match="has no inputs"):
        type(hmm)(2).fit(x, inputs=np.ones((20, 1)))
    if not hasattr(hmm, "exposure_"):
        with pytest.raises(SettingError, match="has no exposure"):
            type(hmm)(2).fit(x, exposure=np.ones(20))


def test_forecasts(given_hmm):
    model, given, future = given_hmm, given_of(given_hmm, 50), given_of(given_hmm, 4, seed=1)
    x, _ = model.sample(random_state=1, **given)
    ahead = {f"future_{name}": values for name, values in future.items()}
    made = model.forecast(x, 4, **given, **ahead)
    belief, a = model.filter_proba(x, **given)[-1], np.asarray(model.transmat_)
    e = future.get("exposure", np.ones(4))
    for h in range(4):
        belief = belief @ a
        if "inputs" in future:
            eta = model.intercept_ + future["inputs"][h] @ model.coef_.T
            mean = {"logistic": 1 / (1 + np.exp(-eta)), "poisson": e[h] * np.exp(eta), "linear": eta}[
                model._KIND.split("-")[0]
            ]
            mean = mean[:, None]
        else:
            mean = e[h] * np.asarray(getattr(model, "lambdas_", None) if model._KIND == "poisson" else model.means_)
        assert_allclose(made.mean[h], belief @ mean, rtol=1e-10)
    assert made.mean.shape == made.variance.shape == (4, x.shape[1]) and (made.variance > 0).all()
    live = model.filter(lag=2)
    live.extend(x, **given)
    assert_allclose(live.forecast(4, **future).mean, made.mean, rtol=1e-12)
    with pytest.raises(SettingError, match="found None"):
        live.forecast(4)
    with pytest.raises(SizeError, match="4 rows, expected 3"):
        live.forecast(3, **future)
    for name in future:
        with pytest.raises(ScotopicError):
            live.forecast(4, **{**future, name: np.full_like(future[name], np.nan)})
