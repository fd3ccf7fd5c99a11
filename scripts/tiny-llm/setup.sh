#!/usr/bin/env bash
# A completions server with a tiny language model, for the tests of crates/endpoint: llama-cpp-python, built
# from PyPI's source with as little of llama.cpp as serves a model on a processor, and a model of random weights.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

version=0.3.36
home="${XDG_CACHE_HOME:-$HOME/.cache}/ingle/tiny-llm"
python="$home/venv/bin/python"
# Changes with anything that it is made from.
stamp="$(cat setup.sh model.py | cksum)"

build() {
  rm -rf "$home"
  mkdir -p "$home"
  python3 -m venv "$home/venv"
  "$python" -m pip install --quiet --disable-pip-version-check 'cmake>=3.21,<4' ninja scikit-build-core
  # Its common library is for programs we do not need, and is half of the work.
  echo 'set(LLAMA_BUILD_COMMON OFF)' >"$home/without-common.cmake"
  # Compiled without optimisation: quick to build, and the model is tiny. Such a build is kept from pip's
  # cache, where others would find it.
  CMAKE_ARGS="-DLLAVA_BUILD=OFF -DGGML_NATIVE=OFF -DGGML_OPENMP=OFF -DGGML_LLAMAFILE=OFF -DGGML_CPU_REPACK=OFF \
-DCMAKE_CXX_FLAGS_RELEASE=-O0 -DCMAKE_C_FLAGS_RELEASE=-O1 -DCMAKE_PROJECT_llama.cpp_INCLUDE=$home/without-common.cmake" \
    PATH="$home/venv/bin:$PATH" \
    "$python" -m pip install --quiet --disable-pip-version-check --no-cache-dir --no-build-isolation \
    "llama-cpp-python[server]==$version"
  "$python" -m pip install --quiet --disable-pip-version-check gguf
  "$python" -m pip uninstall --quiet --yes cmake ninja scikit-build-core
  "$python" model.py "$home/model.gguf"
  echo "$stamp" >"$home/stamp"
}

[ "$(cat "$home/stamp" 2>/dev/null)" = "$stamp" ] || build
cat <<HELP
The server is in $home. To start it:
  $python -m llama_cpp.server --model $home/model.gguf --logits_all true --n_ctx 8192 --host 127.0.0.1 --port 8000
HELP
