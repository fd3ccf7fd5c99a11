#!/usr/bin/env bash
# Visits with different histories, consents and events in Chromium and in Firefox, against hosts that mark every answer: are they
# asked for anything but the classes of requests of docs/guides/privacy.md? run.sh [VISITS [SEED]], 500 in each browser by default.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh
CHROME="$(find_chrome)"
FIREFOX="$(find_firefox)"
export CHROME FIREFOX INGLE_VISITS="${1:-500}" INGLE_SEED="${2:-1}"
node tests/js/run.mjs browser requests.test.ts
