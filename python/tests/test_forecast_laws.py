"""Quantiles and samples of forecasts: closed forms, mixtures, symbols, coverage."""

import copy
import pickle

import numpy as np
import pytest
from conftest import random_hmm
from numpy.testing import assert_allclose

import scotopic
from scotopic.errors import SettingError

stats = pytest.importorskip("scipy.stats")


def two_rates(low=1.0, high=20.0):
    model = scotopic.PoissonHMM(2)
    model.startprob_, model.transmat_ = [0.5, 0.5], [[0.9, 0.1], [0.2, 0.8]]
    model.lambdas_ = [[low], [high]]
    return model


def test_quantiles_of_counts_are_those_of_the_mixture():
    model = two_rates()
    forecast = model.forecast([[1.0]], 2)
    p = np.array([0.025, 0.1, 0.5, 0.9, 0.975])
    # After a count of 1 the state is known but for e^-19·20.
    after = np.array([1.0, 0.0])
    counts = np.arange(200)
    for step in range(2):
        after = after @ np.array([[0.9, 0.1], [0.2, 0.8]])
        cdf = after @ stats.poisson.cdf(counts, [[1.0], [20.0]])
        expected = [counts[np.argmax(cdf >= each)] for each in p]
        assert_allclose(forecast.quantile(p)[:, step, 0], expected)
    low, high = forecast.interval(0.95)
    assert (low >= 0).all() and low[0, 0] == forecast.quantile(0.025)[0, 0] and high[0, 0] == forecast.quantile(0.975)[0, 0]


def test_quantiles_of_linear_models_are_normal():
    walk = scotopic.LinearGaussian.local_level(0.3, 1.0)
    forecast = walk.forecast(np.arange(10.0), 3)
    expected = stats.norm.ppf(0.9, forecast.mean, np.sqrt(forecast.variance))
    assert_allclose(forecast.quantile(0.9), expected, rtol=1e-12)
    assert_allclose(np.add(*forecast.interval(0.8)) / 2, forecast.mean, rtol=1e-12)
    # A filter that looks back says the same, and so does a copy.
    live = walk.filter(lag=2)
    live.extend(np.arange(10.0))
    for one in (live.forecast(3), pickle.loads(pickle.dumps(forecast)), copy.deepcopy(forecast)):
        assert_allclose(one.quantile(0.9), expected, rtol=1e-12)


def test_a_lagged_filter_has_the_mixture_too():
    model = two_rates()
    live = model.filter(lag=3)
    live.extend([[1.0], [18.0]])
    assert_allclose(live.forecast(4).quantile([0.1, 0.9]), model.forecast([[1.0], [18.0]], 4).quantile([0.1, 0.9]))


def test_heavy_tails_without_a_mean():
    model = scotopic.StudentTHMM(1)
    model.startprob_, model.transmat_ = [1.0], [[1.0]]
    model.locations_, model.scales_, model.freedoms_ = [[2.0]], [[3.0]], [[0.8]]
    low, high = model.forecast([[0.0]]).interval(0.9)
    assert_allclose([low[0, 0], high[0, 0]], stats.t.ppf([0.05, 0.95], 0.8, 2.0, 3.0), rtol=1e-10)


def test_samples_have_the_moments_and_are_seeded():
    model = two_rates()
    forecast = model.forecast([[18.0]], 3, n_samples=20000, random_state=0)
    assert forecast.samples.shape == (20000, 3, 1)
    # Five standard errors of a mean, and of a variance whose fourth moment is below 3 variances squared.
    error = np.sqrt(forecast.variance / 20000)
    assert (np.abs(forecast.samples.mean(axis=0) - forecast.mean) < 5 * error).all()
    assert_allclose(forecast.samples.var(axis=0), forecast.variance, rtol=5 * np.sqrt(2 / 20000))
    again = model.forecast([[18.0]], 3, n_samples=20000, random_state=0)
    assert (again.samples == forecast.samples).all()
    assert model.forecast([[18.0]], 3).samples is None
    regression = random_hmm("linear-regression")
    u = np.zeros((4, 2))
    drawn = regression.forecast(np.ones((4, 1)), 2, inputs=u, future_inputs=u[:2], n_samples=3, random_state=1)
    assert drawn.samples.shape == (3, 2, 1)
    walk = scotopic.LinearGaussian.local_level()
    assert walk.forecast(np.arange(5.0), 2, n_samples=4, random_state=1).samples.shape == (4, 2, 1)


def test_intervals_cover_as_often_as_they_say():
    model = two_rates(1.0, 20.0)
    x, _ = model.sample(4000, random_state=0)
    live, inside = model.filter(), []
    for row in x:
        low, high = live.forecast().interval(0.9)
        inside.append(low[0, 0] <= row[0] <= high[0, 0])
        live.update(row)
    # Of whole numbers, at least; and no more than the two outermost add.
    assert 0.9 - 4 * np.sqrt(0.09 / 4000) < np.mean(inside) < 0.97


def test_what_cannot_be_asked():
    forecast = two_rates().forecast([[1.0]])
    for wrong in (0.0, 1.0, np.nan, "half"):
        with pytest.raises((SettingError, TypeError)):
            forecast.quantile(wrong)
    with pytest.raises(SettingError):
        forecast.interval(1.0)
    with pytest.raises(SettingError, match="n_samples"):
        two_rates().forecast([[1.0]], 2, n_samples=10**9)


def test_the_figure_of_symbols_shows_their_probabilities():
    model = random_hmm("categorical")
    svg = model.forecast(np.zeros((3, 1)), 4)._repr_svg_()
    assert "symbol 0" in svg and "symbol 4" in svg and "credible" not in svg


def test_quantiles_of_spike_counts_are_those_over_the_normal_belief():
    model = scotopic.PLDS(1)
    model.transition_, model.bias_, model.process_noise_ = [[0.9]], [0.0], [[0.3]]
    model.loadings_, model.offset_ = [[1.0], [-0.5]], [1.0, 0.5]
    model.initial_mean_, model.initial_covariance_ = [0.0], [[1.0]]
    x, _ = model.sample(20, random_state=0)
    live = model.filter()
    live.extend(x)
    mean, variance = float(live.belief[0]), float(live.covariance[0, 0])
    forecast = live.forecast(2)
    z, w = np.polynomial.hermite_e.hermegauss(80)
    counts = np.arange(400)
    for step in range(2):
        mean, variance = 0.9 * mean, 0.81 * variance + 0.3
        for neuron, (c, d) in enumerate([(1.0, 1.0), (-0.5, 0.5)]):
            rates = np.exp(d + c * (mean + np.sqrt(variance) * z))
            cdf = w / w.sum() @ stats.poisson.cdf(counts, rates[:, None])
            for p in (0.05, 0.5, 0.95):
                assert forecast.quantile(p)[step, neuron] == counts[np.argmax(cdf >= p)]
