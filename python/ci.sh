#!/usr/bin/env bash
# The Python package: builds the wheel once, installs it in a clean virtual environment and tests it there.
#   python/ci.sh            everything
#   python/ci.sh --long     also with the wheel's own profile (smaller, slower to build), whose size is checked
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
profile=release
[ "${1:-}" = "--long" ] && profile=wheel
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

# The workspace's own lints leave this crate out: it needs an interpreter.
cargo clippy --release -p scotopic-python --no-deps -- -D warnings

"$python" -m venv "$place/build"
"$place/build/bin/pip" install -q 'maturin>=1.9,<2'
"$place/build/bin/maturin" build -q -m python/Cargo.toml --profile "$profile" -i "$place/build/bin/python" -o "$place/wheels"
wheel=$(ls "$place"/wheels/*.whl)
size=$(stat -c %s "$wheel")
echo "wheel: $size bytes"
# With the program, its figures and every kind of model: 3.2 MB measured.
if [ "$profile" = wheel ] && [ "$size" -gt 4000000 ]; then
  echo "the wheel has grown above 4 MB" && exit 1
fi

"$python" -m venv "$place/test"
"$place/test/bin/pip" install -q "$wheel" -r python/tests/requirements.txt
# From another folder: the package under test is the wheel.
tests=$PWD/python/tests
(cd "$place" && "$place/test/bin/python" -m pytest -q -p no:cacheprovider "$tests")
(cd "$place" && "$place/test/bin/python" -m pytest -q -p no:cacheprovider --doctest-modules --pyargs scotopic)

# The notebooks, whose data come with two packages; neither is imported.
"$place/test/bin/pip" install -q nbconvert ipykernel
"$place/test/bin/pip" install -q --no-deps nitime seglearn
for notebook in python/notebooks/*.ipynb; do
  echo "$notebook"
  "$place/test/bin/jupyter" nbconvert --to notebook --execute --log-level ERROR --stdout "$notebook" >/dev/null
done
