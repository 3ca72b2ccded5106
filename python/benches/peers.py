#!/usr/bin/env python3
"""Times scotopic beside hmmlearn, statsmodels and others that are installed, in one run and interleaved.

    python python/benches/peers.py            prints a table
    python python/benches/peers.py --quick    the same from fewer repetitions

Every row is one task with the same model, data and answer for both; their log-likelihoods are compared first. The two
are run in turn, many times, and the least time of each counts: what else the machine does is left out as far as it can be.
Threads of other libraries are held to one.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import argparse
import time
import warnings

import numpy as np

import scotopic

warnings.filterwarnings("ignore")


def hmm_pair(kind, k, d, t):
    """A model, hmmlearn's with the same parameters, and data of both."""
    from hmmlearn import hmm

    rng = np.random.default_rng(k)
    if kind == "categorical":
        ours, theirs = scotopic.CategoricalHMM(k), hmm.CategoricalHMM(k)
        ours.emissionprob_ = theirs.emissionprob_ = rng.dirichlet(np.ones(d), size=k)
        theirs.n_features = d
    elif kind == "poisson":
        ours, theirs = scotopic.PoissonHMM(k), hmm.PoissonHMM(k)
        ours.lambdas_ = theirs.lambdas_ = rng.gamma(2.0, 3.0, size=(k, d))
        theirs.n_features = d
    else:
        ours, theirs = scotopic.GaussianHMM(k, kind), hmm.GaussianHMM(k, kind)
        ours.means_ = theirs.means_ = 3.0 * rng.normal(size=(k, d))
        theirs.n_features = d
        root = rng.normal(size=(k, d, d))
        full = root @ root.transpose(0, 2, 1) + np.eye(d)
        ours.covars_ = theirs.covars_ = full if kind == "full" else np.einsum("kii->ki", full).copy()
    ours.startprob_ = theirs.startprob_ = np.full(k, 1.0 / k)
    ours.transmat_ = theirs.transmat_ = 0.9 * np.eye(k) + 0.1 / k
    x, _ = ours.sample(t, random_state=0)
    return ours, theirs, x, (x.astype(int) if kind in ("categorical", "poisson") else x)


def hmm_tasks(t):
    for kind, k, d in [("categorical", 4, 8), ("poisson", 4, 10), ("diag", 4, 2), ("diag", 16, 4), ("full", 4, 4)]:
        ours, theirs, x, y = hmm_pair(kind, k, d, t)
        agree(ours.score(x), theirs.score(y))
        label = f"{kind} HMM, K = {k}, D = {d}, T = {t}"
        yield f"{label}: score", "hmmlearn", lambda: ours.score(x), lambda: theirs.score(y)
        yield f"{label}: posterior", "hmmlearn", lambda: ours.predict_proba(x), lambda: theirs.predict_proba(y)
        yield f"{label}: Viterbi", "hmmlearn", lambda: ours.predict(x), lambda: theirs.predict(y)
        # The same number of iterations from the same start.
        from sklearn.base import clone

        fit, peer = clone(ours).set_params(init="parameters", method="em", n_iter=10, tol=0.0), clone(theirs)
        peer.set_params(init_params="", n_iter=11, tol=-np.inf)

        def ours_fit(fit=fit, ours=ours, x=x):
            fit._take(ours._model)
            fit.fit(x)

        def their_fit(peer=peer, theirs=theirs, y=y):
            for name in ("startprob_", "transmat_", "emissionprob_", "lambdas_", "means_", "n_features", "_covars_"):
                if hasattr(theirs, name):
                    setattr(peer, name, np.copy(getattr(theirs, name)) if name != "n_features" else theirs.n_features)
            peer.fit(y)

        yield f"{label}: fit, 10 iterations", "hmmlearn", ours_fit, their_fit


def kalman_tasks(t):
    from statsmodels.tsa.statespace.mlemodel import MLEModel

    for n, m in [(2, 1), (4, 2)]:
        rng = np.random.default_rng(n)
        f = 0.95 * np.linalg.qr(rng.normal(size=(n, n)))[0]
        model = scotopic.LinearGaussian.of(f, 0.1 * np.eye(n), rng.normal(size=(m, n)), np.eye(m))
        y, _ = model.sample(t, random_state=0)
        peer = MLEModel(y, k_states=n, k_posdef=n).ssm
        peer["design"], peer["transition"], peer["selection"] = model.observation_, model.transition_, np.eye(n)
        peer["obs_cov"], peer["state_cov"] = model.observation_noise_, model.process_noise_
        peer.initialize_known(np.zeros(n), np.eye(n))
        agree(model.score(y), peer.loglike())
        label = f"Kalman, n = {n}, m = {m}, T = {t}"
        yield f"{label}: log-likelihood", "statsmodels", lambda: model.score(y), lambda: peer.loglike()
        yield f"{label}: filter", "statsmodels", lambda: model.filtered(y), lambda: peer.filter()
        yield f"{label}: smoother", "statsmodels", lambda: model.smooth(y), lambda: peer.smooth()


def agree(ours, theirs):
    if abs(ours - theirs) > 1e-9 * abs(theirs):
        raise SystemExit(f"these are not the same: {ours} and {theirs}")


def least(calls, seconds):
    """The least time of each call, run in turn until so many seconds have passed, at least three times."""
    best = [np.inf] * len(calls)
    end = time.perf_counter() + seconds
    turns = 0
    while turns < 3 or time.perf_counter() < end:
        for i, call in enumerate(calls):
            start = time.perf_counter()
            call()
            best[i] = min(best[i], time.perf_counter() - start)
        turns += 1
    return best


def update_times():
    """Microseconds per `update` from Python."""
    models = {
        "categorical HMM, K = 4": (hmm_pair("categorical", 4, 8, 1000)[0], [float(s % 8) for s in range(1000)]),
        "Gaussian HMM, K = 4, D = 2, an array": (
            hmm_pair("diag", 4, 2, 1000)[0],
            list(np.random.default_rng(0).normal(size=(1000, 2))),
        ),
        "local level, n = 1": (
            scotopic.LinearGaussian.local_level(),
            np.random.default_rng(0).normal(size=1000).tolist(),
        ),
    }
    for label, (model, rows) in models.items():
        update = model.filter().update

        def run(update=update, rows=rows):
            for row in rows:
                update(row)

        yield label, 1e6 * least([run], 0.5)[0] / len(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="half a second a row")
    parser.add_argument("-t", type=int, default=10_000, help="observations")
    args = parser.parse_args()
    seconds = 0.5 if args.quick else 3.0
    print("| task | scotopic, ms | peer, ms | peer | times faster |\n|---|---:|---:|---|---:|")
    for tasks in (hmm_tasks, kalman_tasks):
        try:
            for label, peer, ours, theirs in tasks(args.t):
                mine, other = least([ours, theirs], seconds)
                print(f"| {label} | {1e3 * mine:.2f} | {1e3 * other:.2f} | {peer} | {other / mine:.1f} |", flush=True)
        except ImportError as missing:
            print(f"| ({missing.name} is not installed) | | | | |")
    print("\n| one update from Python | µs |\n|---|---:|")
    for label, micros in update_times():
        print(f"| {label} | {micros:.2f} |")


if __name__ == "__main__":
    main()
