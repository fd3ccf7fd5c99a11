#!/usr/bin/env bash
# Whether docs/reference is what the package's types and the commands' --help say; with --write it is made so. Expects the program
# to be built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh
check=(--check)
if [ "${1:-}" = --write ]; then check=(); fi
build_ingle
node scripts/reference.mjs api ${check[@]+"${check[@]}"}
node scripts/reference.mjs cli "$ingle" ${check[@]+"${check[@]}"}
