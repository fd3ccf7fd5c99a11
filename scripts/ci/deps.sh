#!/usr/bin/env bash
# Dependencies point one way: root -> model -> bundle, root -> gpu -> model, model -> kernel, train -> model, train -> lm -> model,
# model -> layers -> kernel and bundle, lm -> kernel, train -> layers, train -> settings -> data -> model and kernel, train -> data, train -> kernel, train -> serve -> bundle,
# train -> doctor -> bundle, train -> delivery -> bundle, train -> metrics, train -> baselines -> data, metrics and kernel.
# What a crate must not reach is asked of `cargo tree`, so an indirect dependency is caught as well.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh

broken=0

# packages ARGS...: the names that a crate is built with, itself excluded, one a line.
packages() {
  cargo tree --quiet --edges normal --prefix none --format '{p}' "$@" | awk 'NR > 1 { print $1 }' | sort -u
}

# never WHO WHY PATTERN ARGS...: no package matching the pattern may be among WHO's.
never() {
  local who="$1" why="$2" pattern="$3" names found
  shift 3
  names="$(packages "$@")"
  [ -n "$names" ] || fail "cargo tree showed nothing for $who"
  found="$(grep -E -x "$pattern" <<<"$names" | tr '\n' ' ')" || true
  if [ -n "$found" ]; then
    echo "$who must not depend on: $found($why)" >&2
    broken=1
  fi
}

# exactly WHO EXPECTED: the crates of this workspace that WHO names itself.
exactly() {
  local who="$1" expected="$2" found
  found="$(cargo tree --quiet --edges normal --depth 1 --prefix none --format '{p}' --package "$who" |
    awk 'NR > 1 && $1 ~ /^ingle/ { print $1 }' | sort -u | paste -sd ' ' -)"
  if [ "$found" != "$expected" ]; then
    echo "$who should name '$expected' of the workspace, and names '$found'" >&2
    broken=1
  fi
}

exactly ingle-baselines "ingle-data ingle-kernel ingle-metrics ingle-model"
exactly ingle-bundle ""
exactly ingle-data "ingle-kernel ingle-model"
exactly ingle-delivery "ingle-bundle"
exactly ingle-doctor "ingle-bundle"
exactly ingle-gpu "ingle-bundle ingle-model"
exactly ingle-kernel ""
exactly ingle-layers "ingle-bundle ingle-kernel"
exactly ingle-lm "ingle-kernel ingle-model"
exactly ingle-metrics ""
exactly ingle-model "ingle-bundle ingle-kernel ingle-layers"
exactly ingle-serve "ingle-bundle"
exactly ingle-settings "ingle-data ingle-model"
exactly ingle "ingle-bundle ingle-model"
exactly ingle-train "ingle-baselines ingle-bundle ingle-data ingle-delivery ingle-doctor ingle-kernel ingle-layers ingle-lm ingle-metrics ingle-model ingle-serve ingle-settings"

for package in ingle-baselines ingle-bundle ingle-data ingle-delivery ingle-doctor ingle-kernel ingle-layers ingle-metrics ingle-serve ingle-settings; do
  never "$package" "bytes, slices and HTTP need no tensors" 'burn.*|cubecl.*|wgpu.*' --package "$package"
done
never ingle-model "the program chooses the backend" \
  'burn-(flex|ndarray|wgpu|optim)|rayon.*|tokio|wgpu.*' --package ingle-model
never ingle-kernel "arithmetic starts no threads" "rayon.*" --package ingle-kernel
never ingle-layers "arithmetic starts no threads" "rayon.*" --package ingle-layers
never ingle-lm "it knows titles, and no datasets or HTTP" 'ingle-(train|serve)|tokio|reqwest|hf-hub|onig' --package ingle-lm
for engine in cpu gpu; do
  never "ingle for wasm32 ($engine)" "the browser neither trains nor has threads" \
    'burn.*|cubecl.*|naga|rand.*|getrandom|rayon.*|tokio|tokenizers|clap|axum|arrow|parquet' \
    --package ingle --target wasm32-unknown-unknown --no-default-features --features "$engine"
done
never "ingle for wasm32 (cpu)" "it computes on slices" 'wgpu.*' \
  --package ingle --target wasm32-unknown-unknown --no-default-features --features cpu

for build in burn-cpu burn-gpu; do
  never "ingle for wasm32 ($build)" "the browser trains no model and has no threads" \
    'burn-(optim|train|ndarray)|rayon.*|tokio|tokenizers|clap|axum|arrow|parquet' \
    --package ingle --target wasm32-unknown-unknown --no-default-features --features "$build"
done
never "ingle for wasm32 (burn-cpu)" "it computes on the CPU, and learns there without Burn" 'wgpu.*|cubecl-wgpu|burn-autodiff' \
  --package ingle --target wasm32-unknown-unknown --no-default-features --features burn-cpu

# A crate may still reach for files or threads by itself; the model's clippy.toml forbids it there, this elsewhere.
if grep -rnE 'std::(fs|thread|net|process)\b' src; then
  echo "src/ runs in the browser, where these are not" >&2
  broken=1
fi

[ "$broken" = 0 ] && echo "every dependency points the right way"
exit "$broken"
