#!/usr/bin/env python3
"""Golden numbers of a switching linear dynamical system, by numpy alone.

    python slds.py > slds.json

- `exact`: ln p and the posterior of regimes and states by enumeration of all K^T paths; the density of all observations given a path is one
  Gaussian, whose mean and covariance are built from the dynamics as a whole, without a filter.
- `elbo`: the highest bound of q(s) q(x), from many random starts: q(x) is one Gaussian over all states by the sum of expected quadratic
  forms, q(s) by enumeration of its paths.
- `score`: the log forecasts of the filter that collapses to K Gaussians, textbook Kalman updates.

Made with numpy 2.4.6.
"""

import itertools
import json

import numpy as np

rng = np.random.default_rng(8)
K, n, m, T = 2, 2, 2, 6
pi = np.array([0.7, 0.3])
A = np.array([[0.85, 0.15], [0.3, 0.7]])
F = np.array([[[0.9, 0.2], [-0.1, 0.8]], [[0.3, -0.6], [0.5, 0.4]]])
b = np.array([[0.1, 0.0], [-0.8, 0.6]])
Q = np.array([[[0.2, 0.05], [0.05, 0.1]], [[0.9, -0.2], [-0.2, 0.6]]])
H = np.array([[[1.0, 0.5], [0.0, 1.0]], [[1.0, 0.5], [0.2, 1.1]]])
d = np.array([[0.0, 0.3], [0.4, -0.2]])
R = np.array([[[0.3, 0.1], [0.1, 0.4]], [[0.5, 0.0], [0.0, 0.2]]])
m0, P0 = np.array([0.2, -0.3]), np.array([[1.0, 0.3], [0.3, 0.8]])

y = rng.normal(size=(T, m)) * 1.3
y[2, 1] = np.nan
y[4, :] = np.nan
seen = ~np.isnan(y)


def log_normal(x, mean, cov):
    r = x - mean
    return -0.5 * (len(r) * np.log(2 * np.pi) + np.linalg.slogdet(cov)[1] + r @ np.linalg.solve(cov, r))


def log_prior(path):
    return np.log(pi[path[0]]) + sum(np.log(A[i, j]) for i, j in zip(path, path[1:]))


def law_of_states(path):
    mean, cov = np.zeros(T * n), np.zeros((T * n, T * n))
    mean[:n], cov[:n, :n] = m0, P0
    for t in range(1, T):
        k, now, before = path[t], slice(t * n, (t + 1) * n), slice((t - 1) * n, t * n)
        mean[now] = F[k] @ mean[before] + b[k]
        cov[now, : t * n] = F[k] @ cov[before, : t * n]
        cov[: t * n, now] = cov[now, : t * n].T
        cov[now, now] = F[k] @ cov[before, before] @ F[k].T + Q[k]
    return mean, cov


def seen_through(path):
    big, offset, noise = np.zeros((T * m, T * n)), np.zeros(T * m), np.zeros((T * m, T * m))
    for t, k in enumerate(path):
        rows, columns = slice(t * m, (t + 1) * m), slice(t * n, (t + 1) * n)
        big[rows, columns], offset[rows], noise[rows, rows] = H[k], d[k], R[k]
    there = seen.ravel()
    return big[there], offset[there], noise[np.ix_(there, there)]


PATHS = list(itertools.product(range(K), repeat=T))


def exact():
    logs, means, covs = [], [], []
    for path in PATHS:
        mean, cov = law_of_states(path)
        big, offset, noise = seen_through(path)
        spread = big @ cov @ big.T + noise
        expected = big @ mean + offset
        logs.append(log_prior(path) + log_normal(y[seen], expected, spread))
        gain = np.linalg.solve(spread, big @ cov).T
        means.append(mean + gain @ (y[seen] - expected))
        covs.append(cov - gain @ big @ cov)
    logs = np.array(logs)
    log_p = np.logaddexp.reduce(logs)
    w = np.exp(logs - log_p)
    mean = np.einsum("p,pi->i", w, np.array(means))
    regimes = [[sum(w[i] for i, path in enumerate(PATHS) if path[t] == k) for k in range(K)] for t in range(T)]
    return log_p, logs, regimes, mean.reshape(T, n)


