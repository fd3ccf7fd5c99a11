#!/usr/bin/env bash
# The package's types, then its tests in Node, in Chromium and in Firefox.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh
CHROME="$(find_chrome)"
FIREFOX="$(find_firefox)"
export CHROME FIREFOX
npm run --silent check
npm run --silent test:js
npm run --silent test:browser
