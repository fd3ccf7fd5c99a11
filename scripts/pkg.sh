#!/usr/bin/env bash
# The npm package in pkg/dist: pkg.sh [ENGINE | --small]
# With the name of an engine (cpu, gpu, burn-cpu, burn-gpu) only that one is compiled; the others are taken as they were
# built last. --small leaves out the general engine, which takes minutes to compile, unless the whole package is there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib.sh

# Cargo links an engine anew whenever the other was built in between, so what is unchanged is told here.
stamp=node_modules/.cache/ingle-pkg
made_from="$(hash_of .cargo Cargo.lock Cargo.toml crates/bindgen crates/bundle crates/gpu crates/kernel crates/layers crates/model src js pkg/package.json package-lock.json tsconfig*.json)"
small=""
[ "${1:-}" != --small ] || { small=" --small" && shift; }
built="$(cat "$stamp" 2>/dev/null)" || true
if [ $# -eq 0 ] && [ -f pkg/dist/index.js ] && { [ "$built" = "$made_from" ] || [ "$built" = "$made_from$small" ]; }; then
  echo "unchanged since it was built"
  exit
fi
rm -f "$stamp"
if [ $# -gt 0 ]; then
  node js/build.mjs --only "$1"
  exit
fi
node js/build.mjs $small
mkdir -p "$(dirname "$stamp")"
echo "$made_from$small" >"$stamp"
