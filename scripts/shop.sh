#!/usr/bin/env bash
# The demo shop, built as a shop would build itself, into www/dist. Expects the package to be built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib.sh
stamp=node_modules/.cache/ingle-shop
made_from="$(hash_of www/demo/items.json www/index.html www/package.json www/public www/src www/tsconfig.json www/vite.config.js www/worker pkg/dist)"
if [ -f www/dist/index.html ] && [ "$(cat "$stamp" 2>/dev/null)" = "$made_from" ]; then
  echo "unchanged since it was built"
  exit
fi
rm -f "$stamp"
npm run --silent --workspace www build
mkdir -p "$(dirname "$stamp")"
echo "$made_from" >"$stamp"
