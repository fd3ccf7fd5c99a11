#!/usr/bin/env bash
# Every crate as cargo packs it for a registry: what it needs to be published is in it. Nothing is compiled.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh
new_scratch
CARGO_TARGET_DIR="$scratch" cargo package --quiet --workspace --no-verify --allow-dirty 2>"$scratch/said" || fail "$(cat "$scratch/said")"
wanted="$(ls crates | sed 's/^/ingle-/'; echo ingle)"
for crate in $wanted; do
  packed="$(ls "$scratch/package/$crate"-[0-9]*.crate 2>/dev/null)" || fail "$crate is not packed"
  [ "$(wc -l <<<"$packed")" = 1 ] || fail "$crate is packed more than once: $packed"
  root_of="$(basename "$packed" .crate)"
  for file in Cargo.toml README.md LICENSE-MIT LICENSE-APACHE; do
    # Not only a link to a file that lies elsewhere.
    [ -n "$(tar -xOzf "$packed" "$root_of/$file" 2>/dev/null)" ] || fail "$crate is packed without $file"
  done
  manifest="$(tar -xOzf "$packed" "$root_of/Cargo.toml")"
  for key in description license readme rust-version; do
    grep -q "^$key = " <<<"$manifest" || fail "$crate has no $key"
  done
  [ "$(wc -c <"$packed")" -lt 1000000 ] || fail "$crate has $(wc -c <"$packed") bytes: something in it is not its own"
done
echo "$(wc -l <<<"$wanted") crates are packed whole"
