#!/usr/bin/env bash
# Serves the demo shop with a bundle until Ctrl-C: serve-demo.sh BUNDLE [--addr HOST:PORT]
# serve-demo.sh --build: compiles the server alone. It is the one of `ingle serve`, without the trainer around it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib.sh
cargo build --quiet --package ingle-serve
[ "${1:-}" != --build ] || exit 0
bundle="$1"
shift
printf '\n== The shop, until Ctrl-C\n'
exec "$CARGO_TARGET_DIR/debug/ingle-serve" "$bundle" --site www/dist "$@"
