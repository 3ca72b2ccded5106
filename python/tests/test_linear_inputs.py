"""Linear-Gaussian models with inputs and of irregular times, against statsmodels and a filter in numpy."""

import pickle

import numpy as np
import pytest
from conftest import random_walk
from numpy.testing import assert_allclose

import scotopic
from scotopic.errors import ObservationError, ScotopicError, SettingError, SizeError, UnsupportedError

pytest.importorskip("statsmodels")
from statsmodels.tsa.statespace.mlemodel import MLEModel  # noqa: E402

#: Both are recursions in double precision over the same matrices.
RTOL = 1e-10


def random_driven(n=2, m=3, inputs=2, seed=0, regressors=None):
    """A model of which every part depends on inputs."""
    rng = np.random.default_rng(100 + seed)
    model = random_walk(n=n, m=m, seed=seed)
    model.control_, model.direct_ = rng.normal(size=(n, inputs)), rng.normal(size=(m, inputs))
    model.regressors_ = {(0, n - 1): "x2", (m - 1, 0): "x1"} if regressors is None else regressors
    return model


def drawn(model, t=200, seed=1):
    u = np.random.default_rng(seed).normal(size=(t, len(model.inputs_)))
    y, states = model.sample(inputs=u, random_state=seed)
    return y, u, states


def systems(model, u):
    """H_t [T, m, n], d + D u_t [T, m], b + B u_t [T, n]."""
    h = np.repeat(np.asarray(model.observation_)[None], len(u), axis=0)
    for (i, j), name in model.regressors_.items():
        h[:, i, j] = u[:, model.inputs_.index(name)]
    return h, model.offset_ + u @ model.direct_.T, model.bias_ + u @ model.control_.T


def theirs(model, y, u):
    """The smoother of statsmodels with matrices that change with time."""
    n = model.transition_.shape[0]
    h, d, b = systems(model, u)
    peer = MLEModel(y, k_states=n, k_posdef=n)
    ssm = peer.ssm
    ssm["design"], ssm["obs_intercept"] = np.ascontiguousarray(h.transpose(1, 2, 0)), d.T.copy()
    # There the intercept of t leads to t + 1; nothing moves the first state.
    ssm["state_intercept"] = np.concatenate([b[1:], np.zeros((1, n))]).T.copy()
    ssm["transition"], ssm["selection"] = model.transition_, np.eye(n)
    ssm["obs_cov"], ssm["state_cov"] = model.observation_noise_, model.process_noise_
    ssm.initialize_known(model.initial_mean_.copy(), model.initial_covariance_.copy())
    ssm.filter_conventional = True
    ssm.tolerance = 0.0
    return ssm.smooth()


@pytest.mark.parametrize("n,m", [(1, 1), (2, 3), (4, 2)])
def test_it_is_the_model_of_statsmodels(n, m):
    model = random_driven(n=n, m=m, regressors={(0, n - 1): "x2"})
    y, u, _ = drawn(model)
    y[50:60], y[100:110, 0] = np.nan, np.nan
    peer = theirs(model, y, u)
    assert_allclose(model.score(y, inputs=u), peer.llf, rtol=RTOL)
    filtered, smoothed = model.filtered(y, inputs=u), model.smooth(y, inputs=u)
    scale = np.abs(peer.smoothed_state).max()
    assert_allclose(filtered.means, peer.filtered_state.T, rtol=RTOL, atol=RTOL * scale)
    assert_allclose(filtered.covariances, peer.filtered_state_cov.transpose(2, 0, 1), rtol=RTOL, atol=RTOL)
    assert_allclose(smoothed.means, peer.smoothed_state.T, rtol=RTOL, atol=10 * RTOL * scale)
    assert_allclose(smoothed.covariances, peer.smoothed_state_cov.transpose(2, 0, 1), rtol=RTOL, atol=10 * RTOL)
    assert smoothed.elbo == pytest.approx(peer.llf, rel=RTOL)
    means, covariances = model.predict(y, return_cov=True, inputs=u)
    assert_allclose(means, peer.forecasts.T, rtol=RTOL, atol=RTOL * np.abs(peer.forecasts).max())
    seen = ~np.isnan(y).any(axis=1)
    assert_allclose(covariances[seen], peer.forecasts_error_cov.transpose(2, 0, 1)[seen], rtol=RTOL, atol=RTOL)
    # What is to come: the same filter over rows of which nothing is seen.
    future = np.random.default_rng(9).normal(size=(5, 2))
    longer = theirs(model, np.concatenate([y, np.full((5, m), np.nan)]), np.concatenate([u, future]))
    made = model.forecast(y, 5, inputs=u, future_inputs=future)
    h, d, _ = systems(model, future)
    ahead, spread = longer.predicted_state[:, -6:-1], longer.predicted_state_cov[:, :, -6:-1]
    assert_allclose(made.mean, np.einsum("tij,jt->ti", h, ahead) + d, rtol=RTOL, atol=RTOL * scale)
    variance = np.einsum("tij,jkt,tik->ti", h, spread, h) + np.diag(model.observation_noise_)
    assert_allclose(made.variance, variance, rtol=RTOL, atol=RTOL)
    # One observation at a time.
    live, nats = model.filter(), 0.0
    for row, given in zip(y, u):
        nats += live.update(row if not np.isnan(row).all() else None, inputs=given)
    assert_allclose(nats, peer.llf, rtol=RTOL)
    assert_allclose(live.belief, filtered.means[-1], rtol=1e-12)
    assert_allclose(live.forecast(5, inputs=future).mean, made.mean, rtol=1e-12)
    many = model.filter()
    assert_allclose(many.extend(y, inputs=u).beliefs, filtered.means, rtol=1e-12)
    assert many.given == (["x1", "x2"], None) and many.n_features == m


def kalman(y, moved, h, d, r, mean, covariance):
    """ln p and filtered means: (F, b, Q) of each interval, H and d of each row."""
    total, means = 0.0, []
    for t, row in enumerate(y):
        if t > 0:
            f, b, q = moved[t - 1]
            mean, covariance = f @ mean + b, f @ covariance @ f.T + q
        there = ~np.isnan(row)
        if there.any():
            own, c = h[t][there], r[np.ix_(there, there)]
            e, s = row[there] - own @ mean - d[t][there], own @ covariance @ own.T + c
            gain = covariance @ own.T @ np.linalg.inv(s)
            total -= 0.5 * (e @ np.linalg.solve(s, e) + np.linalg.slogdet(2 * np.pi * s)[1])
            mean, covariance = mean + gain @ e, covariance - gain @ own @ covariance
        means.append(mean)
    return total, np.array(means)


def random_continuous(seed=0, n=2, m=2):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(n, n))
    return scotopic.ContinuousLinearGaussian.of(
        rng.normal(size=(n, n)) - 1.5 * np.eye(n),
        root @ root.T + 0.1 * np.eye(n),
        rng.normal(size=(m, n)),
        0.5 * np.eye(m),
        bias=rng.normal(size=n),
        offset=rng.normal(size=m),
        control=rng.normal(size=(n, 1)),
        direct=rng.normal(size=(m, 1)),
        inputs=["dose", "hours"],
    )


def given_at(t=150, seed=0):
    rng = np.random.default_rng(seed)
    hours = np.cumsum(rng.exponential(size=t))
    hours[40] = hours[39]  # two rows at once
    return np.column_stack([rng.normal(size=t), hours])


def test_irregular_times_are_exact():
    expm = pytest.importorskip("scipy.linalg").expm
    model, u = random_continuous(), given_at()
    y, _ = model.sample(inputs=u, random_state=0)
    y[20], y[60, 1] = np.nan, np.nan
    a, qc, moved = model.drift_, model.diffusion_, []
    for (dose, now), before in zip(u[1:], u[:-1, 1]):
        # C. F. Van Loan (1978): F and Q from one exponential, the integral of the rates from another.
        dt, zero = now - before, np.zeros((2, 2))
        big = expm(dt * np.block([[-a, qc], [zero, a.T]]))
        f = big[2:, 2:].T
        rate = expm(dt * np.block([[a, np.eye(2)], [zero, zero]]))[:2, 2:] @ (model.bias_ + model.control_[:, 0] * dose)
        moved.append((f, rate, f @ big[:2, 2:]))
    h = np.repeat(model.observation_[None], len(u), axis=0)
    d = model.offset_ + u[:, :1] @ model.direct_.T
    total, means = kalman(y, moved, h, d, model.observation_noise_, np.zeros(2), np.eye(2))
    assert_allclose(model.score(y, inputs=u), total, rtol=RTOL)
    # Exponentials of two algorithms: a few digits of a double.
    assert_allclose(model.filtered(y, inputs=u).means, means, rtol=1e-9, atol=1e-9)
    live = model.filter()
    assert_allclose(sum(live.update(row, inputs=given) for row, given in zip(y, u)), total, rtol=RTOL)
    assert model.inputs_ == ["dose", "hours"] and live.given[0] == model.inputs_
    # The unit of time does not matter.
    minutes = random_continuous()
    minutes.drift_, minutes.diffusion_ = model.drift_ / 60, model.diffusion_ / 60
    minutes.bias_, minutes.control_ = model.bias_ / 60, model.control_ / 60
    assert_allclose(minutes.score(y, inputs=u * [1, 60]), total, rtol=1e-9)
    with pytest.raises(ObservationError, match="observation 3"):
        model.score(y, inputs=np.where(np.arange(150)[:, None] == 3, [[0.0, -1.0]], u))


def test_equal_intervals_are_discrete_time():
    expm = pytest.importorskip("scipy.linalg").expm
    a = np.array([[-0.5]])
    continuous = scotopic.ContinuousLinearGaussian.of(a, [[1.0]], [[1.0]], [[0.3]])
    f = expm(2 * a)
    discrete = scotopic.LinearGaussian.of(f, (1 - f @ f) / 1.0, [[1.0]], [[0.3]])
    y, _ = discrete.sample(100, random_state=0)
    hours = 2.0 * np.arange(100)
    assert_allclose(continuous.score(y, inputs=hours), discrete.score(y), rtol=RTOL)
    assert_allclose(continuous.smooth(y, inputs=hours).means, discrete.smooth(y).means, rtol=1e-9, atol=1e-10)
    fitted = pickle.loads(pickle.dumps(continuous)).set_params(learned=["drift", "diffusion"]).fit(y, inputs=hours)
    assert fitted.score(y, inputs=hours) >= continuous.score(y, inputs=hours)
    assert fitted.observation_noise_ == continuous.observation_noise_ and fitted.drift_ != a
    for bad in (["transition"], ["drifts"]):
        with pytest.raises(SettingError, match="learned"):
            fitted.set_params(learned=bad).fit(y, inputs=hours)


def test_fits():
    truth = random_driven(n=1, m=2, regressors={})
    y, u, _ = drawn(truth, t=500)
    model = scotopic.LinearGaussian(1, random_state=0).fit(y, inputs=u)
    assert model.converged_ and model.found_by_[0] > 1
    assert model.score(y, inputs=u) == pytest.approx(model.log_evidence_, rel=1e-12)
    assert model.score(y, inputs=u) >= truth.score(y, inputs=u) - 0.1
    # No state to speak of: a linear regression.
    sm = pytest.importorskip("statsmodels.api")
    x = u[:, :1]
    z = 1.0 + 2.0 * x[:, 0] + np.random.default_rng(5).normal(size=500)
    ols = sm.OLS(z, sm.add_constant(x)).fit()
    flat = scotopic.LinearGaussian.of([[0.0]], [[1e-9]], [[1.0]], [[1.0]], direct=[[0.0]], initial_covariance=[[1e-9]])
    flat.set_params(init="parameters", learned=["offset", "direct", "observation_noise"]).fit(z, inputs=x)
    assert_allclose(flat.log_evidence_, ols.llf, rtol=1e-7)
    assert_allclose([flat.offset_[0], flat.direct_[0, 0]], ols.params, atol=1e-4)
    assert flat.transition_[0, 0] == 0.0
    # In other units the same.
    small = scotopic.LinearGaussian(1, random_state=0).fit(1e-5 * y, inputs=1e6 * u)
    assert_allclose(small.log_evidence_ - 1000 * np.log(1e5), model.log_evidence_, rtol=1e-5)


def test_criteria_summary_and_residuals():
    model = random_driven(n=1, m=1, regressors={(0, 0): "x1"})
    y, u, _ = drawn(model, t=400)
    report = model.summary(y, inputs=u)
    assert {"control[1,1]", "direct[1,2]"} <= set(report.names)
    assert model.aic(y, inputs=u) == pytest.approx(2 * model._model.free_parameters - 2 * model.score(y, inputs=u))
    found = model.residuals(y, inputs=u)
    # Under the model they are standard normal: four standard errors of 400 of them.
    assert abs(found.values.mean()) < 0.2 and abs(found.values.std() - 1) < 0.15


def test_what_is_given_is_checked():
    model = random_driven()
    y, u, _ = drawn(model, t=30)
    calls = [model.score, model.smooth, model.filtered, model.predict, model.transform, model.forecast, model.residuals]
    for call in [*calls, model.aic, model.summary, model.filter().extend]:
        with pytest.raises(SettingError, match="`inputs`: found None"):
            call(y)
        with pytest.raises(SizeError, match="29 rows, expected 30"):
            call(y, inputs=u[:-1])
        with pytest.raises(SizeError, match="found 1 columns, expected 2"):
            call(y, inputs=u[:, :1])
    with pytest.raises(SettingError, match="found None"):
        model.sample(3)
    with pytest.raises(SettingError, match="n_samples"):
        model.sample(3, inputs=u)
    with pytest.raises(SettingError, match="found None"):
        model.forecast(y, 2, inputs=u)
    with pytest.raises(SizeError, match="1 rows, expected 2"):
        model.forecast(y, 2, inputs=u, future_inputs=u[:1])
    gap = u.copy()
    gap[7, 1] = np.nan
    for rows in (y, np.where(np.arange(30)[:, None] == 7, np.nan, y)):
        with pytest.raises(ObservationError, match="observation 7.*x2"):
            model.score(rows, inputs=gap)
    live = model.filter()
    for bad in ({}, {"inputs": [1.0]}, {"inputs": [1.0, np.nan]}, {"inputs": [0.0, 1.0], "exposure": 1.0}):
        for row in (y[0], None):
            with pytest.raises(ScotopicError):
                live.update(row, **bad)
    assert live.n_observations == 0 and live.update(None, inputs=u[0]) == 0.0 and live.n_observations == 1
    for ask in (
        lambda: model.statistics(y, inputs=u),
        lambda: model.maximise(None),
        lambda: model.compare(y),
        lambda: model.smooth(y, factorisation="diagonal", inputs=u),
    ):
        with pytest.raises(UnsupportedError):
            ask()
    with pytest.raises(ScotopicError):
        model.filter(learn=True)
    with pytest.raises(SettingError, match="no inputs"):
        random_walk().score(y, inputs=u)
    with pytest.raises(SettingError, match="callback"):
        scotopic.LinearGaussian(1).fit(y, inputs=u, callback=print)
    with pytest.raises(SettingError, match="learned"):
        scotopic.LinearGaussian(1, learned=["drift"]).fit(y)
    for wrong in ({(0, 0): "nothing"}, {(9, 0): "x1"}):
        other = random_driven()
        other.inputs_, other.regressors_ = ["x1", "x2"], wrong
        with pytest.raises(SettingError, match="observation"):
            other.score(y, inputs=u)


@pytest.mark.parametrize("made", [random_driven, random_continuous])
def test_models_survive_pickles_files_and_clones(made, tmp_path):
    from sklearn.base import clone

    model = made()
    u = given_at(60)
    y, _ = model.sample(inputs=u, random_state=0)
    exact = model.score(y, inputs=u)
    assert pickle.loads(pickle.dumps(model)).score(y, inputs=u) == exact
    assert pickle.loads(pickle.dumps(model._model)) == model._model
    model.save(tmp_path / "model.toml")
    read = scotopic.load(tmp_path / "model.toml")
    assert type(read) is type(model) and read.score(y, inputs=u) == exact
    assert read.inputs_ == model.inputs_ and read.regressors_ == model.regressors_
    assert not clone(model).__sklearn_is_fitted__()
    live = model.filter()
    live.extend(y, inputs=u)
    copy = pickle.loads(pickle.dumps(live))
    after = [0.3, u[-1, 1] + 1.0]
    assert copy.update(y[0], inputs=after) == live.update(y[0], inputs=after)
    assert live.model.score(y, inputs=u) == exact


def test_sequences_layouts_and_names():
    pandas = pytest.importorskip("pandas")
    model = random_driven()
    y, u, _ = drawn(model, t=60)
    exact = model.score(y, inputs=u)
    for ways in (
        (np.asfortranarray(y), np.asfortranarray(u)),
        (np.repeat(y, 2, axis=0)[::2], u.astype(">f8")),
        (y.tolist(), u.tolist()),
    ):
        assert model.score(ways[0], inputs=ways[1]) == exact
    parts = [np.split(y, [20, 21]), np.split(u, [20, 21])]
    assert model.score(parts[0], inputs=parts[1]) == model.score(y, lengths=[20, 1, 39], inputs=u)
    held = scotopic.observations(y, inputs=u)
    assert model.score(held) == exact
    frame = pandas.DataFrame(u, columns=["price", "rain"])
    fitted = scotopic.LinearGaussian(1, n_iter=3).fit(y, inputs=frame)
    assert fitted.inputs_ == ["price", "rain"]
    with pytest.raises(SettingError, match="found the columns"):
        fitted.score(y, inputs=frame[["rain", "price"]])
    several = scotopic.LinearGaussian(1, n_iter=3).fit(parts[0][::2], inputs=parts[1][::2])
    assert np.isfinite(several.log_evidence_)
