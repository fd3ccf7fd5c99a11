#!/usr/bin/env bash
# Two of the examples, others every day, so that all are built within a week. Expects the package to be built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
all=(examples/*/package.json)
day=$((10#$(date -u +%j)))
two=()
for n in 0 1; do
  two+=("$(basename "$(dirname "${all[$(((2 * day + n) % ${#all[@]}))]}")")")
done
echo "of today: ${two[*]}"
EXAMPLES_IN=chromium scripts/examples.sh "${two[@]}"
