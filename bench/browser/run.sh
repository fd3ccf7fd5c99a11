#!/usr/bin/env bash
# Ingle and its peers in headless Chromium, on invented catalogues: run.sh [--items N,N...] [--repeats N]
# [--answers N] [--engines cpu,gpu]. Expects the npm package in pkg/dist.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh

cargo build --quiet --package ingle-model --example catalogue
[ -d bench/browser/node_modules/onnxruntime-web ] || npm install --silent --no-audit --no-fund --prefix bench/browser
npx vite build --logLevel warn bench/browser/page
CATALOGUE="$CARGO_TARGET_DIR/debug/examples/catalogue" CHROME="$(find_chrome)" node bench/browser/measure.mjs "$@"
echo "the engine alone, in Node, ms: median (fastest)"
node bench/browser/alone.mjs
