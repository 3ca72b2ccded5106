"""What the interpreter does meanwhile: threads, Ctrl-C, sub-interpreters, panics."""

import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest
from conftest import given_of, random_hmm, random_population

import scotopic


def python(code, **options):
    return subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, **options)


@pytest.mark.parametrize("what", ["search", "em", "walk", "walk-search", "choices", "choices-em", "population", "lags", "driven", "transitions"])
def test_ctrl_c_ends_a_long_fit(what):
    # Each fit would take minutes to hours. The time-out of the process is far above the second that is promised, and
    # the only clock that decides.
    made = {
        "search": "scotopic.GaussianHMM(12, n_init=1000, random_state=0, n_jobs=2)",
        "em": "scotopic.GaussianHMM(8, method='em', n_init=1, n_iter=10**9, tol=0.0, random_state=0)",
        "walk": "scotopic.LinearGaussian(2, method='em', n_iter=10**9, tol=0.0)",
        "walk-search": "scotopic.LinearGaussian(6, n_init=10**4, random_state=0)",
        "choices": "scotopic.LogisticRegressionHMM(6, n_init=1000, random_state=0)",
        "choices-em": "scotopic.LogisticRegressionHMM(6, method='em', n_init=1, n_iter=10**9, tol=0.0, random_state=0)",
        "population": "scotopic.PLDS(2, n_iter=10**9, tol=0.0)",
        "driven": "scotopic.LinearGaussian(4, n_iter=10**9)",
        "lags": "scotopic.AutoregressiveHMM(6, 2, n_init=1000, random_state=0)",
        "transitions": "scotopic.GaussianHMM(4, n_init=1000, random_state=0)",
    }[what]
    given = "inputs=x" if what.startswith(("choices", "driven")) else "transition_inputs=x" if what == "transitions" else ""
    made_of = "(x[:, 0] > 0).astype(float)" if given.startswith("inputs") else "np.abs(x).round()" if what == "population" else "x"
    code = f"""
        import os, signal, threading, time, numpy as np, scotopic
        x = np.random.default_rng(0).normal(size=(20_000, 2))
        model, sent = {made}, []
        def interrupt():
            sent.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)
        threading.Timer(0.5, interrupt).start()
        try:
            model.fit({made_of}, {given})
        except KeyboardInterrupt:
            print("interrupted after", time.monotonic() - sent[0])
        # Nothing of the fit is left.
        assert not hasattr(model, "startprob_") and not hasattr(model, "transition_")
    """
    done = python(code, timeout=120)
    assert done.returncode == 0 and done.stdout.startswith("interrupted"), done.stderr
    assert done.stderr == ""
    print(done.stdout)


