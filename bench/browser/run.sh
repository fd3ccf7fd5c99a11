#!/usr/bin/env bash
# In headless Chromium, on invented catalogues; expects the npm package in pkg/dist:
#   run.sh peers [--items N,N...] [--repeats N] [--answers N] [--engines cpu,gpu]   Ingle and its peers
#   run.sh life [--engine cpu|gpu] [--answers N] [--cycles N]                       a visit that does not end
#   run.sh methods RUN...                                                           a recommendation of each run's bundle
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh

cargo build --quiet $everything --example catalogue
[ -d bench/browser/node_modules/onnxruntime-web ] || npm install --silent --no-audit --no-fund --prefix bench/browser
npx vite build --logLevel warn bench/browser/page
CATALOGUE="$CARGO_TARGET_DIR/debug/examples/catalogue"
CHROME="$(find_chrome)"
export CATALOGUE CHROME
what="$1"
shift
case "$what" in
  peers)
    node bench/browser/measure.mjs "$@"
    echo "the engine alone, in Node, ms: median (fastest)"
    node bench/browser/alone.mjs
    echo "one thread of WebAssembly at most, in Node"
    node bench/browser/floor.mjs
    ;;
  life) node bench/browser/life.mjs "$@" ;;
  methods) node bench/browser/recommend.mjs "$@" ;;
esac
