#!/usr/bin/env bash
# The demo's bundle, from simulated shoppers to an export. Kept, so that the same sources train it only once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib.sh

folder="$(demo_folder)"
if [ -f "$folder/bundle/manifest.json" ]; then
  echo "trained before: $folder"
  exit
fi

build_ingle
partial="$folder.partial"
rm -rf "$partial"
mkdir -p "$partial"
"$ingle" simulate --out "$partial/log" --seed 7
"$ingle" prepare --interactions "$partial/log/interactions.csv" --items "$partial/log/items.csv" --out "$partial/data"
"$ingle" train --data "$partial/data" --config configs/demo.toml --out "$partial/run"
"$ingle" export "$partial/run" --out "$partial/bundle"
mv "$partial" "$folder"

# A few MB each: the latest five stay.
ls -1dt "$cache"/demo/*/ | tail -n +6 | while read -r old; do rm -rf "$old"; done
"$ingle" inspect "$folder/bundle"
