#!/usr/bin/env bash
# Rust is formatted by rustfmt, and nothing else is a matter of taste.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cargo fmt --all --check
cargo fmt --all --check --manifest-path fuzz/Cargo.toml
cargo fmt --all --check --manifest-path tests/stores/Cargo.toml
