#!/usr/bin/env bash
# The package's types, then its tests in Node and in Chromium.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh
CHROME="$(find_chrome)"
export CHROME
npm run --silent check
npm run --silent test:js
npm run --silent test:browser
