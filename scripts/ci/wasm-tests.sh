#!/usr/bin/env bash
# The Rust tests that need a browser, in headless Chromium: the CPU engine, the general one on the CPU, then the GPU engine
# where there is no WebGPU adapter and on SwiftShader, which is an adapter made of software.
# Built with the profile of the shipped engines, so that Burn is compiled for the browser once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh

settings="$(mktemp)"
trap 'rm -f "$settings"' EXIT
export WASM_BINDGEN_TEST_WEBDRIVER_JSON="$settings"
# Compiling shaders for a software adapter takes its time.
export WASM_BINDGEN_TEST_TIMEOUT=600
# A shop cannot isolate its origin, so the tests do without as well.
export WASM_BINDGEN_TEST_NO_ORIGIN_ISOLATION=1
chrome="$(find_chrome)"
driver="$(find_chromedriver)"

# browser_tests ENGINE FLAG...: the engine's tests in a Chromium started with these flags.
browser_tests() {
  local engine="$1"
  shift
  node -e '
    const [binary, ...args] = process.argv.slice(1);
    console.log(JSON.stringify({ "goog:chromeOptions": { binary, args } }));
  ' "$chrome" --disable-background-networking --disable-component-update --no-first-run "$@" >"$settings"
  # Options after the folder go to cargo as they are, both when the tests are built and when they run.
  # Only the tests that run in a browser: linking others for it takes minutes.
  wasm-pack --log-level warn test --headless --chrome --chromedriver "$driver" --mode no-install . \
    --package ingle --profile web --no-default-features --features "$engine" --test browser
}

echo "cpu engine"
browser_tests cpu
echo "general engine on the cpu"
browser_tests burn-cpu
echo "gpu engine, no adapter"
browser_tests gpu
echo "gpu engine, SwiftShader"
browser_tests gpu --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader
