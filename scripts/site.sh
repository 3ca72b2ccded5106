#!/usr/bin/env bash
# The documentation site, from docs/: built in a virtual environment of its own, and every link and anchor checked.
#   scripts/site.sh [FOLDER]     (target/site if left out); open FOLDER/index.html, or serve it with python3 -m http.server
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(realpath -m "${1:-target/site}")
venv=${SITE_VENV:-target/site-venv}

if [ ! -x "$venv/bin/mkdocs" ]; then
  "${PYTHON:-python3}" -m venv "$venv"
  "$venv/bin/pip" install -q -r scripts/site/requirements.txt
fi
# Nothing is looked up in the network: neither fonts nor versions.
NO_MKDOCS_2_WARNING=1 "$venv/bin/mkdocs" build -q --strict --clean --site-dir "$out"
"$venv/bin/python" scripts/site/links.py "$out"
