#!/usr/bin/env bash
# Publishes all crates in the order of their dependencies: scripts/publish.sh [--execute].
# Without --execute nothing is uploaded. Crates that depend on others of the workspace can then only be packaged until those
# are in the registry: their files are listed, and everything else of them is left to the tests.
set -euo pipefail
cd "$(dirname "$0")/.."

leaves=(scotopic-filtering scotopic-figures scotopic-measures scotopic-datasets)
others=(scotopic scotopic-models scotopic-train scotopic-cli)

case "${1:-}" in
  --execute)
    # One by one: cargo waits until the registry has each.
    for crate in "${leaves[@]}" "${others[@]}"; do
      cargo publish -p "$crate"
    done
    ;;
  "")
    for crate in "${leaves[@]}"; do
      cargo publish --dry-run --allow-dirty -p "$crate"
    done
    for crate in "${others[@]}"; do
      echo "== $crate"
      cargo package --list --allow-dirty -p "$crate"
    done
    ;;
  *)
    echo "usage: scripts/publish.sh [--execute]" >&2
    exit 2
    ;;
esac
