"""Autoregressions in hidden states, against recursions in numpy and statsmodels."""

import itertools
import pickle

import numpy as np
import pytest
from conftest import random_hmm, recursions
from numpy.testing import assert_allclose

import scotopic
from scotopic.errors import ScotopicError, SettingError, SizeError, UnsupportedError

#: Both compute the same sums in double precision.
RTOL = 1e-10


def lags_of(model, x):
    """(x_{t-1}, ..., x_{t-p}) [T, p, D], NaN before the first."""
    order = model.coef_.shape[1]
    padded = np.concatenate([np.full((order, x.shape[1]), np.nan), x])
    return np.stack([padded[order - l : order - l + len(x)] for l in range(1, order + 1)], axis=1)


def covariances(model):
    c = np.asarray(model.covars_)
    return c if c.ndim == 3 else c[:, :, None] * np.eye(c.shape[1])


def log_likelihoods(model, x):
    """ln p(x_t | s, lags) [T, K] of the entries that are there; 0 where a lag or all of them are missing."""
    multivariate_normal = pytest.importorskip("scipy.stats").multivariate_normal
    means = model.intercept_ + np.einsum("klij,tlj->tki", model.coef_, lags_of(model, x))
    terms = np.zeros(means.shape[:2])
    for t, (row, mean) in enumerate(zip(x, means)):
        there = ~np.isnan(row)
        if there.any() and not np.isnan(mean).any():
            for k, c in enumerate(covariances(model)):
                terms[t, k] = multivariate_normal.logpdf(row[there], mean[k, there], c[np.ix_(there, there)])
    return terms


@pytest.fixture(params=["full", "diag"])
def model(request):
    return random_autoregression(noise=request.param)


def random_autoregression(k=3, d=2, p=2, noise="full", seed=0):
    return random_hmm(f"autoregression-{noise}", k=k, d=d, p=p, seed=seed)


def test_evidence_posterior_and_path(model):
    x, _ = model.sample(200, random_state=1)
    x[17], x[60, 1] = np.nan, np.nan
    log_p, posterior, path = recursions(model, log_likelihoods(model, x))
    assert_allclose(model.score(x), log_p, rtol=RTOL)
    assert_allclose(model.predict_proba(x), posterior, rtol=1e-8, atol=RTOL)
    assert (model.predict(x) == path).all()
    assert_allclose(model.log_predictive(x).sum(), log_p, rtol=RTOL)
    # ln 1 of a sum that rounds.
    assert np.abs(model.log_predictive(x)[[0, 1, 17, 18, 19, 61, 62]]).max() < 1e-15
    live = model.filter()
    assert_allclose(sum(live.update(row) for row in x), log_p, rtol=RTOL)
    assert_allclose(live.belief, posterior[-1], rtol=1e-8, atol=RTOL)
    assert live.n_features == 2 and live.given == ([], None)


def test_one_iteration_of_em_is_weighted_least_squares(model):
    x, _ = model.sample(300, random_state=1)
    terms, a = log_likelihoods(model, x), np.asarray(model.transmat_)
    _, gamma, _ = recursions(model, terms)
    g = np.concatenate([np.ones((298, 1)), lags_of(model, x)[2:].reshape(298, 4)], axis=1)
    y, w = x[2:], gamma[2:]
    b = np.stack([np.linalg.solve((g.T * w[:, k]) @ g, (g.T * w[:, k]) @ y).T for k in range(3)])
    e = y[:, None, :] - np.einsum("kim,tm->tki", b, g)
    c = np.einsum("tk,tki,tkj->kij", w, e, e) / w.sum(axis=0)[:, None, None]
    seen = model.statistics(x)
    assert_allclose(seen.log_evidence, model.score(x), rtol=1e-12)
    new = pickle.loads(pickle.dumps(model)).maximise(seen)
    # The normal equations are conditioned to about 1e4.
    assert_allclose(new.intercept_, b[:, :, 0], rtol=1e-9, atol=1e-9)
    assert_allclose(new.coef_, b[:, :, 1:].reshape(3, 2, 2, 2).transpose(0, 2, 1, 3), rtol=1e-9, atol=1e-9)
    assert_allclose(covariances(new), c if model.covariance_type == "full" else c * np.eye(2), rtol=1e-9, atol=1e-9)
    assert_allclose(new.startprob_, gamma[0], rtol=1e-9)
    # Transitions: the same forward pass, one pair of times after the other.
    q, sums = np.array(model.startprob_), np.zeros((3, 3))
    q = q * np.exp(terms[0])
    q /= q.sum()
    for t in range(1, 300):
        ahead = q @ a
        sums += q[:, None] * a * np.where(ahead > 0, gamma[t] / ahead, 0.0)
        q = ahead * np.exp(terms[t] - terms[t].max())
        q /= q.sum()
    assert_allclose(new.transmat_, sums / sums.sum(axis=1, keepdims=True), rtol=1e-9)


def test_a_forecast_has_the_moments_of_all_paths():
    model = random_autoregression(k=2)
    x, _ = model.sample(50, random_state=1)
    made, belief = model.forecast(x, 3), model.filter_proba(x)[-1]
    a, c = np.asarray(model.transmat_), covariances(model)
    total, means, squares = np.zeros(3), np.zeros((3, 2)), np.zeros((3, 2))
    for path in itertools.product(range(2), repeat=3):
        p, q = 0.0, belief @ a
        p = q[path[0]] * np.prod([a[i, j] for i, j in itertools.pairwise(path)])
        # z = (x_t, x_{t-1}) is normal along a path.
        z, v = np.concatenate([x[-1], x[-2]]), np.zeros((4, 4))
        for h, k in enumerate(path):
            f = np.zeros((4, 4))
            f[:2, :2], f[:2, 2:], f[2:, :2] = model.coef_[k, 0], model.coef_[k, 1], np.eye(2)
            z, v = f @ z, f @ v @ f.T
            z[:2] += model.intercept_[k]
            v[:2, :2] += c[k]
            total[h] += p
            means[h] += p * z[:2]
            squares[h] += p * (np.diag(v)[:2] + z[:2] ** 2)
    assert_allclose(total, 1.0, rtol=1e-12)
    assert_allclose(made.mean, means, rtol=1e-9)
    assert_allclose(made.variance, squares - means**2, rtol=1e-9)
    live = model.filter(learn=True)
    live.extend(x)
    assert live.forecast(3).mean.shape == (3, 2)
    x[-1, 0] = np.nan
    with pytest.raises(ScotopicError, match="depends on is missing"):
        model.forecast(x, 1)


