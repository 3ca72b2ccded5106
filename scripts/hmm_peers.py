#!/usr/bin/env python3
"""Fits of hidden Markov models beside those of hmmlearn: ln p and time, one line for each series and number of states.

    scripts/hmm_peers.py --scotopic target/release/scotopic --data ../shared/datasets/series [--states 2..6] [--only NAME]

Needs numpy and hmmlearn (0.3.3). Ten starts of hmmlearn (random_state 0 to 9, at most 1000 iterations, tolerance 1e-4 nats) and
`scotopic fit` with its ten restarts take turns, each on one thread. Columns of normal emissions have mean 0 and variance 1;
a fit with a variance below 1e-5 of that is degenerate on both sides and left out. The exit status is 1 if one of our fits is
more than 0.1 nats below the best of hmmlearn, or if ln p falls with the number of states.
"""

import argparse
import json
import logging
import math
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
from hmmlearn import hmm

FLOOR = 1e-5
STARTS = 10


def binned(path, milliseconds):
    times = np.loadtxt(path) / (1000 * milliseconds)
    bins = 10_000 // milliseconds
    return np.bincount(times.astype(int), minlength=bins)[:bins, None].astype(float)


def table(path, columns):
    rows = np.genfromtxt(path, delimiter=",", skip_header=1, usecols=columns, ndmin=2)
    return rows[~np.isnan(rows).any(axis=1)]


def lynx(seed=0, years=114):
    """Counts of a cycle of ten years over three decades, as of the Canadian lynx."""
    rng = np.random.default_rng(seed)
    t = np.arange(years)
    rate = np.exp(6.7 + 1.3 * np.sin(2 * np.pi * t / 9.6) + 0.4 * rng.standard_normal(years))
    return rng.poisson(rate)[:, None].astype(float)


def simulated(seed=1, steps=3000):
    """Three states of Poisson counts."""
    rng = np.random.default_rng(seed)
    transition = np.array([[0.95, 0.04, 0.01], [0.05, 0.9, 0.05], [0.1, 0.2, 0.7]])
    state, counts = 0, []
    for _ in range(steps):
        counts.append(rng.poisson([1.0, 3.0, 9.0][state]))
        state = rng.choice(3, p=transition[state])
    return np.array(counts)[:, None].astype(float)


def symbols(values, count):
    edges = np.quantile(values, np.linspace(0, 1, count + 1)[1:-1])
    return np.searchsorted(edges, values, side="right").astype(float)


def series(data):
    """(name, kind, sequences)."""
    spikes = [data / f"grasshopper_spike_times{n}.txt" for n in (1, 2)]
    sunspots, co2 = table(data / "sunspots.csv", [1]), table(data / "co2.csv", [1])
    watch = [table(data / f"watch{n}.csv", range(6)) for n in (0, 1)]
    macro = np.diff(np.log(table(data / "macrodata.csv", [2, 3, 4])), axis=0)
    yield "grasshopper 1 ms", "categorical", [binned(path, 1) for path in spikes]
    yield "sunspots, 6 symbols", "categorical", [symbols(sunspots, 6)]
    yield "watch1 ax, 8 symbols", "categorical", [symbols(watch[1][:, :1], 8)]
    yield "grasshopper 10 ms", "poisson", [binned(path, 10) for path in spikes]
    yield "sunspots", "poisson", [np.round(sunspots)]
    yield "lynx (simulated)", "poisson", [lynx()]
    yield "three states (simulated)", "poisson", [simulated()]
    yield "nile", "diagonal-gaussian", [table(data / "nile.csv", [1])]
    yield "sunspots", "diagonal-gaussian", [sunspots]
    yield "co2", "diagonal-gaussian", [co2]
    yield "macro, 3 growth rates", "diagonal-gaussian", [macro]
    yield "watch0, 6 columns", "diagonal-gaussian", [watch[0]]
    yield "watch1 ax, ay, az", "diagonal-gaussian", [watch[1][:, :3]]
    yield "watch0, 6 columns", "full-gaussian", [watch[0]]


def standardised(sequences):
    rows = np.concatenate(sequences)
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    return [(s - mean) / deviation for s in sequences]


