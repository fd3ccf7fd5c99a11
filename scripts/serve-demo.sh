#!/usr/bin/env bash
# Serves the demo shop with its bundle until Ctrl-C: serve-demo.sh [--addr HOST:PORT]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib.sh
build_ingle
printf '\n== The shop\n'
exec "$ingle" serve "$(demo_folder)/bundle" --site www/dist "$@"