def sunspot_like(t=300, seed=0):
    """Two regimes about one mean."""
    rng = np.random.default_rng(seed)
    y, s = np.zeros(t), (np.arange(t) // 40) % 2
    for i in range(2, t):
        phi, sd = ((1.2, -0.4), 1.0) if s[i] == 0 else ((0.3, 0.1), 3.0)
        y[i] = 5.0 + phi[0] * (y[i - 1] - 5.0) + phi[1] * (y[i - 2] - 5.0) + sd * rng.normal()
    return y


# With more lags than one statsmodels 0.15 takes the variance of the regime before (it broadcasts along the wrong axis).
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("order,variances", [(1, [1.3, 7.0]), (2, [2.0, 2.0])])
def test_it_is_the_markov_autoregression_of_statsmodels(order, variances):
    # There lags are deviations from the mean; of one mean for all regimes the model is the same.
    sm = pytest.importorskip("statsmodels.api")
    y, mean, switches = sunspot_like(), 4.5, variances[0] != variances[1]
    theirs = sm.tsa.MarkovAutoregression(
        y, k_regimes=2, order=order, switching_trend=False, switching_variance=switches
    )
    phi = [[1.1, -0.3][:order], [0.2, 0.2][:order]]
    values = {"p[0->0]": 0.95, "p[1->0]": 0.1, "const": mean, "sigma2": variances[0]}
    values |= {f"sigma2[{k}]": v for k, v in enumerate(variances)}
    values |= {f"ar.L{l + 1}[{k}]": phi[k][l] for k in range(2) for l in range(order)}
    found = theirs.smooth([values[name] for name in theirs.param_names])
    model = scotopic.AutoregressiveHMM(2, order)
    # There the regimes begin in their stationary distribution, at the first observation that has its lags.
    model.startprob_, model.transmat_ = [2 / 3, 1 / 3], [[0.95, 0.05], [0.1, 0.9]]
    model.intercept_ = [[mean * (1 - sum(p))] for p in phi]
    model.coef_, model.covars_ = np.reshape(phi, (2, order, 1, 1)), np.reshape(variances, (2, 1, 1))
    assert_allclose(model.score(y), found.llf, rtol=RTOL)
    assert_allclose(model.log_predictive(y)[order:], found.llf_obs, rtol=1e-9, atol=RTOL)
    assert_allclose(model.filter_proba(y)[order:], found.filtered_marginal_probabilities, rtol=1e-8, atol=RTOL)
    assert_allclose(model.predict_proba(y)[order:], found.smoothed_marginal_probabilities, rtol=1e-8, atol=RTOL)


@pytest.mark.filterwarnings("ignore")
def test_fits():
    sm = pytest.importorskip("statsmodels.api")
    y = sunspot_like()
    one = scotopic.AutoregressiveHMM(1, 2).fit(y)
    theirs = sm.tsa.AutoReg(y, 2).fit()
    # Both are at their maximum to 1e-8 nats an observation; parameters are as much less certain as the root of that.
    assert_allclose(one.log_evidence_, theirs.llf, rtol=1e-8)
    assert_allclose([one.intercept_[0, 0], *one.coef_.ravel()], theirs.params, atol=1e-3)
    two = scotopic.AutoregressiveHMM(2, 2, random_state=0).fit(y)
    regression = sm.tsa.MarkovRegression(
        y[2:], 2, exog=np.column_stack([y[1:-1], y[:-2]]), switching_variance=True
    ).fit(disp=0)
    assert two.score(y) >= regression.llf - 0.1 and two.score(y) > one.score(y) + 20
    assert two.n_features_in_ == 1 and two.found_by_[0] >= 1
    # A search in another unit of the data finds the same.
    tiny = scotopic.AutoregressiveHMM(2, 2, random_state=0).fit(1e-5 * y)
    assert_allclose(tiny.log_evidence_ - 298 * np.log(1e5), two.log_evidence_, atol=1e-4)
    assert_allclose(np.sort(tiny.coef_.ravel()), np.sort(two.coef_.ravel()), atol=1e-3)
    report = two.summary(y)
    assert {"intercepts[1,1]", "coefficients[1,2,1,1]"} <= set(report.names)
    # Under the model they are standard normal: five standard errors of 298 of them.
    assert abs(np.nanmean(two.residuals(y).values)) < 0.3
    assert np.isnan(two.residuals(y).values[:2]).all()


def test_em_and_fits_from_parameters(model):
    x, _ = model.sample(400, random_state=2)
    em = pickle.loads(pickle.dumps(model)).set_params(init="parameters", method="em", n_iter=10).fit([x[:200], x[200:]])
    assert (np.diff(em.history_) >= -1e-9 * abs(em.history_[0])).all()
    assert_allclose(em.history_[0], model.score([x[:200], x[200:]]), rtol=1e-12)
    search = pickle.loads(pickle.dumps(model)).set_params(init="parameters").fit(x)
    assert search.score(x) >= model.score(x) and search.covars_.shape == model.covars_.shape
    guess = scotopic.AutoregressiveHMM(2, 2, method="em", n_init=2, n_iter=5, random_state=0).fit(x)
    assert guess.coef_.shape == (2, 2, 2, 2)


def test_settings_and_shapes_are_checked(model):
    x, _ = model.sample(60, random_state=0)
    for setting in ({"n_lags": 0}, {"n_lags": 1.5}, {"n_lags": 60}, {"covariance_type": "tied"}):
        for method in ("search", "em"):
            with pytest.raises(SettingError):
                scotopic.AutoregressiveHMM(2, method=method).set_params(**setting).fit(x)
    with pytest.raises(SettingError, match="fitted from parameters that are set"):
        scotopic.AutoregressiveHMM(2, covariance_type="diag").fit(x)
    with pytest.raises(SettingError, match="has no inputs"):
        scotopic.AutoregressiveHMM(2).fit(x, inputs=x)
    with pytest.raises(SizeError, match="X has 6 features"):
        model.score(np.zeros((10, 6)))
    with pytest.raises(SettingError, match="keeps no smoothed states"):
        model.filter(lag=2)
    with pytest.raises(UnsupportedError, match="rmle"):
        model.filter(learn="online-em")
    other = random_autoregression()
    other.coef_ = np.zeros((3, 2, 2, 3))
    with pytest.raises(ScotopicError, match=r"coef_\[0\]\[0\]"):
        other.score(x)


def test_learning_on_a_stream():
    truth, start = random_autoregression(k=2), random_autoregression(k=2, seed=5)
    x, _ = truth.sample(3000, random_state=0)
    before = start.score(x)
    for part in np.split(x, 6):
        start.partial_fit(part)
    assert start.score(x) > before
    live = start.filter(learn=True)
    live.extend(x[:100])
    copy = pickle.loads(pickle.dumps(live))
    assert copy.update(x[100]) == live.update(x[100])


def test_samples_start_where_a_regression_rests():
    model = random_autoregression(k=1)
    x, states = model.sample(20000, random_state=0)
    still = np.linalg.solve(np.eye(2) - model.coef_[0].sum(axis=0), model.intercept_[0])
    # Ten standard errors of a mean whose observations are correlated over some ten rows.
    assert np.abs(x.mean(axis=0) - still).max() < 0.3 and states.max() == 0