def of_hmmlearn(kind, sequences, states):
    """The best ln p of the starts that are not degenerate, how many were, and the seconds of all."""
    rows, lengths = np.concatenate(sequences), [len(s) for s in sequences]
    best, left_out, begun = -math.inf, 0, time.perf_counter()
    for start in range(STARTS):
        options = dict(n_components=states, n_iter=1000, tol=1e-4, random_state=start)
        try:
            if kind == "categorical":
                model = hmm.CategoricalHMM(**options).fit(rows.astype(int), lengths)
            elif kind == "poisson":
                model = hmm.PoissonHMM(**options).fit(rows.astype(int), lengths)
            else:
                covariance = "full" if kind == "full-gaussian" else "diag"
                model = hmm.GaussianHMM(covariance_type=covariance, **options).fit(rows, lengths)
            height = model.score(rows.astype(int) if kind in ("categorical", "poisson") else rows, lengths)
        except ValueError:
            left_out += 1
            continue
        if kind in ("diagonal-gaussian", "full-gaussian"):
            pooled = np.cov(rows.T, bias=True).reshape(rows.shape[1], -1)
            whitening = np.linalg.inv(np.linalg.cholesky(pooled))
            if kind == "diagonal-gaussian":
                whitening = np.diag(1 / np.sqrt(np.diag(pooled)))
            least = min(np.linalg.eigvalsh(whitening @ c @ whitening.T)[0] for c in model.covars_)
            if least < FLOOR:
                left_out += 1
                continue
        if math.isfinite(height):
            best = max(best, height)
    return best, left_out, time.perf_counter() - begun


def of_scotopic(program, kind, sequences, states, folder):
    """Each fit of the program, and its seconds with reading and writing."""
    files = []
    for n, rows in enumerate(sequences):
        files.append(str(folder / f"{n}.csv"))
        header = ",".join(f"x{d}" for d in range(rows.shape[1]))
        np.savetxt(files[-1], rows, delimiter=",", header=header, comments="", fmt="%.17g")
    command = [program, "fit", *files, "--kind", kind, "--n-states", states, "--threads", "1", "--json", "--force"]
    if kind.endswith("gaussian"):
        command += ["--variance-floor", str(FLOOR)]
    command += ["--out", str(folder / "model.toml")]
    begun = time.perf_counter()
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(said)["fits"], time.perf_counter() - begun


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scotopic", required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--states", default="1..6")
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    logging.getLogger("hmmlearn").setLevel(logging.CRITICAL)
    first, last = map(int, arguments.states.split(".."))
    print("| series | emission | K | scotopic ln p | hmmlearn ln p | difference | found by | hmmlearn left out | scotopic s | hmmlearn s |")
    print("|---|---|---|---|---|---|---|---|---|---|", flush=True)
    wrong = []
    for name, kind, sequences in series(arguments.data):
        if arguments.only not in f"{name} {kind}":
            continue
        if kind in ("diagonal-gaussian", "full-gaussian"):
            sequences = standardised(sequences)
        before = -math.inf
        with tempfile.TemporaryDirectory() as folder:
            # Each number of states by itself, in turn with its peer.
            for states in range(max(first, 2), last + 1):
                fits, ours = of_scotopic(arguments.scotopic, kind, sequences, str(states), pathlib.Path(folder))
                best, left_out, theirs = of_hmmlearn(kind, sequences, states)
                fit = fits[0]
                height, (found, of) = fit["log_evidence"], fit["found_by"]
                print(
                    f"| {name} | {kind} | {states} | {height:.3f} | {best:.3f} | {height - best:+.3f} | {found} of {of}"
                    f" | {left_out} of {STARTS} | {ours:.2f} | {theirs:.2f} |",
                    flush=True,
                )
                for told in fit["warnings"]:
                    print(f"|   {told}", file=sys.stderr, flush=True)
                if height < best - 0.1 or height < before - 1e-6 or ours > theirs:
                    wrong.append((name, kind, states))
                before = height
    print(f"\nbelow, falling or slower: {wrong or 'none'}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
