#!/usr/bin/env bash
# Builds examples with the packed package and visits them in browsers: examples.sh [NAME...]. Expects the package to be built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib.sh
for name in "$@"; do
  [ -f "examples/$name/package.json" ] || fail "there is no example '$name', but $(cd examples && echo */ | tr -d /)"
done
case " ${*:-php wordpress} " in
  *" php "* | *" wordpress "*) scripts/setup.sh php ;;
esac
CHROME="$(find_chrome)"
FIREFOX="$(find_firefox)"
export CHROME FIREFOX EXAMPLES_WORK="$cache/examples"
if [ $# -gt 0 ]; then export EXAMPLES="$*"; fi
node --test tests/examples/*.test.mjs
