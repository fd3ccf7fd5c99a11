#!/usr/bin/env bash
# The Rust tests that need a browser: the CPU engine in headless Chromium and Firefox, then the GPU engine
# in Chromium where there is no WebGPU adapter and on SwiftShader, which is an adapter made of software.
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
firefox="$(find_firefox)"

# browser_tests ENGINE BROWSER...: the engine's tests, in a browser that wasm-pack's options name.
# Options after the folder go to cargo as they are, both when the tests are built and when they run.
# Only the tests that run in a browser: linking others for it takes minutes.
browser_tests() {
  local engine="$1"
  shift
  wasm-pack --log-level warn test --headless "$@" --mode no-install . \
    --package ingle --profile web --no-default-features --features "$engine" --test browser
}

# in_chromium ENGINE FLAG...: with these flags.
in_chromium() {
  local engine="$1"
  shift
  node -e '
    const [binary, ...args] = process.argv.slice(1);
    console.log(JSON.stringify({ "goog:chromeOptions": { binary, args } }));
  ' "$chrome" --disable-background-networking --disable-component-update --no-first-run "$@" >"$settings"
  browser_tests "$engine" --chrome --chromedriver "$driver"
}

in_firefox() {
  node -e 'console.log(JSON.stringify({ "moz:firefoxOptions": { binary: process.argv[1] } }))' "$firefox" >"$settings"
  browser_tests "$1" --firefox --geckodriver "$(command -v geckodriver)"
}

echo "cpu engine, Chromium"
in_chromium cpu
echo "cpu engine, Firefox"
in_firefox cpu
echo "gpu engine, no adapter"
in_chromium gpu
echo "gpu engine, SwiftShader"
in_chromium gpu --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader
