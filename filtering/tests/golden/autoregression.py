"""Golden numbers of autoregressions in hidden Markov models: writes autoregression.json beside itself.

    python3 autoregression.py

Nothing here is shared with the library: the forward-backward recursion in logarithms and EM with least squares, in numpy. The
likelihood is conditional: a row of which a lag is missing has density 1. Of a row that is missing in part, the marginal density
of the entries that are there. Written with numpy 2, scipy 1.
"""

import json
import pathlib

import numpy as np
from scipy.special import logsumexp
from scipy.stats import multivariate_normal


def log_likelihood(x, b, a, c):
    """[T, K] for x [T, D], b [K, D], a [K, p, D, D], c [K, D, D]"""
    n, k, p = len(x), len(b), a.shape[1]
    l = np.zeros((n, k))
    for t in range(p, n):
        lags = [x[t - 1 - i] for i in range(p)]
        there = ~np.isnan(x[t])
        if np.isnan(lags).any() or not there.any():
            continue
        for j in range(k):
            mean = b[j] + sum(a[j, i] @ lags[i] for i in range(p))
            l[t, j] = multivariate_normal.logpdf(
                x[t][there], mean[there], c[j][np.ix_(there, there)]
            )
    return l


def smooth(pi, a, l):
    n, k = l.shape
    with np.errstate(divide="ignore"):
        log_pi, log_a = np.log(pi), np.log(a)
    alpha, beta = np.empty((n, k)), np.zeros((n, k))
    alpha[0] = log_pi + l[0]
    for t in range(1, n):
        alpha[t] = logsumexp(alpha[t - 1][:, None] + log_a, axis=0) + l[t]
    for t in range(n - 2, -1, -1):
        beta[t] = logsumexp(log_a + (l[t + 1] + beta[t + 1])[None, :], axis=1)
    ll = logsumexp(alpha[-1])
    pairs = alpha[:-1, :, None] + log_a[None] + (l[1:] + beta[1:])[:, None, :] - ll
    return ll, np.exp(alpha + beta - ll), np.exp(logsumexp(pairs, axis=0))


def fit(x, pi, trans, b, a, c):
    """EM on whole rows, to its end."""
    k, p, d = a.shape[:3]
    g = np.column_stack([np.ones(len(x) - p)] + [x[p - 1 - i : len(x) - 1 - i] for i in range(p)])
    last = -np.inf
    for _ in range(20000):
        ll, gamma, xi = smooth(pi, trans, log_likelihood(x, b, a, c))
        if ll - last < 1e-12:
            break
        last = ll
        pi, trans = gamma[0], xi / xi.sum(axis=1, keepdims=True)
        b, a, c = b.copy(), a.copy(), c.copy()
        for j in range(k):
            q = gamma[p:, j]
            w = np.linalg.lstsq(g * np.sqrt(q)[:, None], x[p:] * np.sqrt(q)[:, None], rcond=None)[0].T
            e = x[p:] - g @ w.T
            b[j], c[j] = w[:, 0], (e * q[:, None]).T @ e / q.sum()
            a[j] = w[:, 1:].reshape(d, p, d).transpose(1, 0, 2)
    return ll, b, a, c


def simulate(rng, n, pi, trans, b, a, c):
    k, p, d = a.shape[:3]
    past, rows, s = [np.zeros(d)] * p, [], rng.choice(k, p=pi)
    for t in range(n):
        if t:
            s = rng.choice(k, p=trans[s])
        mean = b[s] + sum(a[s, i] @ past[i] for i in range(p))
        x = np.round(rng.multivariate_normal(mean, c[s]), 4)
        rows.append(x)
        past = [x] + past[:-1]
    return np.array(rows)


def case(rng, n, b, a, c, missing):
    b, a, c = np.array(b), np.array(a), np.array(c)
    pi, trans = np.array([0.6, 0.4]), np.array([[0.96, 0.04], [0.07, 0.93]])
    x = simulate(rng, n, pi, trans, b, a, c)
    ll, gamma, _ = smooth(pi, trans, log_likelihood(x, b, a, c))
    fitted, fb, fa, fc = fit(x, pi, trans, b, a, c)
    holes = x.copy()
    for t, i in missing:
        holes[t, i] = np.nan
    part, part_gamma, _ = smooth(pi, trans, log_likelihood(holes, b, a, c))
    return {
        "initial": pi.tolist(), "transition": trans.tolist(),
        "intercepts": b.tolist(), "coefficients": a.tolist(), "covariances": c.tolist(),
        "rows": x.tolist(), "missing": missing,
        "log_evidence": ll, "first_state": gamma[::97, 0].tolist(),
        "log_evidence_missing": part, "first_state_missing": part_gamma[::97, 0].tolist(),
        "fit": {"log_evidence": fitted, "intercepts": fb.tolist(), "coefficients": fa.tolist(), "covariances": fc.tolist()},
    }


rng = np.random.default_rng(17)
cases = {
    "scalar": case(
        rng, 1200, [[0.0], [1.0]], [[[[1.5]], [[-0.8]]], [[[0.3]], [[0.1]]]], [[[0.25]], [[1.0]]],
        [[200, 0], [201, 0], [500, 0]],
    ),
    "vector": case(
        rng, 900, [[0.0, 0.5], [-0.3, 0.0]],
        [[[[0.9, 0.2], [-0.2, 0.9]]], [[[0.2, 0.0], [0.4, -0.5]]]],
        [[[0.3, 0.1], [0.1, 0.2]], [[1.0, -0.4], [-0.4, 0.6]]],
        [[100, 0], [101, 0], [101, 1], [300, 1], [600, 0]],
    ),
}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(cases) + "\n")
for name, found in cases.items():
    print(name, found["log_evidence"], found["log_evidence_missing"], found["fit"]["log_evidence"])
