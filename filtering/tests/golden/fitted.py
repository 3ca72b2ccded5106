#!/usr/bin/env python3
"""Golden numbers of smoothing, decoding, forecasts, residuals and standard errors, by statsmodels, hmmlearn and scipy.

    python fitted.py FOLDER_OF_SERIES > fitted.json

FOLDER_OF_SERIES has nile.csv and sunspots.csv (datasets/series of this repository). Made with statsmodels 0.15.0,
hmmlearn 0.3.3, scipy 1.17.1, numpy 2.4.6.
"""

import json
import pathlib
import sys

import numpy as np
from hmmlearn import hmm
from scipy import optimize, stats
from statsmodels.stats.diagnostic import acorr_ljungbox
from statsmodels.stats.stattools import jarque_bera
from statsmodels.tools.numdiff import approx_hess_cs
from statsmodels.tsa.statespace.kalman_smoother import KalmanSmoother


def column(name, index):
    rows = (pathlib.Path(sys.argv[1]) / name).read_text().split()[1:]
    return np.array([float(row.split(",")[index].strip('"')) for row in rows])


def kalman(y, F, Q, H, R, m0, P0, d=None):
    y = np.atleast_2d(np.asarray(y).T).T
    model = KalmanSmoother(k_endog=y.shape[1], k_states=len(m0), dtype=np.result_type(np.asarray(Q), np.asarray(R), float))
    model.bind(np.asarray(y, dtype=model.dtype))
    model["transition"] = np.asarray(F, dtype=model.dtype)
    model["state_cov"] = np.asarray(Q, dtype=model.dtype)
    model["selection"] = np.eye(len(m0))
    model["design"] = np.asarray(H, dtype=model.dtype)
    model["obs_cov"] = np.asarray(R, dtype=model.dtype)
    if d is not None:
        model["obs_intercept"] = np.asarray(d, dtype=model.dtype)
    model.initialize_known(np.asarray(m0, dtype=model.dtype), np.asarray(P0, dtype=model.dtype))
    return model


def tests(z):
    box = acorr_ljungbox(z, lags=[10])
    jb, jbp, skew, kurtosis = jarque_bera(z)
    h = int(np.round(len(z) / 3))
    ratio = np.sum(z[-h:] ** 2) / np.sum(z[:h] ** 2)
    p = 2 * min(stats.f.cdf(ratio, h, h), stats.f.sf(ratio, h, h))
    return {
        "ljung_box": [float(box["lb_stat"].iloc[0]), float(box["lb_pvalue"].iloc[0])],
        "jarque_bera": [float(jb), float(jbp)],
        "skew": float(skew), "kurtosis": float(kurtosis),
        "heteroscedasticity": [float(ratio), float(p)],
    }


def forecast_normal(mean, variance, levels):
    return [[float(stats.norm.ppf(p, m, np.sqrt(v))) for m, v in zip(mean, variance)] for p in levels]


LEVELS = [0.025, 0.1, 0.5, 0.9, 0.975]


def nile():
    y = column("nile.csv", 1)
    q, r = 1469.18, 15098.52
    model = kalman(y, [[1.0]], [[q]], [[1.0]], [[r]], [1000.0], [[1e5]])
    result = model.smooth()
    # Ten steps on: missing observations at the end.
    longer = kalman(np.append(y, np.full(10, np.nan)), [[1.0]], [[q]], [[1.0]], [[r]], [1000.0], [[1e5]]).filter()
    mean, variance = longer.forecasts[0, 100:], longer.forecasts_error_cov[0, 0, 100:]
    z = result.forecasts_error[0] / np.sqrt(result.forecasts_error_cov[0, 0])

    def loglike(theta):
        q, r = np.exp(theta)
        return kalman(y, [[1.0]], [[q]], [[1.0]], [[r]], [1000.0], [[1e5]]).loglike()

    theta = optimize.minimize(lambda t: -loglike(t), np.log([q, r]), method="Nelder-Mead",
                              options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 10000}).x
    covariance = np.linalg.inv(-approx_hess_cs(theta, loglike))
    best = np.exp(theta)
    return {
        "q": q, "r": r, "y": y.tolist(), "log_evidence": float(result.llf),
        "smoothed_mean": result.smoothed_state[0].tolist(),
        "smoothed_variance": result.smoothed_state_cov[0, 0].tolist(),
        "forecast_mean": mean.tolist(), "forecast_variance": variance.tolist(),
        "quantiles": forecast_normal(mean, variance, LEVELS), "levels": LEVELS,
        "residuals": z.tolist(), "tests": tests(z),
        "optimum": best.tolist(), "standard_errors": (best * np.sqrt(np.diag(covariance))).tolist(),
    }


