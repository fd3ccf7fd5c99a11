#!/usr/bin/env bash
# The npm package with the general engine of another package of the workspace: general.sh NAME DIR
# What is unchanged since it was built stays.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib.sh

[ $# -eq 2 ] || fail "general takes the name of a package that registers backbones, and a folder for the npm package"
made_from="$(hash_of .cargo Cargo.lock Cargo.toml crates/bindgen crates/bundle crates/gpu crates/kernel crates/layers crates/model examples/backbone src js pkg/package.json package-lock.json tsconfig*.json)"
if [ "$(cat "$2/.made-from" 2>/dev/null)" = "$made_from" ]; then
  echo "unchanged since it was built"
  exit
fi
node js/build.mjs --general "$1" --out "$2"
echo "$made_from" >"$2/.made-from"
