#!/usr/bin/env bash
# How time and memory grow with clicks and with the catalogue: run.sh [--up-to CLICKS] [--epochs N]
# --epochs 0 leaves training out; the largest logs take a few GB of disk under TMPDIR while they are measured.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh

# INGLE measures a program that is there already.
if [ -z "${INGLE:-}" ]; then
  build_ingle
  INGLE="$ingle"
fi
INGLE="$INGLE" node bench/growth/compare.mjs "$@"
