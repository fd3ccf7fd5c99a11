#!/usr/bin/env bash
# The npm package, complete, in pkg/dist: pkg.sh [cpu | gpu]
# With the name of an engine only that one is compiled; the other is taken as it was built last.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib.sh

# Cargo links an engine anew whenever the other was built in between, so what is unchanged is told here.
stamp=node_modules/.cache/ingle-pkg
made_from="$(hash_of .cargo Cargo.lock Cargo.toml crates/bindgen crates/bundle crates/kernel crates/model src js pkg/package.json package-lock.json tsconfig*.json)"
if [ $# -eq 0 ] && [ -f pkg/dist/index.js ] && [ "$(cat "$stamp" 2>/dev/null)" = "$made_from" ]; then
  echo "unchanged since it was built"
  exit
fi
rm -f "$stamp"
node js/build.mjs ${1:+--only "$1"}
if [ $# -eq 0 ]; then
  mkdir -p "$(dirname "$stamp")"
  echo "$made_from" >"$stamp"
fi
