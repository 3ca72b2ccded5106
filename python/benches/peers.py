#!/usr/bin/env python3
"""Times scotopic beside the peers that are installed (hmmlearn, statsmodels, dynamax, cuthbert, pykalman,
fast-kalman), interleaved.

    python python/benches/peers.py            prints tables, with versions, processor and load
    python python/benches/peers.py --quick    the same from fewer repetitions

Every row is one task with the same model, data and answer for both; their log-likelihoods are compared first. The two are
run in turn, many times, on one core. Times are processor times of the process: waiting for a core that others use would
favour short calls. Given are medians, and how many times as long the peer took by medians and by the least times. Functions
of JAX are compiled before they are timed.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import argparse
import importlib.metadata
import time
import warnings
from functools import partial

import numpy as np

import scotopic

warnings.filterwarnings("ignore")
PEERS = ("hmmlearn", "statsmodels", "dynamax", "jax", "pykalman", "cuthbert", "fast-kalman", "numpy")


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
        model, y = random_walk(n, m, t)
        peer = MLEModel(y, k_states=n, k_posdef=n).ssm
        peer["design"], peer["transition"], peer["selection"] = model.observation_, model.transition_, np.eye(n)
        peer["obs_cov"], peer["state_cov"] = model.observation_noise_, model.process_noise_
        peer.initialize_known(np.zeros(n), np.eye(n))
        agree(model.score(y), peer.loglike())
        label = f"Kalman, n = {n}, m = {m}, T = {t}"
        yield f"{label}: log-likelihood", "statsmodels", lambda: model.score(y), lambda: peer.loglike()
        yield f"{label}: filter", "statsmodels", lambda: model.filtered(y), lambda: peer.filter()
        yield f"{label}: smoother", "statsmodels", lambda: model.smooth(y), lambda: peer.smooth()


def jax_of_doubles():
    import jax

    jax.config.update("jax_enable_x64", True)
    return jax


def dynamax_hmm_tasks(t):
    """The same HMMs in dynamax, and a GLM-HMM."""
    jax = jax_of_doubles()
    from dynamax import hidden_markov_model as dynamax

    key = jax.random.PRNGKey(0)

    def timed(label, ours, theirs, fixed, x, inputs=None):
        chain = {"initial_probs": ours.startprob_, "transition_matrix": ours.transmat_}
        fixed = {name: jax.numpy.asarray(value) for name, value in {**chain, **fixed}.items()}
        params, _ = theirs.initialize(key, method="prior", **fixed)
        y = jax.numpy.asarray(x)
        given = {} if inputs is None else {"inputs": inputs}
        # Arguments, so that nothing of the answer is computed when a function is compiled.
        score = partial(jax.jit(theirs.marginal_log_prob), params, y, **given)
        smooth = partial(jax.jit(lambda *a, **b: theirs.smoother(*a, **b).smoothed_probs), params, y, **given)
        decode = partial(jax.jit(theirs.most_likely_states), params, y, **given)
        agree(ours.score(x, **given), float(score()))
        label = f"{label}, T = {t}"
        yield f"{label}: score", "dynamax", lambda: ours.score(x, **given), lambda: score().block_until_ready()
        yield (
            f"{label}: posterior", "dynamax", lambda: ours.predict_proba(x, **given), lambda: smooth().block_until_ready(),
        )  # fmt: skip
        yield f"{label}: Viterbi", "dynamax", lambda: ours.predict(x, **given), lambda: decode().block_until_ready()

    k, d = 4, 2
    ours, _, x, _ = hmm_pair("diag", k, d, t)
    fixed = {"emission_means": ours.means_, "emission_scale_diags": np.sqrt(ours.covars_)}
    yield from timed(f"diag HMM, K = {k}, D = {d}", ours, dynamax.DiagonalGaussianHMM(k, d), fixed, x)
    ours, _, x, _ = hmm_pair("poisson", k, 10, t)
    yield from timed(
        f"poisson HMM, K = {k}, D = 10", ours, dynamax.PoissonHMM(k, 10), {"emission_rates": ours.lambdas_}, x
    )
    rng = np.random.default_rng(0)
    ours, inputs = scotopic.LogisticRegressionHMM(3), rng.normal(size=(t, 2))
    ours.startprob_, ours.transmat_ = np.full(3, 1 / 3), 0.9 * np.eye(3) + 0.1 / 3
    ours.weights_ = rng.normal(size=(3, 3))
    x, _ = ours.sample(random_state=0, inputs=inputs)
    fixed = {"emission_weights": ours.coef_, "emission_biases": ours.intercept_}
    theirs = dynamax.LogisticRegressionHMM(3, 2)
    yield from timed("GLM-HMM, K = 3, M = 2", ours, theirs, fixed, x[:, 0], inputs)


def random_walk(n, m, t):
    rng = np.random.default_rng(n)
    f = 0.95 * np.linalg.qr(rng.normal(size=(n, n)))[0]
    model = scotopic.LinearGaussian.of(f, 0.1 * np.eye(n), rng.normal(size=(m, n)), np.eye(m))
    return model, model.sample(t, random_state=0)[0]


def dynamax_kalman_tasks(t):
    jax = jax_of_doubles()
    from dynamax.linear_gaussian_ssm import LinearGaussianSSM

    for n, m in [(2, 1), (4, 2)]:
        model, y = random_walk(n, m, t)
        theirs = LinearGaussianSSM(n, m, has_dynamics_bias=False, has_emissions_bias=False)
        fixed = {
            "initial_mean": np.zeros(n),
            "initial_covariance": np.eye(n),
            "dynamics_weights": model.transition_,
            "dynamics_covariance": model.process_noise_,
            "emission_weights": model.observation_,
            "emission_covariance": model.observation_noise_,
        }
        fixed = {name: jax.numpy.asarray(value) for name, value in fixed.items()}
        params, _ = theirs.initialize(jax.random.PRNGKey(0), **fixed)
        z = jax.numpy.asarray(y)
        score = partial(jax.jit(theirs.marginal_log_prob), params, z)
        filtered = partial(jax.jit(lambda *a, theirs=theirs: theirs.filter(*a).filtered_means), params, z)
        smooth = partial(jax.jit(lambda *a, theirs=theirs: theirs.smoother(*a).smoothed_means), params, z)
        agree(model.score(y), float(score()))
        label = f"Kalman, n = {n}, m = {m}, T = {t}"
        yield f"{label}: log-likelihood", "dynamax", lambda: model.score(y), lambda: score().block_until_ready()
        yield f"{label}: filter", "dynamax", lambda: model.filtered(y), lambda: filtered().block_until_ready()
        yield f"{label}: smoother", "dynamax", lambda: model.smooth(y), lambda: smooth().block_until_ready()


def cuthbert_tasks(t):
    jax = jax_of_doubles()
    import cuthbert
    from cuthbert.gaussian import kalman

    jnp = jax.numpy
    for n, m in [(2, 1), (4, 2)]:
        model, y = random_walk(n, m, t)
        # Its first state has no observation: it moves to ours without a change.
        f, root = jnp.asarray(model.transition_), jnp.linalg.cholesky(jnp.asarray(model.process_noise_))
        moves = jnp.concatenate([jnp.eye(n)[None], jnp.broadcast_to(f, (t - 1, n, n))])
        roots = jnp.concatenate([jnp.zeros((1, n, n)), jnp.broadcast_to(root, (t - 1, n, n))])
        given = (moves, roots, jnp.asarray(y))
        h, noise = jnp.asarray(model.observation_), jnp.linalg.cholesky(jnp.asarray(model.observation_noise_))

        def observed(row, h=h, noise=noise, m=m):
            return h, jnp.zeros(m), noise, row[2]

        theirs = kalman.build_filter(
            jnp.zeros(n), jnp.eye(n), lambda row, n=n: (row[0], jnp.zeros(n), row[1]), observed
        )
        run = jax.jit(lambda given, theirs=theirs: cuthbert.filter(theirs, given, theirs.init_prepare()).elem[1:])
        filtered = partial(run, given)
        agree(model.score(y), float(filtered()[-1][-1]))
        label = f"Kalman, n = {n}, m = {m}, T = {t}"
        yield f"{label}: filter", "cuthbert", lambda: model.filtered(y), lambda: jax.block_until_ready(filtered())


def pykalman_tasks(t):
    import pykalman

    t = min(t, 1000)  # it takes long
    model, y = random_walk(4, 2, t)
    peer = pykalman.KalmanFilter(
        model.transition_, model.observation_, model.process_noise_, model.observation_noise_,
        initial_state_mean=np.zeros(4), initial_state_covariance=np.eye(4),
    )  # fmt: skip
    agree(model.score(y), peer.loglikelihood(y))
    label = f"Kalman, n = 4, m = 2, T = {t}"
    yield f"{label}: filter", "pykalman", lambda: model.filtered(y), lambda: peer.filter(y)
    yield f"{label}: smoother", "pykalman", lambda: model.smooth(y), lambda: peer.smooth(y)


def fast_kalman_tasks(t):
    import kalman

    for n, m in [(2, 1), (4, 2)]:
        model, y = random_walk(n, m, t)
        f, q, h, r = model.transition_, model.process_noise_, model.observation_, model.observation_noise_
        # It moves before it sees: the state that moves to N(0, I), of which every filter here knows the first.
        back = np.linalg.inv(f)
        before = back @ (np.eye(n) - q) @ back.T
        rows = y.tolist()

        def begun(n=n, m=m, f=f, q=q, h=h, r=r, before=before):
            arrays = {name: a.ravel().tolist() for name, a in {"P": before, "F": f, "Q": q, "H": h, "R": r}.items()}
            return kalman.LinearKalmanFilter(n, m, x=[0.0] * n, **arrays)

        def one_by_one(begun=begun, rows=rows):
            update = begun().update
            return [update(row) for row in rows]

        def ours_one_by_one(model=model, rows=rows):
            update = model.filter().update
            return [update(row) for row in rows]

        agree(model.score(y), sum(log_density(step, m) for step in one_by_one()))
        label = f"Kalman, n = {n}, m = {m}, T = {t}"
        # Its loop over rows keeps the last belief alone.
        yield f"{label}: filter to the end", "fast-kalman", lambda: model.score(y), lambda: begun().update_many(y.ravel())
        yield f"{label}: update by update from Python", "fast-kalman", ours_one_by_one, one_by_one


def log_density(step, m):
    """ln N(e; 0, S) of what fast-kalman tells of an update."""
    s = np.reshape(step["S"], (m, m))
    return -0.5 * (m * np.log(2 * np.pi) + np.linalg.slogdet(s)[1] + step["nis"])


def agree(ours, theirs):
    if abs(ours - theirs) > 1e-9 * abs(theirs):
        raise SystemExit(f"these are not the same: {ours} and {theirs}")


def times(calls, seconds):
    """The processor times of each call, run in turn until so many seconds have passed, at least three times."""
    taken = [[] for _ in calls]
    end = time.perf_counter() + seconds
    while len(taken[0]) < 3 or time.perf_counter() < end:
        for own, call in zip(taken, calls):
            start = time.process_time()
            call()
            own.append(time.process_time() - start)
    return taken


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

        yield label, 1e6 * np.median(times([run], 0.5)[0]) / len(rows)


def one_core():
    """Holds this process to one core where the system can, and says which."""
    try:
        core = max(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {core})
    except AttributeError:
        return "not held to one core"
    return f"core {core}"


def processor():
    """The processor's name, and whether it has AVX-512."""
    import platform

    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            lines = dict(line.split(":", 1) for line in file if ":" in line)
    except OSError:
        return platform.processor() or platform.machine()
    facts = {name.strip(): value.strip() for name, value in lines.items()}
    wide = "avx512f" in facts.get("flags", "").split()
    return f"{facts.get('model name', platform.machine())}, {'with' if wide else 'without'} AVX-512"


