#!/usr/bin/env bash
# What deny.toml allows. Advisories need a database from the network: with DENY_ADVISORIES=1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh
cargo deny --workspace --log-level error --all-features check licenses bans sources
if [ "${DENY_ADVISORIES:-}" = 1 ]; then
  cargo deny --workspace --log-level error --all-features check advisories
fi
