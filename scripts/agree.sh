#!/usr/bin/env bash
# Whether the engines recommend in Chromium what the native program does:
#   agree.sh [BUNDLE DATA] [--users N] [--engines NAMES] [--package DIR] [--program FILE]
# DATA is a prepared dataset; the histories are those of its test users. Without both: the demo's. NAMES are engines with
# commas between them (all: cpu,gpu,burn-cpu,burn-gpu). DIR has the npm package's files (pkg/dist), FILE is the native
# program (ingle).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib.sh

bundle="$(demo_folder)/bundle"
data="$(demo_folder)/data"
if [ $# -gt 0 ] && [ "${1#--}" = "$1" ]; then
  [ $# -ge 2 ] || fail "agree takes a bundle and the dataset it was trained on, or neither"
  bundle="$1"
  data="$2"
  shift 2
fi
users=200
engines=cpu,gpu,burn-cpu,burn-gpu
package=pkg/dist
program=""
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || fail "$1 takes a value"
  case "$1" in
    --users) users="$2" ;;
    --engines) engines="$2" ;;
    --package) package="$2" ;;
    --program) program="$2" ;;
    *) fail "agree takes --users, --engines, --package and --program, not '$1'" ;;
  esac
  shift 2
done

[ -n "$program" ] || build_ingle
new_scratch
site="$scratch/site"
mkdir "$site"
cp tests/agreement/index.html tests/agreement/page.js "$site/"
cp -R "$package" "$site/ingle"
"${program:-$ingle}" recommend "$bundle" --data "$data" --users "$users" >"$scratch/answers.jsonl"
serve_with "${program:-$ingle}" serve "$bundle" --site "$site"
INGLE_URL="$server_url" INGLE_ENGINES="$engines" CHROME="$(find_chrome)" node tests/agreement/agree.mjs <"$scratch/answers.jsonl"
