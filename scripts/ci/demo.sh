#!/usr/bin/env bash
# Whether the bundle in www/demo, which ./build.sh demo shows untrained, is one that today's program would make: of the
# same products under the same ids, whole, and read by the program. Expects the demo bundle to be trained.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh
build_ingle
folder="$(demo_folder)"
stale="www/demo is not of today's catalogue: write it anew by scripts/demo-bundle.sh --keep"
cmp "$folder/log/items.json" www/demo/items.json || fail "$stale"
cat "$folder"/bundle/ids-*.json | cmp - <(cat www/demo/bundle/ids-*.json) || fail "$stale"
"$ingle" inspect www/demo/bundle
