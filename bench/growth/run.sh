#!/usr/bin/env bash
# How time and memory grow with clicks and with the catalogue: run.sh [--up-to CLICKS] [--epochs N]
# --epochs 0 leaves training out; the largest logs take a few GB of disk under TMPDIR while they are measured.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh

# Optimised in full here, unlike the tests' build. INGLE measures a program that is there already.
if [ -z "${INGLE:-}" ]; then
  cargo build --quiet --release --workspace --bin ingle
  INGLE="$CARGO_TARGET_DIR/release/ingle"
fi
INGLE="$INGLE" node bench/growth/compare.mjs "$@"
