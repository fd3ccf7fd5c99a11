#!/usr/bin/env bash
# The package as npm packs it, installed into new projects and built by every bundler. Expects it to be built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh
CHROME="$(find_chrome)"
export CHROME
node --test --test-concurrency=1 tests/packaging/*.test.mjs
