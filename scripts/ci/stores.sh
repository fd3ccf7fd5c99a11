#!/usr/bin/env bash
# Publishing to buckets, with servers of object stores on this machine; with --include-ignored to Azure's too, which
# `setup.sh azure` installs. Apart from the other native tests: the
# libraries of these stores change features of crates that Burn is built on.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh
export AZURITE="$tools/azurite/node_modules/azurite/dist/src/blob/main.js"
cargo test --quiet --locked --manifest-path tests/stores/Cargo.toml --target-dir "$CARGO_TARGET_DIR/stores" -- "$@"
# What of the workspace clippy.sh does not see, as it is behind a feature.
cargo clippy --quiet --locked --package ingle-delivery --features object-stores --target-dir "$CARGO_TARGET_DIR/stores" \
  --config 'profile.dev.package."*".opt-level=0' -- --deny warnings
