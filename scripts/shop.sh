#!/usr/bin/env bash
# The demo shop, built as a shop would build itself, into www/dist. Expects the package and the demo bundle.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib.sh
INGLE_ITEMS="$(demo_folder)/log/items.json" npm run --silent --workspace www build
