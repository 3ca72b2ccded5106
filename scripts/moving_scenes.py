#!/usr/bin/env python3
"""Static, carried and learned priors in time, trained on films with the same seeds and compared in pairs.

    python3 scripts/moving_scenes.py PROGRAM FOLDER [--preset NAME] [--seeds 3] [--jobs 2] [--set KEY=VALUE ...]

PROGRAM is the built `scotopic`; every run goes to FOLDER/PRIOR-SEED and is not repeated if it is there. Prints a Markdown table:
means over seeds, and differences from the learned prior, seed by seed, with 95 % intervals by Student's t.
"""

import argparse
import json
import math
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PRIORS = ["static", "carried", "learned"]
MEASURES = ["nats_per_frame", "next_frame_error", "persistence_error", "blank_error", "spikes_per_frame", "r2_second_half",
            "r2_rates_second_half"]
# 97.5 % points of Student's t with 1, 2, … degrees of freedom.
STUDENT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262]


def run(program, folder, preset, sets, prior, seed):
    """Trains, if it has not been done, and evaluates the last state of one run."""
    out = folder / f"{prior}-{seed}"
    result = out / "films.json"
    if not result.exists():
        overrides = [f"--set={s}" for s in [f"model.transition={prior}", f"data.seed={seed}", *sets]]
        train = [program, "train", "--preset", preset, "--seed", str(seed), "--out", str(out), "--device", "flex"]
        subprocess.run([*train, *overrides], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        weights = str(out / "last/checkpoint.safetensors")
        seen = subprocess.run([program, "evaluate", weights, "--device", "flex", "--json"], check=True, capture_output=True, text=True)
        result.write_text(seen.stdout)
    return json.loads(result.read_text())


def interval(values):
    """Mean and half width of the 95 % interval."""
    n = len(values)
    mean = sum(values) / n
    if n < 2:
        return mean, math.nan
    deviation = math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1))
    return mean, STUDENT[n - 2] * deviation / math.sqrt(n)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("program")
    options.add_argument("folder", type=Path)
    options.add_argument("--preset", default="moving-dead-leaves")
    options.add_argument("--seeds", type=int, default=3, choices=range(1, 11))
    options.add_argument("--jobs", type=int, default=1)
    options.add_argument("--set", action="append", default=[])
    args = options.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    cases = [(prior, seed) for seed in range(args.seeds) for prior in PRIORS]
    with ThreadPoolExecutor(args.jobs) as pool:
        seen = pool.map(lambda case: run(args.program, args.folder, args.preset, args.set, *case), cases)
        results = dict(zip(cases, seen))
    print("| measure | " + " | ".join(PRIORS) + " | learned − static | learned − carried |")
    print("|---|" + "---|" * (len(PRIORS) + 2))
    for measure in MEASURES:
        of = {prior: [results[prior, seed][measure] for seed in range(args.seeds)] for prior in PRIORS}
        cells = [f"{interval(of[prior])[0]:.3f}" for prior in PRIORS]
        for other in PRIORS[:2]:
            mean, half = interval([a - b for a, b in zip(of["learned"], of[other])])
            cells.append(f"{mean:+.3f} ± {half:.3f}")
        print(f"| {measure} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
