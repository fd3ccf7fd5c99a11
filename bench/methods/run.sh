#!/usr/bin/env bash
# Trains every method on real data with several seeds and writes the table of methods:
#   run.sh DATA [--out FOLDER] [--seeds "1 2 3"] [--methods "dc4sr sasrec"] [--datasets "ml-100k beauty"] [--set K=V]...
# DATA has a folder for each dataset with interactions.csv and items.csv. What is there already in FOLDER is kept and
# a training that was stopped goes on, so that the same command again does only what is left.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh

[ $# -gt 0 ] && [ "${1#--}" = "$1" ] || fail "bench methods takes the folder of the datasets first"
data="$1"
shift
out="$root/bench/out/methods"
seeds="1 2 3"
# The first trains backbone and folds, and the others of the same seed take them over.
methods="dc4sr sasrec iadsr mgsd-wss"
datasets="ml-100k beauty"
browser=false
# The language model's reading of the log takes longer than everything else, and no other method has any.
sets=(--set denoising.reader_histories=0)
while [ $# -gt 0 ]; do
  case "$1" in
    --out) out="$2" ;;
    --seeds) seeds="$2" ;;
    --methods) methods="$2" ;;
    --datasets) datasets="$2" ;;
    --set) sets+=(--set "$2") ;;
    --browser)
      browser=true
      shift
      continue
      ;;
    *) fail "bench methods does not take '$1'" ;;
  esac
  shift 2
done

# INGLE trains with a program that is there already.
if [ -z "${INGLE:-}" ]; then
  build_ingle
  INGLE="$ingle"
fi
export INGLE
scripts/fetch-lm

prepare() {
  local name="$1"
  [ -f "$out/data/$name/dataset.json" ] && return
  [ -f "$data/$name/interactions.csv" ] || fail "$data/$name has no interactions.csv"
  "$INGLE" prepare --ties as-read --interactions "$data/$name/interactions.csv" --items "$data/$name/items.csv" \
    --holdout-users 0.1 --out "$out/data/$name"
}

finished() {
  grep -q '"finished": true' "$1/run.json" 2>/dev/null
}

# train NAME METHOD SEED LENDER: into $out/runs/NAME-METHOD-SEED, from the run LENDER where there is one.
train() {
  local name="$1" method="$2" seed="$3" lender="$4" config
  local run="$out/runs/$name-$method-$seed"
  finished "$run" && return
  if [ -f "$run/run.json" ]; then
    "$INGLE" train --out "$run" --resume
    return
  fi
  config="configs/$name-$method.toml"
  [ -f "$config" ] || config="configs/$name.toml"
  "$INGLE" train --data "$out/data/$name" --config "$config" --method "$method" ${lender:+--from "$lender"} \
    --set "seed=$seed" "${sets[@]}" --out "$run"
}

known=""
for method in $methods; do
  if "$INGLE" train --help | grep -Eq "(^|[ ,])$method([ ,]|\$)"; then
    known+="$method "
  else
    echo "passed over $method: this program has no such method"
  fi
done

mkdir -p "$out/runs"
runs=()
all=$(($(wc -w <<<"$known") * $(wc -w <<<"$seeds") * $(wc -w <<<"$datasets")))
for name in $datasets; do
  prepare "$name"
  for seed in $seeds; do
    lender=""
    for method in $known; do
      run="$out/runs/$name-$method-$seed"
      printf '\n%d of %d: %s\n' $((${#runs[@]} + 1)) "$all" "$(basename "$run")"
      train "$name" "$method" "$seed" "$lender"
      finished "$run" || fail "stopped; the same command goes on"
      lender="${lender:-$run}"
      runs+=("$run")
    done
  done
done

if "$browser"; then
  asked=()
  for run in "${runs[@]}"; do
    [ -f "$run/browser.json" ] && continue
    "$INGLE" export "$run" --out "$run/bundle"
    asked+=("$run")
  done
  [ ${#asked[@]} -eq 0 ] || bench/browser/run.sh methods "${asked[@]}"
fi
"$INGLE" report "${runs[@]}" --by-method --out "$out/methods.html" --json "$out/methods.json" \
  --markdown "$out/methods.md" --pictures "$out/pictures"
