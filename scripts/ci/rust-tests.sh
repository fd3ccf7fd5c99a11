#!/usr/bin/env bash
# Every native test of the workspace.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh
cargo test $everything --quiet -- "$@"
