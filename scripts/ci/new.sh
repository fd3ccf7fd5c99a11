#!/usr/bin/env bash
# `ingle new` and the commands in its README, and then the page in Chromium. Expects the package to be built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh
CHROME="$(find_chrome)"
export CHROME
build_ingle
new_scratch
shop="$scratch/shop"
"$ingle" new "$shop" --package pkg --products 60 --shoppers 150
# The README's own lines but the last, which serves until it is stopped.
sed -n '/^```sh/,/^```/p' "$shop/README.md" | grep '^ingle ' | sed '$d' >"$scratch/commands"
[ "$(wc -l <"$scratch/commands")" = 4 ] || fail "the new shop's README should have five commands"
(
  cd "$shop"
  while read -r _ arguments; do
    # shellcheck disable=SC2086
    "$ingle" $arguments
  done <"$scratch/commands"
) >"$scratch/said" 2>&1 || fail "$(cat "$scratch/said")"
start_server "$shop/bundle" "$shop/page"
INGLE_URL="$server_url" node --test tests/new/*.test.mjs
"$ingle" doctor "$server_url"
