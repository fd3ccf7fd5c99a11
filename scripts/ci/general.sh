#!/usr/bin/env bash
# The general engine answers in Chromium as the native program does: general.sh [N], N histories, 50 by default.
# Every method over every built-in backbone, on the CPU and through WebGPU on an adapter made of software; the same for a
# backbone and a method that only the example package has. All are trained on a small log.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh

users="${1:-50}"
own=ingle-example-backbone
cargo build --quiet $everything --bin "$own"
program="$CARGO_TARGET_DIR/debug/$own"
package="$CARGO_TARGET_DIR/ingle-package-$own"
scripts/general.sh "$own" "$package"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
"$program" simulate --out "$work/log" --products 60 --shoppers 150 --seed 3 >/dev/null
"$program" prepare --interactions "$work/log/interactions.csv" --items "$work/log/items.csv" --holdout-users 0.1 --out "$work/data" >/dev/null 2>&1
small="--set backbone.width=16 --set backbone.feed_forward=32 --set backbone.max_len=12 --set backbone.dropout=0.1
  --set training.batch_clicks=256 --set training.learning_rate=0.005 --set training.epochs=6
  --set denoising.batch_clicks=512 --set denoising.epochs=2"

for kind in sasrec gru4rec gated-convolution; do
  from=""
  methods="none dc4sr iadsr mgsd-wss"
  [ "$kind" != sasrec ] || methods="$methods agreement"
  for method in $methods; do
    run="$work/$kind-$method"
    # The first run's backbone is that of the others.
    "$program" train --data "$work/data" --method "$method" --out "$run" $from $small --set backbone.kind="$kind" >"$work/log.txt" 2>&1 ||
      { cat "$work/log.txt" >&2; exit 1; }
    from="--from $work/$kind-none"
    "$program" export "$run" --out "$run-bundle" >/dev/null 2>&1
    engines=burn-cpu
    [ "$kind" = gated-convolution ] && [ "$method" != dc4sr ] || engines=burn-cpu,burn-gpu
    printf '\n%s over %s' "$method" "$kind"
    scripts/agree.sh "$run-bundle" "$work/data" --users "$users" --engines "$engines" --package "$package" --program "$program"
  done
done
