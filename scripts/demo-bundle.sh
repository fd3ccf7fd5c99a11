#!/usr/bin/env bash
# A bundle for the demo, from simulated shoppers to an export: demo-bundle.sh [--keep]
# The same sources train it only once. --keep: puts it in the place of the one in www/demo, which the demo shows.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib.sh

folder="$(demo_folder)"
if [ -f "$folder/bundle/manifest.json" ]; then
  echo "trained before: $folder"
else
  build_ingle
  partial="$folder.partial"
  rm -rf "$partial"
  mkdir -p "$partial"
  "$ingle" simulate --out "$partial/log" --seed 7
  "$ingle" prepare --interactions "$partial/log/interactions.csv" --items "$partial/log/items.csv" \
    --holdout-users 0.1 --out "$partial/data"
  "$ingle" train --data "$partial/data" --config configs/demo.toml --out "$partial/run"
  "$ingle" export "$partial/run" --out "$partial/bundle" --name Inglenook
  mv "$partial" "$folder"
  # A few MB each: the latest five stay.
  ls -1dt "$cache"/demo/*/ | tail -n +6 | while read -r old; do rm -rf "$old"; done
  "$ingle" inspect "$folder/bundle"
fi

if [ "${1:-}" = --keep ]; then
  rm -rf www/demo
  mkdir -p www/demo
  cp -R "$folder/bundle" www/demo/bundle
  cp "$folder/log/items.json" www/demo/items.json
fi