def versions():
    for name in ("scotopic", *PEERS):
        try:
            yield f"{name} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            pass


def load():
    try:
        return f"{os.getloadavg()[0]:.1f}"
    except OSError:
        return "unknown"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="half a second a row")
    parser.add_argument("-t", type=int, default=10_000, help="observations")
    args = parser.parse_args()
    seconds = 0.5 if args.quick else 3.0
    before, cores = load(), os.cpu_count()
    print(f"{processor()}; {one_core()} of {cores}; {', '.join(versions())}\n")
    print(
        "| task | scotopic, ms | peer, ms | peer | times faster | by the least times |\n|---|---:|---:|---|---:|---:|"
    )
    peers = (hmm_tasks, kalman_tasks, dynamax_hmm_tasks, dynamax_kalman_tasks, cuthbert_tasks, pykalman_tasks, fast_kalman_tasks)
    for tasks in peers:
        try:
            for label, peer, ours, theirs in tasks(args.t):
                mine, other = times([ours, theirs], seconds)
                middle, least = (np.median(mine), np.median(other)), min(other) / min(mine)
                row = f"| {label} | {1e3 * middle[0]:.2f} | {1e3 * middle[1]:.2f} | {peer} "
                print(row + f"| {middle[1] / middle[0]:.1f} | {least:.1f} |", flush=True)
        except ImportError as missing:
            print(f"| ({missing.name} is not installed) | | | | | |")
    print("\n| one update from Python | µs |\n|---|---:|")
    for label, micros in update_times():
        print(f"| {label} | {micros:.2f} |")
    print(f"\nLoad of the machine: {before} before, {load()} after.")


if __name__ == "__main__":
    main()
