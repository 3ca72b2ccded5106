#!/usr/bin/env bash
# The page of `scotopic live` in headless Chromium.
#
#   scripts/live/test.sh [--long]
#
#   SCOTOPIC      the program [default: target/release/scotopic]
#   SCREENSHOTS   folder for screenshots [default: a temporary one]
#   PAGE          folder of the page's files, in place of those in the program: for work on them
#   CHROMIUM      the browser [default: chromium; installed with apt-get where there is none]
#
# --long also draws for a minute without a pause, and looks for growth of memory.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
root="$(cd "$here/../.." && pwd)"

program="${SCOTOPIC:-$root/target/release/scotopic}"
[ -x "$program" ] || { echo "no program at $program: build it, or say where it is with SCOTOPIC" >&2; exit 2; }
export SCOTOPIC="$program"

need() { apt-get update -q >&2 && apt-get install -qy --no-install-recommends "$@" >&2; }
command -v "${CHROMIUM:-chromium}" >/dev/null || need chromium
command -v node >/dev/null && command -v npm >/dev/null || need nodejs npm
CHROMIUM="$(command -v "${CHROMIUM:-chromium}")"
export CHROMIUM

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export SCREENSHOTS="${SCREENSHOTS:-$work/screenshots}"
mkdir -p "$SCREENSHOTS"

# Outside the tree: nothing is left in it.
cp "$here"/package.json "$here"/package-lock.json "$here"/*.mjs "$work"
(cd "$work" && npm ci --silent --no-audit --no-fund)

# Two networks, a model, and 1000 observations of it.
mkdir -p "$work/data/runs"
cd "$work/data"
cp -r "$root/checkpoints/dead-leaves" runs/dead-leaves
"$program" train --preset smoke --out runs/small --set data.size=8 --set data.train=160 --set data.validation=40 \
  --set model.latents=12 --set inference.steps=4 --set train.iterations=30 --set train.batch_size=32 \
  --set validation.every=10 --device flex --quiet >/dev/null
cat >walk.toml <<'TOML'
kind = "linear-gaussian"
transition = [[1.0, 1.0], [0.0, 0.98]]
process_noise = [[0.02, 0.0], [0.0, 0.01]]
observation = [[1.0, 0.0]]
observation_noise = [[2.0]]
initial_mean = [0.0, 0.0]
initial_covariance = [[1.0, 0.0], [0.0, 1.0]]
TOML
cat >weather.toml <<'TOML'
kind = "hmm"
initial = [0.5, 0.5]
transition = [[0.95, 0.05], [0.1, 0.9]]
[emission]
kind = "poisson"
rates = [[2.0], [9.0]]
TOML
"$program" sample --model walk.toml --length 1000 --seed 3 --out walk.csv --quiet
"$program" filter --model walk.toml walk.csv --quiet | tail -1 >walk.last

node "$work/test.mjs" "$@"