def elbo():
    inverse = np.linalg.inv
    best = -np.inf
    for _ in range(60):
        q = rng.dirichlet(np.ones(K) * 0.5, size=T)
        last = -np.inf
        while True:
            J, h = np.zeros((T * n, T * n)), np.zeros(T * n)
            J[:n, :n] += inverse(P0)
            h[:n] += inverse(P0) @ m0
            for t in range(T):
                now, before = slice(t * n, (t + 1) * n), slice((t - 1) * n, t * n)
                for k in range(K):
                    g, s = q[t, k], seen[t]
                    if s.any():
                        W, Hs = inverse(R[k][np.ix_(s, s)]), H[k][s]
                        J[now, now] += g * Hs.T @ W @ Hs
                        h[now] += g * Hs.T @ W @ (y[t, s] - d[k][s])
                    if t:
                        W = inverse(Q[k])
                        J[now, now] += g * W
                        J[now, before] -= g * W @ F[k]
                        J[before, now] -= g * F[k].T @ W
                        J[before, before] += g * F[k].T @ W @ F[k]
                        h[now] += g * W @ b[k]
                        h[before] -= g * F[k].T @ W @ b[k]
            C = inverse(J)
            mu = C @ h
            ell = np.zeros((T, K))
            for t in range(T):
                now, before = slice(t * n, (t + 1) * n), slice((t - 1) * n, t * n)
                for k in range(K):
                    s = seen[t]
                    if s.any():
                        W, Hs = R[k][np.ix_(s, s)], H[k][s]
                        ell[t, k] += log_normal(y[t, s], Hs @ mu[now] + d[k][s], W)
                        ell[t, k] -= 0.5 * np.trace(np.linalg.solve(W, Hs @ C[now, now] @ Hs.T))
                    if t:
                        r = np.hstack([-F[k], np.eye(n)])
                        pair = slice((t - 1) * n, (t + 1) * n)
                        ell[t, k] += log_normal(r @ mu[pair], b[k], Q[k])
                        ell[t, k] -= 0.5 * np.trace(np.linalg.solve(Q[k], r @ C[pair, pair] @ r.T))
            logs = np.array([log_prior(p) + sum(ell[t, k] for t, k in enumerate(p)) for p in PATHS])
            total = np.logaddexp.reduce(logs)
            w = np.exp(logs - total)
            q = np.array([[sum(w[i] for i, p in enumerate(PATHS) if p[t] == k) for k in range(K)] for t in range(T)])
            start = log_normal(mu[:n], m0, P0) - 0.5 * np.trace(np.linalg.solve(P0, C[:n, :n]))
            entropy = 0.5 * (T * n * np.log(2 * np.pi * np.e) + np.linalg.slogdet(C)[1])
            bound = total + start + entropy
            if bound - last < 1e-13:
                break
            last = bound
        if bound > best:
            best, found = bound, (q.copy(), mu.reshape(T, n).copy())
    return best, found


def score():
    parts = [(pi[k], m0, P0) for k in range(K)]
    sums, regimes, total = [], [], 0.0
    for t in range(T):
        joint = []
        for j in range(K):
            for i in range(K):
                if t == 0 and i != j:
                    continue
                w, mean, cov = parts[i]
                if t:
                    w, mean, cov = w * A[i, j], F[j] @ mean + b[j], F[j] @ cov @ F[j].T + Q[j]
                s = seen[t]
                log_w = np.log(w)
                if s.any():
                    Hs, Rs = H[j][s], R[j][np.ix_(s, s)]
                    spread = Hs @ cov @ Hs.T + Rs
                    expected = Hs @ mean + d[j][s]
                    log_w += log_normal(y[t, s], expected, spread)
                    gain = np.linalg.solve(spread, Hs @ cov).T
                    mean, cov = mean + gain @ (y[t, s] - expected), cov - gain @ Hs @ cov
                joint.append((j, log_w, mean, cov))
        step = np.logaddexp.reduce([part[1] for part in joint])
        total += step
        sums.append(total)
        parts = []
        for j in range(K):
            own = [part for part in joint if part[0] == j]
            w = np.exp(np.array([part[1] for part in own]) - step)
            weight = w.sum()
            w = w / weight
            mean = sum(a * part[2] for a, part in zip(w, own))
            cov = sum(a * (part[3] + np.outer(part[2] - mean, part[2] - mean)) for a, part in zip(w, own))
            parts.append((weight, mean, cov))
        regimes.append([part[0] for part in parts])
    return sums, regimes, [part[1].tolist() for part in parts]


log_p, logs, regimes, means = exact()
bound, (bound_regimes, bound_means) = elbo()
sums, filtered, components = score()
print(
    json.dumps(
        {
            "initial": pi.tolist(),
            "transition": A.tolist(),
            "initial_mean": m0.tolist(),
            "initial_covariance": P0.tolist(),
            "regimes": [
                {
                    "transition": F[k].tolist(),
                    "bias": b[k].tolist(),
                    "process_noise": Q[k].tolist(),
                    "observation": H[k].tolist(),
                    "offset": d[k].tolist(),
                    "observation_noise": R[k].tolist(),
                }
                for k in range(K)
            ],
            "y": [[None if np.isnan(v) else v for v in row] for row in y],
            "log_p": log_p,
            "path": [0, 0, 1, 1, 1, 0],
            "path_log_joint": logs[PATHS.index((0, 0, 1, 1, 1, 0))],
            "exact_regimes": regimes,
            "exact_means": means.tolist(),
            "elbo": bound,
            "elbo_regimes": bound_regimes.tolist(),
            "elbo_means": bound_means.tolist(),
            "score": sums,
            "filtered_regimes": filtered,
            "last_components": components,
        },
        indent=1,
    )
)
