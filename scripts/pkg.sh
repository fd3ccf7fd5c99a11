#!/usr/bin/env bash
# The npm package, complete, in pkg/dist.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib.sh
npm run --silent build
