#!/usr/bin/env bash
# Makes docs/pictures/visit.webp from the demo shop. Expects the package and the shop to be built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib.sh
scripts/serve-demo.sh --build
ingle_serve="$CARGO_TARGET_DIR/debug/ingle-serve"
serve_with "$ingle_serve" www/demo/bundle --site www/dist
mkdir -p docs/pictures
CHROME="$(find_chrome)" node scripts/picture.mjs "$server_url" docs/pictures/visit.webp
