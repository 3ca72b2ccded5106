#!/usr/bin/env python3
"""Golden numbers of linear-Gaussian models with inputs, by statsmodels.

    python driven.py FOLDER_OF_SERIES > driven.json

FOLDER_OF_SERIES has macrodata.csv (datasets/series of this repository). Made with statsmodels 0.15.0, scipy 1.17.1, numpy 2.4.6.

ln p of diffuse starts is that of the exact diffuse filter plus ln(2 pi)/2 for each diffuse state: the library does not count it.
"""

import json
import pathlib
import sys

import numpy as np
from scipy import optimize
from statsmodels.tsa.statespace.kalman_smoother import KalmanSmoother
from statsmodels.tsa.statespace.structural import UnobservedComponents

out = {}


def smoother(y, F, b, Q, H, d, R):
    """b, d and H of every row: b[t] moves x_{t-1} to x_t."""
    T, m = y.shape
    n = F.shape[0]
    model = KalmanSmoother(k_endog=m, k_states=n)
    model.bind(np.ascontiguousarray(y))
    model["transition"] = F
    # statsmodels moves x_t to x_{t+1} by entry t.
    model["state_intercept"] = np.vstack([b[1:], np.zeros((1, n))]).T
    model["state_cov"] = Q
    model["selection"] = np.eye(n)
    model["design"] = np.transpose(H, (1, 2, 0))
    model["obs_intercept"] = d.T
    model["obs_cov"] = R
    return model


# Control, direct input and a regressor at once, with missing entries.
rng = np.random.default_rng(17)
T, n, m, M = 60, 2, 2, 2
F = np.array([[0.9, 0.2], [-0.1, 0.7]])
b = np.array([0.1, -0.2])
B = np.array([[0.5, 0.0], [0.3, -0.4]])
Q = np.array([[0.2, 0.05], [0.05, 0.1]])
d = np.array([1.0, -0.5])
D = np.array([[0.0, 2.0], [0.7, -0.3]])
R = np.array([[0.3, 0.1], [0.1, 0.2]])
m0, P0 = np.array([0.4, -0.3]), np.array([[1.0, 0.2], [0.2, 0.5]])
u = np.column_stack([np.sin(0.3 * np.arange(T)), rng.normal(size=T)])
H = np.tile(np.array([[1.0, 0.5], [0.2, 0.0]]), (T, 1, 1))
H[:, 1, 1] = u[:, 0]
x = rng.multivariate_normal(m0, P0)
y = np.empty((T, m))
for t in range(T):
    if t:
        x = F @ x + b + B @ u[t] + rng.multivariate_normal(np.zeros(n), Q)
    y[t] = H[t] @ x + d + D @ u[t] + rng.multivariate_normal(np.zeros(m), R)
y[7, 0] = y[20, 1] = np.nan
y[33] = np.nan
model = smoother(y, F, b + u @ B.T, Q, H, d + u @ D.T, R)
model.initialize_known(m0, P0)
found = model.smooth()
rows = np.column_stack([y, u])
out["known"] = {
    "rows": [[None if np.isnan(v) else v for v in row] for row in rows.tolist()],
    "transition": F.tolist(), "bias": b.tolist(), "control": B.tolist(), "process_noise": Q.tolist(),
    "observation": [[1.0, 0.5], [0.2, "a"]], "offset": d.tolist(), "direct": D.tolist(), "observation_noise": R.tolist(),
    "initial_mean": m0.tolist(), "initial_covariance": P0.tolist(),
    "log_evidence": float(found.llf),
    "smoothed_mean": found.smoothed_state.T.tolist(),
    "smoothed_covariance": np.transpose(found.smoothed_state_cov, (2, 0, 1)).reshape(T, -1).tolist(),
}

# Regressions of US inflation on unemployment, coefficients as states from an exact diffuse start.
text = (pathlib.Path(sys.argv[1]) / "macrodata.csv").read_text().split()
names = [name.strip('"') for name in text[0].split(",")]
table = np.array([[float(v.strip('"')) for v in row.split(",")] for row in text[1:]])
infl, unemp = table[:, names.index("infl")], table[:, names.index("unemp")]

static = UnobservedComponents(infl, level="llevel", exog=unemp, mle_regression=False, use_exact_diffuse=True)
best = max((static.fit(disp=0, maxiter=5000, method=how) for how in ("lbfgs", "nm", "powell")), key=lambda f: f.llf)
diffuse = np.log(2 * np.pi)
given = [2.0, 0.5]
out["static"] = {
    "given": given, "log_likelihood": float(static.loglike(given) + diffuse),
    "best": [float(v) for v in best.params], "best_log_likelihood": float(best.llf + diffuse),
    "coefficient": [float(best.filtered_state[1, -1]), float(np.sqrt(best.filtered_state_cov[1, 1, -1]))],
}


def walking(parameters):
    """ln p at variances of irregular, level, coefficient."""
    irregular, level, walk = parameters
    H = np.ones((len(infl), 1, 2))
    H[:, 0, 1] = unemp
    zeros = np.zeros((len(infl), 1))
    model = smoother(infl[:, None], np.eye(2), np.zeros((len(infl), 2)), np.diag([level, walk]), H, zeros, np.array([[irregular]]))
    model.initialize_diffuse()
    return model.loglike() + diffuse


ends = [optimize.minimize(lambda p: -walking(np.exp(p)), start, method="Nelder-Mead", options={"maxiter": 4000, "xatol": 1e-8, "fatol": 1e-10})
        for start in ([0.5, -1.0, -5.0], [1.0, -3.0, -3.0], [0.0, -6.0, -4.0])]
end = min(ends, key=lambda e: e.fun)
given = [2.0, 0.5, 0.01]
out["walking"] = {"given": given, "log_likelihood": float(walking(given)), "best": np.exp(end.x).tolist(),
                  "best_log_likelihood": float(-end.fun)}

# Maximum likelihood of an input in the state and one in the observation of a stationary state of one number.
T = 200
v = rng.normal(size=T)
x, y = 0.0, np.empty(T)
for t in range(T):
    x = (0.8 * x + 0.6 * v[t] + 0.5 * rng.normal()) if t else rng.normal()
    y[t] = x + 3.0 + 0.7 * rng.normal()


def scalar(p):
    f, effect, q, offset, direct, r = p
    # H = 1, b = 0, x_1 ~ N(0, 1).
    H = np.ones((T, 1, 1))
    model = smoother(y[:, None], np.array([[f]]), (effect * v)[:, None], np.array([[q * q]]), H, (offset + direct * v)[:, None],
                     np.array([[r * r]]))
    model.initialize_known(np.zeros(1), np.eye(1))
    return model.loglike()


ends = []
for start in ([0.5, 0.1, 1.0, y.mean(), 0.1, 1.0], [0.9, 1.0, 0.3, y.mean(), -0.5, 0.3]):
    found = optimize.minimize(lambda p: -scalar(p), start, method="Nelder-Mead", options={"maxiter": 20000, "xatol": 1e-9, "fatol": 1e-11})
    ends.append(found)
end = min(ends, key=lambda e: e.fun)
out["scalar"] = {"rows": np.column_stack([y, v]).tolist(), "best": np.abs(end.x).tolist(), "best_log_likelihood": float(-end.fun)}
print(json.dumps(out))
