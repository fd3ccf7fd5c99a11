#!/usr/bin/env bash
# Visits to the served demo shop in Chromium, Firefox and WebKit, and to one that publishes signed releases meanwhile.
# Expects the package, the demo bundle and the shop to be built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh
CHROME="$(find_chrome)"
FIREFOX="$(find_firefox)"
export CHROME FIREFOX
build_ingle
cargo build --quiet $everything --example demo
export INGLE_DEMO="$CARGO_TARGET_DIR/debug/examples/demo"
start_server "$(demo_folder)/bundle" www/dist
# One file after the other: the GPU here is made of software, and two at once starve each other.
INGLE_URL="$server_url" node --test --test-concurrency=1 tests/e2e/*.test.mjs
# And what a shopper does, with the bundle that the demo shows and as it is served there: signed.
stop_server
serve_with "$INGLE_DEMO" www/dist www/demo/bundle www/demo/next --after 0
INGLE_URL="$server_url" node --test tests/e2e/shop.test.mjs
