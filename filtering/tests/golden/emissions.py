"""Golden numbers of Student t and negative binomial emissions: writes emissions.json beside itself.

    python3 emissions.py

Laws by scipy 1 (nbinom, t), their best fits by Nelder–Mead on its densities: nothing is shared with the library.
"""

import json
import pathlib

import numpy as np
from scipy import optimize, stats


def best(negative, start):
    for _ in range(20):
        found = optimize.minimize(negative, start, method="Nelder-Mead",
                                  options={"xatol": 1e-12, "fatol": 1e-13, "maxiter": 20000})
        if np.abs(found.x - start).max() < 1e-9:
            break
        start = found.x
    return found.x, -found.fun


def main():
    rng = np.random.default_rng(5)
    t_points, nb_points = [], []
    for location, scale, freedom in [(0.0, 1.0, 1.0), (2.0, 0.5, 3.5), (-1.0, 2.0, 40.0), (0.0, 1.0, 0.4), (3.0, 1.5, 2000.0)]:
        law = stats.t(freedom, location, scale)
        for y in [-7.0, -0.3, 0.0, 1.9, 2.5, 40.0]:
            t_points.append([location, scale, freedom, y, law.logpdf(y), law.cdf(y), law.sf(y)])
    for mean, shape in [(3.0, 1.0), (0.2, 0.5), (50.0, 4.0), (7.0, 300.0), (900.0, 2.5)]:
        law = stats.nbinom(shape, shape / (shape + mean))
        for y in [0, 1, 3, 12, 70, 800]:
            nb_points.append([mean, shape, y, law.logpmf(y), law.cdf(y), law.sf(y)])
    y = np.round(5.0 + 2.0 * rng.standard_t(3.0, size=400), 4)
    (m, log_scale, log_freedom), ll = best(
        lambda p: -stats.t.logpdf(y, np.exp(p[2]), p[0], np.exp(p[1])).sum(), np.array([5.0, 0.7, 1.0]))
    t_fit = {"y": y.tolist(), "location": m, "scale": np.exp(log_scale), "freedom": np.exp(log_freedom), "log_evidence": ll}
    e = np.round(rng.uniform(0.5, 3.0, size=400), 3)
    counts = rng.poisson(e * rng.gamma(2.0, 3.0, size=400))

    def negative(p):
        mean, shape = e * np.exp(p[0]), np.exp(p[1])
        return -stats.nbinom.logpmf(counts, shape, shape / (shape + mean)).sum()

    (log_mean, log_shape), ll = best(negative, np.array([1.8, 0.7]))
    nb_fit = {"rows": np.column_stack([counts, e]).tolist(), "mean": np.exp(log_mean), "shape": np.exp(log_shape),
              "log_evidence": ll}
    out = {"t": t_points, "negative_binomial": nb_points, "t_fit": t_fit, "negative_binomial_fit": nb_fit}
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(out, separators=(",", ":"), default=float) + "\n")


if __name__ == "__main__":
    main()
