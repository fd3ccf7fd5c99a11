#!/usr/bin/env bash
# What deny.toml allows. Advisories need a database from the network: with DENY_ADVISORIES=1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh
# What is built is what the lock files say.
for manifest in Cargo.toml fuzz/Cargo.toml tests/stores/Cargo.toml; do
  cargo metadata --quiet --locked --format-version 1 --manifest-path "$manifest" >/dev/null
done
cargo deny --workspace --log-level error --all-features check licenses bans sources
if [ "${DENY_ADVISORIES:-}" = 1 ]; then
  cargo deny --workspace --log-level error --all-features check advisories
fi
