#!/usr/bin/env bash
# Fuzzing: fuzz.sh build | run SECONDS [TARGET...] | shrink [TARGET...]
#   build  all targets, with the coverage that libFuzzer reads, on the stable toolchain
#   run    each target for so many seconds, two at a time, from the seeds; fails at the first input that breaks a
#          promise and says where it lies. With FUZZ_KEEP=1 what is found stays in the cache and is begun with; with
#          FUZZ_SEED=N libFuzzer draws from that seed and not by chance.
#   shrink leaves the fewest inputs in the cache that reach what all of them reach
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib.sh

targets="manifest tensors ids logs settings http signed delta"
host="$(rustc -vV | sed -n 's/^host: //p')"
binaries="$CARGO_TARGET_DIR/fuzz/$host/release"
found="$cache/fuzz"

# One at a time may take this long, in seconds, and hold this much, in MiB.
limits="-timeout=10 -rss_limit_mb=2048"

build() {
  local flags="-Cpasses=sancov-module"
  for flag in level=4 inline-8bit-counters pc-table trace-compares; do
    flags+=" -Cllvm-args=-sanitizer-coverage-$flag"
  done
  # With --target the flags are for the targets alone, not for what the build itself runs.
  RUSTFLAGS="$flags" cargo build --quiet --release --bins --manifest-path fuzz/Cargo.toml \
    --target "$host" --target-dir "$CARGO_TARGET_DIR/fuzz"
}

# options TARGET: what libFuzzer is told of one.
options() {
  echo "$limits -max_len=$(max_len "$1")"
  if [ -f "fuzz/dictionaries/$1.dict" ]; then echo "-dict=fuzz/dictionaries/$1.dict"; fi
}

max_len() {
  case "$1" in
    tensors | logs) echo 16384 ;;
    *) echo 4096 ;;
  esac
}

# fuzz TARGET SECONDS: one target; a line for the table in $scratch/TARGET.line.
fuzz() {
  local target="$1" seconds="$2" corpus="$scratch/$1" log="$scratch/$1.log" crashes="$found/crashes/$1" status=0
  if [ "${FUZZ_KEEP:-}" = 1 ]; then corpus="$found/corpus/$target"; fi
  mkdir -p "$corpus" "$crashes" "$scratch/$target.tmp"
  # A panic says its place in a line; the stack of a large program takes longer to print than an input may.
  RUST_BACKTRACE=0 TMPDIR="$scratch/$target.tmp" "$binaries/$target" $(options "$target") -max_total_time="$seconds" \
    -seed="${FUZZ_SEED:-0}" -print_final_stats=1 -artifact_prefix="$crashes/" "$corpus" "fuzz/seeds/$target" >"$log" 2>&1 || status=$?
  # libFuzzer's word for a signal from outside.
  [ "$status" != 72 ] || fail "$target was interrupted"
  if [ "$status" != 0 ]; then
    tail -n 60 "$log"
    echo "$target: an input broke a promise: run $binaries/$target on the file named above" >&2
    return 1
  fi
  line "$target" "$seconds" "$log" >"$scratch/$target.line"
}

line() {
  local runs edges features inputs
  runs="$(sed -n 's/^stat::number_of_executed_units: *//p' "$3")"
  read -r edges features inputs < <(sed -n 's/.* cov: \([0-9]*\) ft: \([0-9]*\) corp: \([0-9]*\).*/\1 \2 \3/p' "$3" | tail -n 1)
  [ -n "$runs" ] && [ -n "$edges" ] || fail "$1 printed no figures"
  [ "$runs" -gt 100 ] || fail "$1 ran $runs inputs in $2 s: that is no fuzzing"
  printf '%-9s %12s runs %9s /s %7s edges %7s features %6s inputs\n' \
    "$1" "$runs" "$((runs / ($2 > 0 ? $2 : 1)))" "$edges" "$features" "$inputs"
}

run() {
  local seconds="$1" target pids="" failed=0
  shift
  [ $# -gt 0 ] || set -- $targets
  new_scratch
  while [ $# -gt 0 ]; do
    pids=""
    for target in "$1" "${2:-}"; do
      [ -n "$target" ] || continue
      fuzz "$target" "$seconds" &
      pids+=" $!"
    done
    for pid in $pids; do wait "$pid" || failed=1; done
    [ "$failed" = 0 ] || fail "fuzzing found something"
    cat "$scratch/$1.line" ${2:+"$scratch/$2.line"}
    shift $(($# > 1 ? 2 : 1))
  done
}

shrink() {
  local target before after
  [ $# -gt 0 ] || set -- $targets
  new_scratch
  for target in "$@"; do
    before="$found/corpus/$target" after="$scratch/$target"
    mkdir -p "$before" "$after" "$scratch/$target.tmp"
    TMPDIR="$scratch/$target.tmp" "$binaries/$target" $(options "$target") -merge=1 "$after" "$before" \
      >"$scratch/log" 2>&1 || { tail "$scratch/log"; fail "$target"; }
    printf '%-9s %6d inputs of %d\n' "$target" "$(find "$after" -type f | wc -l)" "$(find "$before" -type f | wc -l)"
    rm -rf "$before"
    mv "$after" "$before"
  done
}

command="${1:-}"
[ $# -gt 0 ] && shift
case "$command" in
  build) build ;;
  run) [ $# -gt 0 ] || fail "run takes the seconds of each target"; build && run "$@" ;;
  shrink) build && shrink "$@" ;;
  *) fail "fuzz.sh takes 'build', 'run' or 'shrink', not '$command'" ;;
esac
