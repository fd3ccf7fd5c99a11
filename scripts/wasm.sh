#!/usr/bin/env bash
# Both engines, from one crate with different features, into pkg/dist.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib.sh
node js/build.mjs --wasm-only
