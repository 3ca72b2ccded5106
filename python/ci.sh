#!/usr/bin/env bash
# The Python package: builds the wheel once, installs it in a clean virtual environment and tests it there.
#   python/ci.sh            everything, on the same build of burn as `cargo test --release --features ndarray,wgpu`
#   python/ci.sh --long     with the wheel's own profile and the CPU alone (smaller, slower to build), whose size is checked, and
#                           the notebooks at their full size
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
profile=release
# What the program is built with elsewhere, so that nothing of burn is compiled twice.
features=vision,scotopic-cli/ndarray,scotopic-cli/wgpu,scotopic-cli/fetch
if [ "${1:-}" = "--long" ]; then
  profile=wheel
  features=vision
fi
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

# The workspace's own lints leave this crate out: it needs an interpreter.
cargo clippy --release -p scotopic-python --no-deps --features "$features" -- -D warnings

"$python" -m venv "$place/build"
"$place/build/bin/pip" install -q 'maturin>=1.9,<2'
"$place/build/bin/maturin" build -q -m python/Cargo.toml --profile "$profile" --features "$features" -i "$place/build/bin/python" -o "$place/wheels"
wheel=$(ls "$place"/wheels/*.whl)
size=$(stat -c %s "$wheel")
echo "wheel: $size bytes"
# Without the networks it is 3.2 MB.
if [ "$profile" = wheel ] && [ "$size" -gt 25000000 ]; then
  echo "the wheel has grown above 25 MB" && exit 1
fi

"$python" -m venv "$place/test"
"$place/test/bin/pip" install -q "$wheel" -r python/tests/requirements.txt
# From another folder: the package under test is the wheel.
tests=$PWD/python/tests
(cd "$place" && "$place/test/bin/python" -m pytest -q -p no:cacheprovider "$tests")
(cd "$place" && "$place/test/bin/python" -m pytest -q -p no:cacheprovider --doctest-modules --pyargs scotopic)

# The notebooks, small but for --long; the data of two of them come with packages that are not imported.
if [ "$profile" = release ]; then
  export SCOTOPIC_SMALL=1
fi
"$place/test/bin/pip" install -q nbconvert ipykernel
"$place/test/bin/pip" install -q --no-deps nitime seglearn
for notebook in python/notebooks/*.ipynb; do
  echo "$notebook"
  "$place/test/bin/jupyter" nbconvert --to notebook --execute --log-level ERROR --stdout "$notebook" >/dev/null
done
