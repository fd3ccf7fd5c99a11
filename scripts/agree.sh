#!/usr/bin/env bash
# Whether both engines recommend in Chromium what the native program does: agree.sh [BUNDLE DATA] [--users N]
# DATA is a prepared dataset; the histories are those of its test users. Without both: the demo's.
# Expects the npm package in pkg/dist.
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
[ "${1:---users}" = --users ] || fail "agree takes --users N, not '$1'"
users="${2:-200}"

build_ingle
new_scratch
site="$scratch/site"
mkdir "$site"
cp tests/agreement/index.html tests/agreement/page.js "$site/"
cp -R pkg/dist "$site/ingle"
"$ingle" recommend "$bundle" --data "$data" --users "$users" >"$scratch/answers.jsonl"
start_server "$bundle" "$site"
INGLE_URL="$server_url" CHROME="$(find_chrome)" node tests/agreement/agree.mjs <"$scratch/answers.jsonl"
