#!/usr/bin/env bash
# Time of a training epoch, `ingle train` against PyTorch and RecTools: run.sh [DATA] [--epochs N] [--batch-clicks N]
# DATA is a folder made by `ingle prepare`; without it, the demo's (small: for figures that matter give your own).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh

if [ $# -gt 0 ] && [ "${1#--}" = "$1" ]; then
  data="$1"
  shift
else
  scripts/demo-bundle.sh
  data="$(demo_folder)/data"
fi
[ -f "$data/dataset.json" ] || fail "$data is not a prepared dataset"

# The peers live in an environment of their own. Where pip is told to take PyTorch's CPU build, that is enough.
python="$cache/bench-train/bin/python"
if ! "$python" -c 'import pytorch_lightning, rectools, torch' 2>/dev/null; then
  command -v python3 >/dev/null || fail "the peers are PyTorch and RecTools: install Python 3.10 or newer"
  echo "installing PyTorch and RecTools"
  python3 -m venv "$cache/bench-train"
  "$python" -m pip install --quiet torch "rectools[torch]"
fi

build_ingle
INGLE="$ingle" PYTHON="$python" node bench/train/compare.mjs "$data" "$@"
