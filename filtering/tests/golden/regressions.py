"""Golden numbers of regressions on inputs in hidden Markov models: writes regressions.json beside itself.

    python3 regressions.py

Nothing here is shared with the library: the forward–backward recursion in logarithms, EM with Newton's method on the whole
M-step objective, in numpy; regressions without states by statsmodels. Written with numpy 2, scipy 1, statsmodels 0.14.
"""

import json
import pathlib

import numpy as np
import statsmodels.api as sm
from scipy.special import expit, gammaln, logsumexp

T = 1500


def log_likelihood(family, y, x, e, w, v):
    """[T, K]"""
    eta = np.column_stack([np.ones(len(y)), x]) @ w.T
    if family == "logistic":
        return y[:, None] * eta - np.logaddexp(0, eta)
    if family == "poisson":
        rate = np.log(e)[:, None] + eta
        return y[:, None] * rate - np.exp(rate) - gammaln(y + 1)[:, None]
    return -0.5 * ((y[:, None] - eta) ** 2 / v + np.log(2 * np.pi * v))


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


def newton(family, y, x, e, q, w):
    x = np.column_stack([np.ones(len(y)), x])
    if family == "linear":
        w = np.linalg.solve(x.T * q @ x, x.T * q @ y)
        return w, np.sum(q * (y - x @ w) ** 2) / q.sum()
    for _ in range(50):
        mu = expit(x @ w) if family == "logistic" else e * np.exp(x @ w)
        curvature = mu * (1 - mu) if family == "logistic" else mu
        step = np.linalg.solve(x.T * (q * curvature) @ x, x.T * q @ (y - mu))
        w = w + step
        if np.abs(step).max() < 1e-13:
            break
    return w, 1.0


def fit(family, y, x, e, pi, a, w, v):
    last = -np.inf
    for _ in range(5000):
        ll, gamma, xi = smooth(pi, a, log_likelihood(family, y, x, e, w, v))
        if ll - last < 1e-11:
            break
        last = ll
        pi, a = gamma[0], xi / xi.sum(axis=1, keepdims=True)
        each = [newton(family, y, x, e, gamma[:, j], w[j]) for j in range(len(pi))]
        w, v = np.array([b for b, _ in each]), np.array([s for _, s in each])
    return ll, w, v


def simulate(family, rng, pi, a, w, v):
    states, rows = [], []
    s = rng.choice(len(pi), p=pi)
    previous = 0.0
    for t in range(T):
        if t:
            s = rng.choice(len(pi), p=a[s])
        contrast = rng.choice([-1.0, -0.5, -0.25, -0.125, 0.0, 0.125, 0.25, 0.5, 1.0])
        other = previous if family == "logistic" else round(rng.normal(), 3)
        e = round(rng.uniform(0.5, 4.0), 3) if family == "poisson" else 1.0
        eta = w[s] @ [1.0, contrast, other]
        if family == "logistic":
            y = float(rng.random() < expit(eta))
            previous = 2 * y - 1
        elif family == "poisson":
            y = float(rng.poisson(e * np.exp(eta)))
        else:
            y = round(eta + np.sqrt(v[s]) * rng.normal(), 4)
        states.append(s)
        rows.append([y, contrast, other] + ([e] if family == "poisson" else []))
    return np.array(rows)


CASES = {
    "logistic": ([0.4, 0.3, 0.3], [[0.97, 0.02, 0.01], [0.02, 0.96, 0.02], [0.02, 0.02, 0.96]],
                 [[0.0, 6.0, 0.1], [1.8, 1.0, 0.2], [-1.7, 1.2, 0.3]], [1.0, 1.0, 1.0]),
    "poisson": ([0.5, 0.5], [[0.95, 0.05], [0.1, 0.9]], [[0.2, 0.8, -0.3], [1.4, -0.6, 0.1]], [1.0, 1.0]),
    "linear": ([0.5, 0.5], [[0.9, 0.1], [0.1, 0.9]], [[2.0, 1.5, 0.5], [-1.0, -0.5, 1.0]], [0.25, 1.0]),
}


def main():
    rng = np.random.default_rng(17)
    out = {}
    for family, (pi, a, w, v) in CASES.items():
        pi, a, w, v = map(np.array, (pi, a, w, v))
        rows = simulate(family, rng, pi, a, w, v)
        y, x = rows[:, 0], rows[:, 1:3]
        e = rows[:, 3] if family == "poisson" else np.ones(T)
        at_truth = smooth(pi, a, log_likelihood(family, y, x, e, w, v))[0]
        ll, fitted, variances = fit(family, y, x, e, pi, a, w, v)
        design = sm.add_constant(x)
        if family == "logistic":
            one = sm.Logit(y, design).fit(disp=0, tol=1e-12)
        elif family == "poisson":
            one = sm.GLM(y, design, family=sm.families.Poisson(), exposure=e).fit(tol=1e-14)
        else:
            one = sm.OLS(y, design).fit()
        # OLS divides by n − 3, maximum likelihood by n.
        share = np.sqrt((T - 3) / T) if family == "linear" else 1.0
        out[family] = {
            "initial": pi.tolist(), "transition": a.tolist(), "weights": w.tolist(), "variances": v.tolist(),
            "rows": rows.tolist(), "at_truth": at_truth,
            "fit": {"log_evidence": ll, "weights": fitted.tolist(), "variances": variances.tolist()},
            "one": {"log_evidence": float(one.llf), "weights": one.params.tolist(),
                    "standard_errors": (share * one.bse).tolist()},
        }
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(out, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
