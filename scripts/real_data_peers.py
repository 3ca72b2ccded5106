#!/usr/bin/env python3
"""The numbers of statsmodels and hmmlearn beside those of docs/real-data.md: the same models, the same series.

    pip install statsmodels==0.15.0 hmmlearn==0.3.3
    scripts/real_data_peers.py
"""

import csv
import pathlib
import tomllib

import numpy as np
from hmmlearn import hmm
from scipy import stats
from statsmodels.stats.diagnostic import acorr_ljungbox
from statsmodels.stats.stattools import jarque_bera
from statsmodels.tools.numdiff import approx_hess_cs
from statsmodels.tsa.statespace.kalman_smoother import KalmanSmoother

ROOT = pathlib.Path(__file__).resolve().parent.parent


def column(name, index):
    rows = list(csv.reader((ROOT / "datasets/series" / name).open()))[1:]
    return np.array([float(row[index]) if row[index] else np.nan for row in rows])


def model(name):
    return tomllib.loads((ROOT / "examples/series" / name).read_text())


def kalman(file, y, q=None, r=None):
    q = file["process_noise"] if q is None else q
    r = file["observation_noise"] if r is None else r
    kind = np.result_type(np.asarray(q), np.asarray(r), float)
    new = KalmanSmoother(k_endog=1, k_states=len(file["initial_mean"]), dtype=kind)
    new.bind(np.asarray(y, dtype=kind)[:, None])
    new["transition"], new["state_cov"] = np.asarray(file["transition"], dtype=kind), np.asarray(q, dtype=kind)
    new["selection"] = np.eye(len(file["initial_mean"]))
    new["design"], new["obs_cov"] = np.asarray(file["observation"], dtype=kind), np.asarray(r, dtype=kind)
    new.initialize_known(np.asarray(file["initial_mean"], dtype=kind), np.asarray(file["initial_covariance"], dtype=kind))
    return new


def markov(file):
    new = hmm.GaussianHMM(len(file["initial"]), covariance_type="diag")
    new.startprob_ = np.array(file["initial"])
    new.transmat_ = np.array(file["transition"])
    new.transmat_ /= new.transmat_.sum(axis=1, keepdims=True)
    new.means_, new.covars_ = np.array(file["emission"]["means"]), np.array(file["emission"]["variances"])
    return new


def say(what, *numbers):
    print(f"{what:<34}", *(f"{n:.6f}" if isinstance(n, float) else n for n in map(lambda n: n if isinstance(n, (str, int)) else float(n), numbers)))


nile, file = column("nile.csv", 1), model("nile-level.toml")
result = kalman(file, nile).smooth()
say("nile: ln p", result.llf)
say("nile: level of 1970, its variance", result.smoothed_state[0, -1], result.smoothed_state_cov[0, 0, -1])
say("nile: level of 1898", result.smoothed_state[0, 27])
ahead = kalman(file, np.append(nile, np.full(10, np.nan))).filter()
mean, sd = ahead.forecasts[0, -1], np.sqrt(ahead.forecasts_error_cov[0, 0, -1])
say("nile: 1980, 95 %", mean, *stats.norm.ppf([0.025, 0.975], mean, sd))
z = result.forecasts_error[0] / np.sqrt(result.forecasts_error_cov[0, 0])
box, bera = acorr_ljungbox(z, lags=[10]), jarque_bera(z)
say("nile: Ljung-Box, p", box["lb_stat"].iloc[0], box["lb_pvalue"].iloc[0])
say("nile: Jarque-Bera, p", bera[0], bera[1])
h = round(len(z) / 3)
ratio = (z[-h:] ** 2).sum() / (z[:h] ** 2).sum()
say("nile: variance ratio, p", ratio, 2 * min(stats.f.cdf(ratio, h, h), stats.f.sf(ratio, h, h)))
say("nile: years beyond 1 %", int((2 * stats.norm.sf(abs(z)) < 0.01).sum()))
theta = np.log([file["process_noise"][0][0], file["observation_noise"][0][0]])
hessian = approx_hess_cs(theta, lambda t: kalman(file, nile, [[np.exp(t[0])]], [[np.exp(t[1])]]).loglike())
say("nile: standard errors of Q, R", *(np.exp(theta) * np.sqrt(np.diag(np.linalg.inv(-hessian)))))
say("nile, one mean: ln p", kalman(model("nile-mean.toml"), nile).loglike())

co2 = column("co2.csv", 1)
result = kalman(model("co2-trend.toml"), co2).smooth()
say("co2: ln p", result.llf)
z = result.forecasts_error[0] / np.sqrt(result.forecasts_error_cov[0, 0])
z = z[~np.isnan(co2)]
box = acorr_ljungbox(z, lags=[10])
say("co2: Ljung-Box, p", box["lb_stat"].iloc[0], f"{box['lb_pvalue'].iloc[0]:.1e}")
say("co2: last level and slope", *result.smoothed_state[:, -1])
ahead = kalman(model("co2-trend.toml"), np.append(co2, np.full(4, np.nan))).filter()
mean, sd = ahead.forecasts[0, -1], np.sqrt(ahead.forecasts_error_cov[0, 0, -1])
say("co2: four weeks on, 80 %", mean, *stats.norm.ppf([0.1, 0.9], mean, sd))

spots, states = column("sunspots.csv", 1)[:, None], markov(model("sunspots-states.toml"))
say("sunspots: ln p", states.score(spots))
log_joint, path = states.decode(spots)
say("sunspots: ln p of the path", log_joint)
say("sunspots: years in each state", *(int((path == k).sum()) for k in range(3)))

inflation, states = column("macrodata.csv", 12)[:, None], markov(model("inflation-states.toml"))
say("inflation: ln p", states.score(inflation))
say("inflation: quarters of state 2", int((states.predict_proba(inflation).argmax(axis=1) == 1).sum()))
