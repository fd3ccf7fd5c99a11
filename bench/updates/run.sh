#!/usr/bin/env bash
# What a returning shopper fetches when the model is trained again, and what small updates cost in accuracy:
#   run.sh DATA [--out FOLDER] [--retrainings 10] [--seed 1] [--set K=V]... [--warm-set K=V]...
# --set is for every training, --warm-set for those that start from the one before. DATA has interactions.csv and items.csv. What is there already in FOLDER is kept and a training that was stopped goes
# on, so that the same command again does only what is left.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh

[ $# -gt 0 ] && [ "${1#--}" = "$1" ] || fail "bench updates takes the folder of the log first"
# INGLE trains with a program that is there already.
if [ -z "${INGLE:-}" ]; then
  build_ingle
  INGLE="$ingle"
fi
export INGLE
exec node bench/updates/measure.mjs "$@"
