#!/usr/bin/env bash
# Clippy over everything native, then over what the browser runs, once for each engine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh

cargo clippy --quiet $everything --all-targets -- --deny warnings
for engine in cpu gpu; do
  echo "wasm32, $engine"
  cargo clippy --quiet --package ingle --all-targets --target wasm32-unknown-unknown \
    --no-default-features --features "$engine" -- --deny warnings
done
