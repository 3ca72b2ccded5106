#!/usr/bin/env bash
# Training, inference, samples and the recursive ELBO on a graphics card, beside eager PyTorch on the same card: a Markdown table.
#
#   cargo build --release --features wgpu            # where there is a compiler; the card's machine needs none
#   benches/gpu.sh target/release/scotopic wgpu gpu.md
#
# The third argument is the page that is written; $4 is the number of repetitions (10). Without PyTorch its column is left out.
# At most ten minutes: each program is stopped after four.
set -euo pipefail
program=${1:?usage: benches/gpu.sh PROGRAM DEVICE PAGE [SAMPLES]}
device=${2:?name the device: scotopic devices lists them}
page=${3:?name the page}
samples=${4:-10}
here=$(cd "$(dirname "$0")" && pwd)
records=$(mktemp -d)
trap 'rm -rf "$records"' EXIT

timeout 240 "$program" bench training mnist inference operations --samples "$samples" --device "$device" --json >"$records/scotopic.jsonl"
case $device in cpu | flex | ndarray) torch=cpu ;; *) torch=cuda ;; esac
if python3 -c "import torch, sys; sys.exit('$torch' == 'cuda' and not torch.cuda.is_available())" 2>/dev/null; then
  timeout 240 python3 "$here/gpu_torch.py" --device "$torch" --samples "$samples" >"$records/torch.jsonl"
else
  echo "no PyTorch for $torch: its column is left out" >&2
  : >"$records/torch.jsonl"
fi

"$program" --version >"$records/version"
python3 - "$records" "$page" <<'PY'
import json
import pathlib
import sys

records, page = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
read = lambda name: [json.loads(line) for line in (records / name).read_text().splitlines()]
ours, theirs = read("scotopic.jsonl"), read("torch.jsonl")
ours = [r for r in ours if r["device"] != "CPU"]  # the event-driven engine runs on the processor
beside = {(r["group"], r["case"]): r for r in theirs}
# PyTorch has the published indicator at one temperature.
comparable = lambda r: r["indicator"] in (None, "sigmoid") and r["temperature"] in (None, 0.5)


def milliseconds(seconds):
    ms = 1e3 * seconds
    return f"{ms:.0f} ms" if ms >= 100 else f"{ms:.3g} ms"


def label(r):
    relaxed = f", {r['indicator']}, τ {r['temperature']}" if r["temperature"] is not None else ""
    return f"{r['group']}: {r['case']}{relaxed}"


peer = theirs[0]["device"] if theirs else "PyTorch: not there"
lines = [
    f"# {ours[0]['device']}",
    "",
    f"{(records / 'version').read_text().strip()}; medians of {ours[0]['samples']}, the device synchronised before and after each. "
    "Written by `benches/gpu.sh`.",
    "",
    f"| case | Scotopic | {peer} | times faster |",
    "| --- | --- | --- | --- |",
]
for r in ours:
    row = [label(r), milliseconds(r["median_s"]), "–", "–"]
    other = beside.get((r["group"], r["case"])) if comparable(r) else None
    if other:
        row[2:] = [milliseconds(other["median_s"]), f"{other['median_s'] / r['median_s']:.2g}"]
    lines.append("| " + " | ".join(row) + " |")
page.write_text("\n".join(lines) + "\n")
print(page)
PY