def pair():
    rng = np.random.default_rng(3)
    y = np.cumsum(rng.normal(size=(80, 2)), axis=0)
    F, Q = [[0.9, 0.1], [-0.2, 0.7]], [[0.5, 0.1], [0.1, 0.8]]
    H, R, d = [[1.0, 0.5], [0.2, 1.0]], [[0.3, 0.1], [0.1, 0.6]], [[0.4], [-0.3]]
    result = kalman(y, F, Q, H, R, [0.0, 0.0], np.eye(2), d).smooth()
    z = result.forecasts_error / np.sqrt(np.einsum("iit->it", result.forecasts_error_cov))
    return {
        "y": y.tolist(), "transition": F, "process_noise": Q, "observation": H, "observation_noise": R,
        "offset": [0.4, -0.3], "residuals": z.tolist(), "tests": [tests(row) for row in z],
        "smoothed_mean": result.smoothed_state.T.tolist(),
    }


def counts():
    y = np.round(column("sunspots.csv", 1)).astype(int)
    model = hmm.PoissonHMM(n_components=3)
    model.startprob_ = np.array([0.5, 0.3, 0.2])
    model.transmat_ = np.array([[0.8, 0.15, 0.05], [0.2, 0.6, 0.2], [0.05, 0.25, 0.7]])
    model.lambdas_ = np.array([[12.0], [45.0], [95.0]])
    model.n_features = 1
    rows = y[:, None]
    log_joint, path = model.decode(rows, algorithm="viterbi")
    posterior = model.predict_proba(rows)
    weights = posterior[-1]
    steps = []
    for _ in range(5):
        weights = weights @ model.transmat_
        grid = np.arange(0, 400)
        cdf = (weights[:, None] * stats.poisson.cdf(grid, model.lambdas_)).sum(axis=0)
        steps.append({
            "mean": float(weights @ model.lambdas_[:, 0]),
            "quantiles": [int(grid[np.searchsorted(cdf, p)]) for p in LEVELS],
        })
    # Mid-quantile residuals, by the forward recursion.
    mid, ahead = [], model.startprob_.copy()
    for t in y:
        below = (ahead * stats.poisson.cdf(t - 1, model.lambdas_[:, 0])).sum()
        above = (ahead * stats.poisson.sf(t, model.lambdas_[:, 0])).sum()
        mass = ahead * stats.poisson.pmf(t, model.lambdas_[:, 0])
        u, v = below + 0.5 * mass.sum(), above + 0.5 * mass.sum()
        mid.append(float(stats.norm.ppf(u) if u < v else -stats.norm.ppf(v)))
        ahead = (mass / mass.sum()) @ model.transmat_
    return {
        "y": y.tolist(), "initial": model.startprob_.tolist(), "transition": model.transmat_.tolist(),
        "rates": model.lambdas_.tolist(), "log_evidence": float(model.score(rows)),
        "marginals": posterior.tolist(), "viterbi": path.tolist(), "log_joint": float(log_joint),
        "posterior_path": posterior.argmax(axis=1).tolist(), "levels": LEVELS, "forecast": steps, "mid_quantile": mid,
    }


def normals():
    y = column("sunspots.csv", 1)
    model = hmm.GaussianHMM(n_components=2, covariance_type="diag")
    model.startprob_ = np.array([0.6, 0.4])
    model.transmat_ = np.array([[0.9, 0.1], [0.2, 0.8]])
    model.means_ = np.array([[25.0], [85.0]])
    model.covars_ = np.array([[300.0], [900.0]])
    rows = y[:, None]
    posterior = model.predict_proba(rows)
    sd = np.sqrt([300.0, 900.0])
    weights, steps = posterior[-1], []
    for _ in range(4):
        weights = weights @ model.transmat_
        cdf = lambda x: float(weights @ stats.norm.cdf(x, model.means_[:, 0], sd))
        steps.append([optimize.brentq(lambda x: cdf(x) - p, -500, 500, xtol=1e-13, rtol=1e-15) for p in LEVELS])
    z, ahead = [], model.startprob_.copy()
    for t in y:
        u = (ahead * stats.norm.cdf(t, model.means_[:, 0], sd)).sum()
        v = (ahead * stats.norm.sf(t, model.means_[:, 0], sd)).sum()
        z.append(float(stats.norm.ppf(u) if u < v else -stats.norm.ppf(v)))
        mass = ahead * stats.norm.pdf(t, model.means_[:, 0], sd)
        ahead = (mass / mass.sum()) @ model.transmat_
    return {
        "y": y.tolist(), "log_evidence": float(model.score(rows)), "marginals": posterior.tolist(),
        "viterbi": model.decode(rows)[1].tolist(), "log_joint": float(model.decode(rows)[0]),
        "levels": LEVELS, "quantiles": steps, "residuals": z, "tests": tests(np.array(z)),
    }


json.dump({"nile": nile(), "pair": pair(), "counts": counts(), "normals": normals()}, sys.stdout, allow_nan=False)
