"""Equality of the Kalman filter and smoother with statsmodels, given parameters."""

import numpy as np
import pytest
from conftest import random_walk
from numpy.testing import assert_allclose

import scotopic

pytest.importorskip("statsmodels")
from statsmodels.tsa.statespace.mlemodel import MLEModel  # noqa: E402

#: Both are recursions in double precision over the same matrices.
RTOL = 1e-10


def theirs(model, y):
    """The smoother of statsmodels with the same matrices. Its first state is x_1, as here."""
    n, m = model.transition_.shape[0], model.observation_.shape[0]
    peer = MLEModel(y, k_states=n, k_posdef=n)
    ssm = peer.ssm
    ssm["design"], ssm["transition"] = model.observation_, model.transition_
    ssm["selection"] = np.eye(n)
    ssm["obs_cov"], ssm["state_cov"] = model.observation_noise_, model.process_noise_
    ssm["obs_intercept"] = model.offset_.reshape(m, 1)
    ssm["state_intercept"] = model.bias_.reshape(n, 1)
    ssm.initialize_known(model.initial_mean_.copy(), model.initial_covariance_.copy())
    ssm.filter_conventional = True
    # It stops updating covariances when they change by less than this, else: not the same computation.
    ssm.tolerance = 0.0
    return ssm.smooth()


@pytest.mark.parametrize("n,m", [(1, 1), (2, 3), (4, 2)])
def test_filter_smoother_and_evidence(n, m):
    model = random_walk(n=n, m=m)
    y, _ = model.sample(300, random_state=1)
    y[50:60] = np.nan
    y[200] = np.nan
    y[100:110, 0] = np.nan  # of one column, all that there is; of more, a part of the row
    peer = theirs(model, y)
    assert_allclose(model.score(y), peer.llf, rtol=RTOL)
    filtered, smoothed = model.filtered(y), model.smooth(y)
    scale = np.abs(peer.smoothed_state).max()
    assert_allclose(filtered.means, peer.filtered_state.T, rtol=RTOL, atol=RTOL * scale)
    assert_allclose(filtered.covariances, peer.filtered_state_cov.transpose(2, 0, 1), rtol=RTOL, atol=RTOL)
    # The smoother of statsmodels sums along another path (disturbances, not kernels): a digit less is common.
    assert_allclose(smoothed.means, peer.smoothed_state.T, rtol=RTOL, atol=10 * RTOL * scale)
    assert_allclose(smoothed.covariances, peer.smoothed_state_cov.transpose(2, 0, 1), rtol=RTOL, atol=10 * RTOL)
    means, covariances = model.predict(y, return_cov=True)
    assert_allclose(means, peer.forecasts.T, rtol=RTOL, atol=RTOL * np.abs(peer.forecasts).max())
    seen = ~np.isnan(y).any(axis=1)
    assert_allclose(covariances[seen], peer.forecasts_error_cov.transpose(2, 0, 1)[seen], rtol=RTOL, atol=RTOL)


def test_an_exact_diffuse_start():
    level = scotopic.LinearGaussian.of([[1.0]], [[1469.0]], [[1.0]], [[15099.0]], diffuse=[1])
    y = 900.0 + np.cumsum(np.random.default_rng(0).normal(scale=40.0, size=100)) + 100.0
    peer = MLEModel(y, k_states=1, k_posdef=1)
    for name, value in (
        ("design", 1.0),
        ("transition", 1.0),
        ("selection", 1.0),
        ("obs_cov", 15099.0),
        ("state_cov", 1469.0),
    ):
        peer.ssm[name] = [[value]]
    peer.ssm.initialize_diffuse()
    peer.ssm.tolerance = 0.0
    found = peer.ssm.smooth()
    # The observation that fixes the level has no density: statsmodels counts -1/2 ln 2 pi for it, this library nothing.
    assert_allclose(level.score(y), found.llf + 0.5 * np.log(2 * np.pi), rtol=RTOL)
    assert_allclose(level.smooth(y).means, found.smoothed_state.T, rtol=1e-9)
