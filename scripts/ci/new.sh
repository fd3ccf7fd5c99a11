#!/usr/bin/env bash
# The shop's tutorial as it stands, with `ingle new`, and then the page that this wrote, in Chromium. Expects the package to be built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh
CHROME="$(find_chrome)"
export CHROME
build_ingle
new_scratch
INGLE="$ingle" TUTORIAL="$scratch" node --test tests/new/tutorial.test.mjs
start_server "$scratch/shop/bundle" "$scratch/shop/page"
INGLE_URL="$server_url" node --test tests/new/new.test.mjs
"$ingle" doctor "$server_url"
