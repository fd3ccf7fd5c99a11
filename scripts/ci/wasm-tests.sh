#!/usr/bin/env bash
# The Rust tests that need a browser, in headless Chromium: the CPU engine, then the GPU engine where
# there is no WebGPU adapter and on SwiftShader, which is an adapter made of software.
# Built with the development profile, whose overflow checks and assertions are on; the engines as
# shipped are what the package's own tests and the end-to-end tests run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib.sh

settings="$(mktemp)"
trap 'rm -f "$settings"' EXIT
export WASM_BINDGEN_TEST_WEBDRIVER_JSON="$settings"
# Compiling shaders for a software adapter takes its time.
export WASM_BINDGEN_TEST_TIMEOUT=300
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
  wasm-pack --log-level warn test --headless --chrome --chromedriver "$driver" --mode no-install . -- \
    --no-default-features --features "$engine"
}

echo "cpu engine"
browser_tests cpu
echo "gpu engine, no adapter"
browser_tests gpu
echo "gpu engine, SwiftShader"
browser_tests gpu --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader
