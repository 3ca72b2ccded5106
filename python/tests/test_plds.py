"""Linear dynamical systems of counts and spikes, against sums over a grid and SciPy's densities."""

import pickle

import numpy as np
import pytest
from conftest import random_population
from numpy.testing import assert_allclose

import scotopic
from scotopic.errors import ObservationError, ScotopicError, SettingError, SizeError, UnsupportedError

stats = pytest.importorskip("scipy.stats")


def on_a_grid(model, x):
    """ln p(x) and the posterior means of one latent: the filter and smoother of its values on a fine grid."""
    (f,), (q,) = model.transition_[0], model.process_noise_[0]
    c, d, b = np.asarray(model.loadings_)[:, 0], np.asarray(model.offset_), float(model.bias_[0])
    grid = np.linspace(-9.0, 9.0, 2401)
    step = grid[1] - grid[0]
    eta = grid[:, None] * c + d
    law = stats.poisson(np.exp(eta)) if isinstance(model, scotopic.PLDS) else stats.bernoulli(1 / (1 + np.exp(-eta)))
    moves = stats.norm.pdf(grid[None, :], f * grid[:, None] + b, np.sqrt(q)) * step
    p = stats.norm.pdf(grid, model.initial_mean_[0], np.sqrt(model.initial_covariance_[0, 0])) * step
    log_p, forward, terms = 0.0, [], []
    for row in x:
        with np.errstate(invalid="ignore"):
            likelihood = np.exp(np.where(np.isnan(row), 0.0, law.logpmf(row)).sum(axis=1))
        p = p * likelihood
        log_p += np.log(p.sum())
        p = p / p.sum()
        forward.append(p)
        terms.append(likelihood)
        p = p @ moves
    backward, means = np.ones_like(grid), []
    for q_t, likelihood in zip(forward[::-1], terms[::-1]):
        posterior = q_t * backward
        means.append(posterior @ grid / posterior.sum())
        backward = moves @ (likelihood * backward)
        backward = backward / backward.max()
    return log_p, np.array(means[::-1])


@pytest.mark.parametrize("law", ["poisson", "bernoulli"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_bounds_and_beliefs_on_a_grid(law, seed):
    model = random_population(law, n=1, neurons=4, seed=seed)
    x, _ = model.sample(60, random_state=seed)
    x[10], x[20, 1] = np.nan, np.nan
    log_p, means = on_a_grid(model, x)
    smoothed = model.smooth(x)
    # The bound is one, and close: a Gaussian misses the skewness of the posterior only.
    assert log_p - 1.0 < smoothed.elbo <= log_p + 1e-6
    assert abs(model.score(x) - log_p) < 1.0
    spread = np.sqrt(smoothed.variances[:, 0])
    assert (np.abs(smoothed.means[:, 0] - means) < 0.15 * spread).all()


def test_online_is_offline(population):
    x, _ = population.sample(80, random_state=0)
    x[3], x[5, 0] = np.nan, np.nan
    filtered = population.filtered(x)
    live = population.filter()
    nats = [live.update(row) for row in x[:40]]
    seen = live.extend(x[40:])
    assert_allclose(np.sum(nats) + seen.log_predictive.sum(), population.score(x), rtol=1e-12)
    assert filtered.elbo == pytest.approx(population.score(x), rel=1e-12)
    assert (seen.beliefs == filtered.means[40:]).all() and (seen.covariances == filtered.covariances[40:]).all()
    # One step ahead from the row before is what `predict` says of the next.
    live = population.filter()
    live.extend(x[:40])
    means, variances = population.predict(x, return_var=True)
    ahead = live.forecast(1)
    assert_allclose(ahead.mean[0], means[40], rtol=1e-12)
    assert_allclose(ahead.variance[0], variances[40], rtol=1e-12)
    assert_allclose(population.forecast(x[:40], 3).mean[0], means[40], rtol=1e-12)


def test_a_forecast_has_the_moments_of_its_normal_predictors():
    model = random_population("poisson", n=2, neurons=3)
    x, _ = model.sample(50, random_state=0)
    f, q, b = (np.asarray(getattr(model, name)) for name in ("transition_", "process_noise_", "bias_"))
    c, d = np.asarray(model.loadings_), np.asarray(model.offset_)
    beliefs = model.filtered(x)
    mean, covariance, made = beliefs.means[-1], beliefs.covariances[-1], model.forecast(x, 5)
    for h in range(5):
        mean, covariance = f @ mean + b, f @ covariance @ f.T + q
        eta, v = c @ mean + d, np.einsum("in,nm,im->i", c, covariance, c)
        rate = np.exp(eta + v / 2)  # of a log-normal number
        assert_allclose(made.mean[h], rate, rtol=1e-10)
        assert_allclose(made.variance[h], rate + (np.exp(v) - 1) * rate**2, rtol=1e-10)


def test_co_smoothing_is_what_its_formula_says():
    model = random_population("poisson", n=2, neurons=6)
    x, _ = model.sample(150, random_state=0)
    total, spikes = 0.0, 0.0
    for fold in range(3):
        held = np.arange(fold, 6, 3)
        others = x.copy()
        others[:, held] = np.nan
        beliefs = model.smooth(others)
        c, d = np.asarray(model.loadings_)[held], np.asarray(model.offset_)[held]
        eta, v = beliefs.means @ c.T + d, np.einsum("in,tnm,im->ti", c, beliefs.covariances, c)
        gain = stats.poisson.logpmf(x[:, held], np.exp(eta + v / 2))
        gain = gain - stats.poisson.logpmf(x[:, held], x[:, held].mean(axis=0))
        assert model.co_smoothing(x, held_out=held) == pytest.approx(
            gain.sum() / np.log(2) / x[:, held].sum(), rel=1e-9
        )
        total, spikes = total + gain.sum(), spikes + x[:, held].sum()
    assert model.co_smoothing(x, folds=3) == pytest.approx(total / np.log(2) / spikes, rel=1e-9)
    assert np.isnan(model.co_smoothing(np.zeros_like(x), folds=3))
    for bad in (
        {"folds": 1},
        {"folds": 7},
        {"held_out": [6]},
        {"held_out": []},
        {"held_out": range(6)},
        {"held_out": [1, 1]},
    ):
        with pytest.raises(ScotopicError):
            model.co_smoothing(x, **bad)


@pytest.mark.parametrize("law", ["poisson", "bernoulli"])
def test_fits(law):
    truth = random_population(law, n=1, neurons=8, seed=4)
    x, latent = truth.sample(600, random_state=0)
    model = type(truth)(1).fit(x)
    assert (np.diff(model.history_) > -1e-6).all() and model.converged_
    assert model.smooth(x).elbo == pytest.approx(model.history_[-1], rel=1e-9)
    assert model.smooth(x).elbo >= truth.smooth(x).elbo - 0.1
    # The latent, up to its scale and sign.
    assert abs(np.corrcoef(model.transform(x)[:, 0], truth.transform(x)[:, 0])[0, 1]) > 0.99
    again = model.set_params(init="parameters", n_iter=2).fit(x)
    assert again.smooth(x).elbo >= model.history_[0] - 1e-6
    parts = np.split(x, [200, 350])
    together = type(truth)(1, n_iter=5).fit(parts)
    assert together.history_[0] == type(truth)(1, n_iter=5).fit(x, lengths=[200, 150, 250]).history_[0]
    assert together.bic(parts) > together.aic(parts)


def test_an_exposure_is_a_unit():
    truth = random_population("poisson", n=1, neurons=6)
    x, _ = truth.sample(300, random_state=0)
    bins, seconds = scotopic.PLDS(1, n_iter=5).fit(x), scotopic.PLDS(1, n_iter=5, exposure=0.01).fit(x)
    assert_allclose(seconds.offset_, bins.offset_ + np.log(100.0), rtol=1e-12)
    assert seconds.score(x) == pytest.approx(bins.score(x), rel=1e-12)
    assert pickle.loads(pickle.dumps(seconds)).score(x) == seconds.score(x)
    with pytest.raises(SettingError, match="exposure"):
        scotopic.PLDS(1, exposure=0.0).fit(x)


def test_learning_on_a_stream(population):
    x, _ = population.sample(2000, random_state=0)
    start = random_population("poisson" if isinstance(population, scotopic.PLDS) else "bernoulli", seed=9)
    before = start.score(x)
    for part in np.split(x, 10):
        start.partial_fit(part)
    assert start.score(x) > before
    assert type(population)(1, n_iter=3).partial_fit(x[:200]).loadings_.shape == (5, 1)
    live = population.filter(learn=True, block=50)
    live.extend(x[:120])
    copy = pickle.loads(pickle.dumps(live))
    assert copy.update(x[120]) == live.update(x[120]) and type(copy.model) is type(population)


def test_pickles_files_and_clones(population, tmp_path):
    from sklearn.base import clone

    x, _ = population.sample(40, random_state=0)
    exact = population.score(x)
    assert pickle.loads(pickle.dumps(population)).score(x) == exact
    population.save(tmp_path / "model.toml")
    read = scotopic.load(tmp_path / "model.toml")
    assert type(read) is type(population) and read.score(x) == exact
    with pytest.raises(AttributeError, match="not fitted"):
        clone(population).score(x)
    assert (read.sample(10, random_state=1)[0] == population.sample(10, random_state=1)[0]).all()
    assert np.isfinite(population.residuals(x).values).all()
    with pytest.raises(UnsupportedError):
        population.summary(x)


def test_layouts(population):
    x, _ = population.sample(40, random_state=0)
    exact = population.smooth(x).elbo
    wide = np.repeat(np.repeat(x, 2, axis=0), 3, axis=1)
    for layout in (
        np.asfortranarray(x),
        wide[::2, ::3],
        x[::-1].copy()[::-1],
        x.astype(">f8"),
        x.astype(int),
        x.tolist(),
    ):
        assert population.smooth(layout).elbo == exact
    for bad in (x[:, :2], x[:0], x.astype(complex), np.ones((2, 2, 2)), "text", None, [[1.0], [1.0, 2.0]]):
        with pytest.raises((ValueError, TypeError)):
            population.smooth(bad)
    x[4, 2] = 0.5
    with pytest.raises(ObservationError, match="observation 4, entry 2"):
        population.smooth(x)
    with pytest.raises(SizeError):
        type(population)(9).fit(x[:4])
    population.loadings_ = np.zeros((5, 3))
    with pytest.raises(SizeError, match="loadings"):
        population.score(x)
