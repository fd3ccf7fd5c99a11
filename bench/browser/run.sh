#!/usr/bin/env bash
# Cold start and answer times of a bundle in headless Chromium: run.sh [BUNDLE] [--repeats N] [--answers N]
# Without BUNDLE: the demo's. Expects the npm package in pkg/dist.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh

bundle="$(demo_folder)/bundle"
if [ $# -gt 0 ] && [ "${1#--}" = "$1" ]; then
  bundle="$1"
  shift
fi
[ -f "$bundle/manifest.json" ] || fail "$bundle is not a bundle"

build_ingle
npx vite build --logLevel warn bench/browser/page
start_server "$bundle" bench/out/page
INGLE_URL="$server_url" CHROME="$(find_chrome)" node bench/browser/measure.mjs --bundle "$bundle" "$@"