def test_ctrl_c_ends_a_long_draw():
    # Some microseconds a row, of 500 states that are drawn from: a minute in all.
    code = """
        import os, signal, threading, numpy as np, scotopic
        k = 500
        model = scotopic.PoissonHMM(k)
        model.startprob_, model.transmat_ = np.full(k, 1 / k), np.full((k, k), 1 / k)
        model.lambdas_ = np.ones((k, 1))
        threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        try:
            model.sample(20_000_000, random_state=0)
        except KeyboardInterrupt:
            print("interrupted")
    """
    done = python(code, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\n", "")


def numbers(seed):
    x, _ = random_hmm("diag", seed=seed).sample(3000, random_state=seed)
    return lambda: scotopic.GaussianHMM(3, random_state=0, method="em", n_init=1, n_iter=30).fit(x).history_


def choices(seed):
    truth = random_hmm("logistic-regression", seed=seed)
    given = given_of(truth, 3000, seed)
    y, _ = truth.sample(random_state=seed, **given)
    return lambda: scotopic.LogisticRegressionHMM(2, random_state=0, n_init=2).fit(y, **given).weights_


def spikes(seed):
    x, _ = random_population(seed=seed).sample(500, random_state=seed)
    return lambda: scotopic.PLDS(2, n_iter=10).fit(x).history_


def waves(seed):
    x, _ = random_hmm("autoregression-full", seed=seed).sample(1000, random_state=seed)
    return lambda: scotopic.AutoregressiveHMM(2, 2, random_state=0, n_init=2).fit(x).coef_


def driven(seed):
    rng = np.random.default_rng(seed)
    y, u = np.cumsum(rng.normal(size=300)), rng.normal(size=(300, 2))
    return lambda: scotopic.LinearGaussian(1, n_iter=30, random_state=0).fit(y, inputs=u).direct_


@pytest.mark.parametrize("made", [numbers, choices, spikes, waves, driven])
def test_two_fits_at_once_are_each_their_own(made):
    fits = [made(seed) for seed in (0, 1)]
    alone = [fit() for fit in fits]
    together = [None, None]

    def run(i):
        together[i] = fits[i]()

    threads = [threading.Thread(target=run, args=(i,)) for i in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(alone, together):
        assert (one == other).all()


def test_the_interpreter_runs_while_a_fit_does():
    model = scotopic.GaussianHMM(6, method="em", n_init=1, n_iter=10**9, tol=0.0, random_state=0)
    x = np.random.default_rng(0).normal(size=(20_000, 2))
    ticks = []

    class Enough(Exception):
        pass

    def stop(run, iteration, log_evidence):
        if len(ticks) > 50:
            raise Enough

    def tick():
        # Each turn of this loop needs the interpreter.
        while len(ticks) <= 50:
            ticks.append(sum(range(1000)))

    thread = threading.Thread(target=tick)
    thread.start()
    with pytest.raises(Enough):
        model.fit(x, callback=stop)
    thread.join()


def test_a_callback_may_end_a_fit_and_leaves_the_model_as_it_was():
    model = random_hmm("diag").set_params(init="parameters", method="em")
    x, _ = model.sample(100, random_state=0)
    before = model.score(x)

    def stop(run, iteration, log_evidence):
        if iteration == 2:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        model.fit(x, callback=stop)
    assert model.score(x) == before


def test_one_filter_in_two_threads_is_not_corrupted():
    filter = random_hmm("diag").filter()
    wrong = []

    def run():
        for _ in range(2000):
            try:
                filter.update([0.0, 0.0])
            except scotopic.ScotopicError as error:  # in use: told, not corrupted
                wrong.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert filter.n_observations == 4000 - len(wrong)


def test_a_filter_that_takes_in_a_series_is_read_as_it_was_and_not_changed():
    filter = random_hmm("diag").filter()
    thread = threading.Thread(target=filter.extend, args=(np.zeros((3_000_000, 2)),))
    before, refused = 0, 0
    thread.start()
    while thread.is_alive():
        try:
            filter.update([0.0, 0.0])
            before += refused == 0
        except scotopic.ScotopicError as error:
            assert "another thread" in str(error) and "copy()" in str(error)
            refused += 1
            if filter.n_observations == before:
                assert np.isfinite(filter.elbo) and filter.belief.sum() == pytest.approx(1.0)
                assert np.isfinite(filter.forecast(3).mean).all()
    thread.join()
    assert refused > 0
    assert filter.n_observations >= 3_000_000 + before


def test_a_sub_interpreter_is_refused_cleanly():
    inside = (
        "try:\n    import scotopic\n    print('imported')\n"
        "except ImportError as error:\n    print('refused:', str(error)[:60], flush=True)\n"
    )
    code = f"""
        import scotopic
        try:
            import _xxsubinterpreters as interpreters
        except ImportError:
            import _interpreters as interpreters
        other = interpreters.create()
        told = interpreters.run_string(other, {inside!r})
        if told is not None:
            print("refused:", told)
        # The first interpreter goes on.
        print(scotopic.LinearGaussian.local_level().score([1.0]) < 0)
    """
    done = python(code, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("refused") and done.stdout.rstrip().endswith("True"), done.stdout


def test_the_program_is_in_the_package(tmp_path):
    run = [sys.executable, "-m", "scotopic"]
    done = subprocess.run([*run, "--version"], capture_output=True, text=True)
    assert done.returncode == 0 and scotopic.__version__ in done.stdout
    assert subprocess.run([*run, "nonsense"], capture_output=True).returncode == 2
    model, data = tmp_path / "model.toml", tmp_path / "data.csv"
    walk = scotopic.LinearGaussian.local_level()
    walk.save(model)
    y, _ = walk.sample(50, random_state=0)
    np.savetxt(data, y)
    saved = tmp_path / "filter.bin"
    done = subprocess.run([*run, "filter", data, "--model", model, "--save", saved], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # The program's snapshot is one of this package's.
    assert abs(scotopic.Filter.restore(saved.read_bytes()).elbo - walk.score(y)) < 1e-9
