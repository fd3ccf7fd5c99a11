#!/usr/bin/env bash
# A bundle for the demo, from simulated shoppers to an export: demo-bundle.sh [--next | --keep]
# The same sources train it only once.
# --next: and the shop's next release, from 400 more shoppers and the model before, as a manifest and a delta.
# --keep: both, in the place of those in www/demo, which the demo shows.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib.sh

# train FOLDER SHOPPERS OPTIONS...: a log of so many shoppers, a dataset and a run, in the folder. Of more shoppers the
# first ones are the same.
train() {
  local into="$1" shoppers="$2"
  shift 2
  "$ingle" simulate --out "$into/log" --seed 7 --shoppers "$shoppers"
  "$ingle" prepare --interactions "$into/log/interactions.csv" --items "$into/log/items.csv" --holdout-users 0.1 --out "$into/data"
  "$ingle" train --data "$into/data" --config configs/demo.toml --out "$into/run" "$@"
}

folder="$(demo_folder)"
if [ -f "$folder/bundle/manifest.json" ]; then
  echo "trained before: $folder"
else
  build_ingle
  rm -rf "$folder"
  mkdir -p "$folder"
  train "$folder" 4000
  "$ingle" export "$folder/run" --out "$folder/whole" --name Inglenook
  mv "$folder/whole" "$folder/bundle"
  # A few MB each: the latest five stay.
  ls -1dt "$cache"/demo/*/ | tail -n +6 | while read -r old; do rm -rf "$old"; done
  "$ingle" inspect "$folder/bundle"
fi

if [ $# -gt 0 ] && [ ! -f "$folder/signed/next/manifest.json" ]; then
  build_ingle
  new_scratch
  train "$scratch" 4400 --warm-start "$folder/run" --set training.learning_rate=0.0002 --set training.epochs=10
  "$ingle" export "$scratch/run" --out "$scratch/next" --after "$folder/bundle" --name Inglenook
  cp -R "$folder/bundle" "$scratch/bundle"
  # With keys that nobody keeps: what is signed here is signed again by whoever serves it. Manifests get their
  # self-tests, and the second release its delta.
  "$ingle" keys new "$scratch/keys" --shop inglenook >/dev/null
  rm -rf "$folder/signed"
  mkdir -p "$folder/signed/bundle" "$folder/signed/next"
  for release in bundle next; do
    "$ingle" sign "$scratch/$release" --keys "$scratch/keys"
    "$ingle" publish "$scratch/served" --bundle "$scratch/$release" --keys "$scratch/keys"
    cp "$scratch/served/manifest.json" "$folder/signed/$release/manifest.json"
  done
  cp "$folder"/bundle/*-*.* "$folder/signed/bundle"
  mv "$scratch"/served/delta-*.bin "$folder/signed/next"
fi

if [ "${1:-}" = --keep ]; then
  rm -rf www/demo
  mkdir -p www/demo
  cp -R "$folder/signed/bundle" "$folder/signed/next" www/demo
  cp "$folder/log/items.json" www/demo/items.json
fi
