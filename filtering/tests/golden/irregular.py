#!/usr/bin/env python3
"""Golden numbers of linear models of continuous time seen at irregular times: numpy and scipy.linalg.expm alone.

    python irregular.py > irregular.json

Made with scipy 1.17.1, numpy 2.4.6.
"""

import json

import numpy as np
from scipy.linalg import expm, solve_continuous_lyapunov

rng = np.random.default_rng(5)
A = np.array([[-0.3, 1.0], [-1.2, -0.1]])
b = np.array([0.2, -0.1])
B = np.array([[0.5], [0.0]])
Qc = np.array([[0.3, 0.1], [0.1, 0.2]])
H = np.array([[1.0, 0.0], [0.5, 1.0]])
d = np.array([0.5, 0.0])
D = np.array([[0.0], [1.5]])
R = np.array([[0.2, 0.05], [0.05, 0.3]])
T, n = 50, 2
gaps = rng.exponential(1.0, size=T - 1)
gaps[10], gaps[20], gaps[30] = 0.0, 60.0, 1e-6
times = 3.0 + np.concatenate([[0.0], np.cumsum(gaps)])
u = np.sin(times)


def transition(gap):
    """F, integral of exp(As), Q over the gap; the last by one exponential of Van Loan where it is accurate, in parts elsewhere."""
    parts = max(1, int(np.ceil(gap)))
    h = gap / parts
    block = np.zeros((2 * n, 2 * n))
    block[:n, :n], block[:n, n:], block[n:, n:] = -A, Qc, A.T
    whole = expm(h * block)
    F1 = whole[n:, n:].T
    Q1 = F1 @ whole[:n, n:]
    F, Q = np.eye(n), np.zeros((n, n))
    for _ in range(parts):
        F, Q = F1 @ F, F1 @ Q @ F1.T + Q1
    both = np.zeros((2 * n, 2 * n))
    both[:n, :n], both[:n, n:] = A, np.eye(n)
    return F, expm(gap * both)[:n, n:], Q


P0 = solve_continuous_lyapunov(A, -Qc)
m0 = np.linalg.solve(A, -b)
steps = [None] + [transition(gap) for gap in gaps]
x = rng.multivariate_normal(m0, P0)
y = np.empty((T, 2))
for t in range(T):
    if t:
        F, J, Q = steps[t]
        x = F @ x + J @ (b + B[:, 0] * u[t]) + np.linalg.cholesky(Q + 1e-300 * np.eye(n) if gaps[t - 1] == 0 else Q) @ rng.normal(size=n)
    y[t] = H @ x + d + D[:, 0] * u[t] + rng.multivariate_normal(np.zeros(2), R)
y[5, 0] = y[25, 1] = np.nan
y[40] = np.nan

m, P, log = m0, P0, 0.0
filtered, predicted = [], []
for t in range(T):
    if t:
        F, J, Q = steps[t]
        m, P = F @ m + J @ (b + B[:, 0] * u[t]), F @ P @ F.T + Q
    predicted.append((m, P))
    seen = ~np.isnan(y[t])
    if seen.any():
        h = H[seen]
        v = y[t, seen] - h @ m - d[seen] - D[seen, 0] * u[t]
        S = h @ P @ h.T + R[np.ix_(seen, seen)]
        K = P @ h.T @ np.linalg.inv(S)
        log -= 0.5 * (len(v) * np.log(2 * np.pi) + np.linalg.slogdet(S)[1] + v @ np.linalg.solve(S, v))
        m, P = m + K @ v, P - K @ S @ K.T
    filtered.append((m, P))
smoothed = [filtered[-1]]
for t in range(T - 2, -1, -1):
    F = steps[t + 1][0]
    m, P = filtered[t]
    mp, Pp = predicted[t + 1]
    G = np.linalg.solve(Pp, F @ P).T
    ms, Ps = smoothed[-1]
    smoothed.append((m + G @ (ms - mp), P + G @ (Ps - Pp) @ G.T))
smoothed.reverse()
rows = np.column_stack([y, u, times])
print(json.dumps({
    "rows": [[None if np.isnan(v) else v for v in row] for row in rows.tolist()],
    "drift": A.tolist(), "bias": b.tolist(), "control": B.tolist(), "diffusion": Qc.tolist(), "observation": H.tolist(),
    "offset": d.tolist(), "direct": D.tolist(), "observation_noise": R.tolist(),
    "initial_mean": m0.tolist(), "initial_covariance": P0.tolist(),
    "log_evidence": float(log),
    "smoothed_mean": [m.tolist() for m, _ in smoothed],
    "smoothed_covariance": [P.reshape(-1).tolist() for _, P in smoothed],
    "gaps": [0.01, 0.7, 5.0, 60.0],
    "transitions": [[M.reshape(-1).tolist() for M in transition(gap)] for gap in [0.01, 0.7, 5.0, 60.0]],
}))
