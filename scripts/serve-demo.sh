#!/usr/bin/env bash
# Serves the demo shop with a folder's bundle and next until Ctrl-C: serve-demo.sh FOLDER [--addr HOST:PORT] [--after SECONDS]
# serve-demo.sh --build: compiles the server alone. It is the one of `ingle serve`, without the trainer around it; it
# makes keys, publishes the bundle as a signed release, and the next one while a page is open.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib.sh
cargo build --quiet --package ingle-serve --example demo
[ "${1:-}" != --build ] || exit 0
folder="$1"
shift
printf '\n== The shop, until Ctrl-C\n'
exec "$CARGO_TARGET_DIR/debug/examples/demo" www/dist "$folder/bundle" "$folder/next" "$@"
