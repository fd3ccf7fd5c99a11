#!/usr/bin/env bash
# The demo shop, built as a shop would build itself, into www/dist.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib.sh
npm run --silent --workspace www build
