#!/usr/bin/env bash
# The weights server beside nginx, and under many, slow and deploying clients: run.sh [--rounds N] [--seconds N] [--short]
# --short leaves the slow connections and the million requests out. Everything stays on 127.0.0.1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh

for tool in nginx wrk; do
  PATH="$PATH:/usr/sbin" command -v "$tool" >/dev/null || fail "the benchmark needs $tool, which is not installed"
done
cargo build --quiet --release --package ingle-serve --bin ingle-serve --example bundle
new_scratch
if [[ " $* " != *" --short "* ]]; then
  cargo test --quiet --release --package ingle-serve --test server -- --ignored --nocapture --test-threads 1 |
    tee "$scratch/tests.log"
fi
PATH="$PATH:/usr/sbin" SCRATCH="$scratch" PROGRAMS="$CARGO_TARGET_DIR/release" node bench/serve/compare.mjs "$@"
