"""Golden numbers of hidden Markov models with inputs in their transitions: writes transitions.json beside itself.

    python3 transitions.py

Nothing here is shared with the library: the forward-backward and Viterbi recursions in logarithms, and BFGS of scipy on ln p by
differences, in numpy. A choice that is missing has density 1. Written with numpy 2, scipy 1.
"""

import json
import pathlib

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, logsumexp

T = 600
PI = np.array([0.5, 0.2, 0.3])
A = np.array([[0.9, 0.06, 0.04], [0.1, 0.85, 0.05], [0.0, 0.2, 0.8]])
ORIGIN = np.array([0.2, -0.1])
# w[i, j]: contrast, reward
W = np.array([
    [[0.0, 0.0], [1.2, -1.5], [-0.8, 0.5]],
    [[0.4, 1.6], [0.0, 0.0], [0.3, -0.4]],
    [[0.0, 0.0], [-0.5, 1.1], [0.2, 0.3]],
])
# A row for each state: constant, contrast, previous choice
BETA = np.array([[0.0, 5.0, 0.1], [1.6, 1.0, 0.2], [-1.7, 1.2, 0.3]])


def log_transitions(a, w, origin, v):
    with np.errstate(divide="ignore"):
        return log_softmax(np.log(a)[None] + np.einsum("ijm,tm->tij", w, v - origin), axis=2)


def log_likelihood(beta, y, x):
    eta = np.column_stack([np.ones(len(x)), x]) @ beta.T
    return np.where(np.isnan(y)[:, None], 0.0, np.nan_to_num(y)[:, None] * eta - np.logaddexp(0, eta))


def smooth(pi, log_a, l):
    n, k = l.shape
    alpha, beta = np.empty((n, k)), np.zeros((n, k))
    alpha[0] = np.log(pi) + l[0]
    for t in range(1, n):
        alpha[t] = logsumexp(alpha[t - 1][:, None] + log_a[t], axis=0) + l[t]
    for t in range(n - 2, -1, -1):
        beta[t] = logsumexp(log_a[t + 1] + (l[t + 1] + beta[t + 1])[None, :], axis=1)
    ll = logsumexp(alpha[-1])
    return ll, np.exp(alpha - logsumexp(alpha, axis=1, keepdims=True)), np.exp(alpha + beta - ll)


def viterbi(pi, log_a, l):
    best, back = np.log(pi) + l[0], []
    for t in range(1, len(l)):
        paths = best[:, None] + log_a[t]
        back.append(paths.argmax(axis=0))
        best = paths.max(axis=0) + l[t]
    path = [int(best.argmax())]
    for row in reversed(back):
        path.append(int(row[path[-1]]))
    return path[::-1], float(best.max())


def fit(y, x, v, start):
    """The two-state model of the largest ln p: pi, a, w of the transitions away, beta."""

    def unpack(z):
        pi = expit(np.array([z[0], -z[0]]))
        a = np.array([[expit(-z[1]), expit(z[1])], [expit(z[2]), expit(-z[2])]])
        w = np.zeros((2, 2, 2))
        w[0, 1], w[1, 0] = z[3:5], z[5:7]
        return pi, a, w, z[7:].reshape(2, 3)

    def negative(z):
        pi, a, w, beta = unpack(z)
        l, log_a = log_likelihood(beta, y, x), log_transitions(a, w, v.mean(axis=0) * 0, v)
        alpha = np.log(np.maximum(pi, 1e-300)) + l[0]
        for t in range(1, len(y)):
            alpha = logsumexp(alpha[:, None] + log_a[t], axis=0) + l[t]
        return -logsumexp(alpha)

    found = minimize(negative, start, method="BFGS", options={"gtol": 1e-4})
    return -found.fun, unpack(found.x)


def main():
    rng = np.random.default_rng(29)
    rows, s, previous = [], 0, 0.0
    for t in range(T):
        contrast, reward = rng.choice([-1.0, -0.5, 0.0, 0.5, 1.0]), float(rng.random() < 0.4)
        v = np.array([[contrast, reward]])
        p = PI if t == 0 else np.exp(log_transitions(A, W, ORIGIN, v)[0, s])
        s = rng.choice(3, p=p)
        y = float(rng.random() < expit(BETA[s] @ [1.0, contrast, previous]))
        rows.append([np.nan if rng.random() < 0.05 else y, contrast, previous, reward])
        previous = 2 * y - 1
    rows = np.array(rows)
    y, x, v = rows[:, 0], rows[:, 1:3], rows[:, [1, 3]]
    log_a, l = log_transitions(A, W, ORIGIN, v), log_likelihood(BETA, y, x)
    ll, filtered, smoothed = smooth(PI, log_a, l)
    path, joint = viterbi(PI, log_a, l)
    two = np.array([0.0, -2.0, -2.0, 1.0, -1.0, 0.0, 1.0, 0.0, 4.0, 0.0, 0.5, 1.0, 0.0])
    best, (_, _, w, beta) = fit(y, x, v, two)
    out = {
        "initial": PI.tolist(), "transition": A.tolist(), "origin": ORIGIN.tolist(), "weights": W.tolist(),
        "emission": BETA.tolist(), "rows": [[None if np.isnan(e) else e for e in row] for row in rows.tolist()],
        "log_evidence": ll, "filtered": filtered[::50].tolist(), "smoothed": smoothed[::50].tolist(),
        "path": path, "log_joint": joint,
        "fit": {"log_evidence": best, "away": [w[0, 1].tolist(), w[1, 0].tolist()], "emission": beta.tolist()},
    }
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(out, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
