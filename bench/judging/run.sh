#!/usr/bin/env bash
# Judging clicks on the GPU beside judging them on the processor first, on this machine's adapter: run.sh [ROUNDS] [ITEMS...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh

cargo build --quiet --package ingle-gpu --example judging
node bench/judging/compare.mjs "$CARGO_TARGET_DIR/debug/examples/judging" "$@"
