#!/usr/bin/env bash
# The one entry to everything: builds, demo, tests, benchmarks. Safe to run again at any time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source scripts/lib.sh

usage() {
  cat <<'HELP'
Usage: ./build.sh COMMAND

  demo [--train] [--addr HOST:PORT] [--after SECONDS]
                           build the package, serve the demo shop with the bundle in www/demo in a signed release, and publish
                           a second one a minute after the first visit or by Enter; --train: with bundles trained now
  test                     every check and test, as CI runs them
  setup                    install what the other commands need (they do so themselves)
  wasm [ENGINE]            the engines: all, or one (cpu, gpu, burn-cpu, burn-gpu) with the others as they were built last
  pkg                      the npm package in pkg/dist, and the sizes of its files
  examples [NAME...]       shops in examples/, built with the package and visited in browsers
  reference                docs/reference, from the package's types and the commands' --help
  book                     the documents as a book with a search, in bench/out/book
  picture                  the README's moving picture, of the demo shop in Chromium
  agree [BUNDLE DATA]      whether both engines recommend in Chromium what the native program does
  bench browser            cold start, answer times and memory against onnxruntime-web and TensorFlow.js
  bench life               memory and listeners over 20,000 recommendations and 200 recommenders
  bench requests [VISITS]  what hosts are asked for over 1,000 visits, 500 in each browser, whatever is clicked
  bench faults [--write]   what answers under 20 faults of a bundle's host, two browsers, every consent; --write: the guide's table
  bench endings            a tab that is closed at every step of moving to a signed release, in two browsers
  bench forgetting         what is left after every way to forget, in 340 situations and two browsers
  bench interleavings [N]  10,000 seeded orders of three tabs over two deploys: never without a whole bundle, never the older last
  bench train [DATA]       time of a training epoch against PyTorch, on a prepared dataset
  bench methods DATA       every method on real data with three seeds, and their table; hours, can be stopped
  bench updates DATA       what a returning shopper fetches when the model is trained again, and what small updates cost in accuracy
  bench baselines DATASET  simple recommenders on a prepared dataset, to compare a model with; --json has every figure
  bench fuzz [SECONDS] [TARGET...]
                           every fuzz target, or some, so long each (an hour); what is found is kept and begun with
  bench stores             publishing to servers of S3 and of Azure, which `test` does to S3's alone
  bench serve              the weights server beside nginx (needs nginx and wrk), and under slow, many and deploying clients
  bench house              how large the project is: lines, settings and times of builds, beside their targets
  bench judging [ROUNDS]   clicks judged on the GPU beside clicks judged on the processor first
  bench growth             how time and memory grow, from 10^4 to 10^7 clicks and to 10^6 items
  help                     this text

Needs rustup and Node 20.19 or newer, and for the tests python3 with pip or venv (scripts/fetch-lm); the rest
is installed under ~/.cache/ingle and node_modules.

Environment:
  CHROME, CHROMEDRIVER     the browser and driver for tests (else those on PATH)
  FIREFOX                  the other browser (likewise; Debian's firefox-esr does)
  CARGO_TARGET_DIR         where cargo builds (else ~/.cache/ingle/target, shared by all clones)
  DENY_ADVISORIES=1        also check dependencies against the advisory database
HELP
}

setup() {
  step "Rust for the browser" scripts/setup.sh rust
  step "npm packages" scripts/setup.sh npm
}

setup_for_tests() {
  setup
  step "Browser for tests" scripts/setup.sh browser
  step "Vulkan for tests" scripts/setup.sh vulkan
  step "Tools for tests" scripts/setup.sh test-tools
  step "Language model for tests" scripts/fetch-lm
}

pkg() {
  step "npm package" scripts/pkg.sh
  times
  scripts/sizes.mjs
}

demo() {
  local releases=www/demo
  if [ "${1:-}" = --train ]; then
    shift
    releases="$(demo_folder)/signed"
  fi
  cat <<'PLAN'
The demo shop, whose recommendations your browser computes. The first time this compiles the two engines and the
server, which takes minutes; after that it is there in seconds. Nothing is installed outside ~/.rustup, ~/.cargo,
~/.cache/ingle and node_modules but a C compiler, if there is none. The shop signs what it publishes: open the page,
and a minute later, or when you press Enter here, it moves to a second release.
PLAN
  about "Rust's WebAssembly target."
  step "Rust for the browser" scripts/setup.sh rust
  about "Vite, TypeScript and the tests' libraries, into node_modules."
  step "npm packages" scripts/setup.sh npm
  about "The engines for the CPU and the GPU, compiled to WebAssembly, and the JavaScript around them."
  step "npm package" scripts/pkg.sh --small
  if [ "$releases" != www/demo ]; then
    about "Compiles the trainer, with a deep-learning framework in it, simulates shoppers and trains a model on their clicks, and then a second one."
    step "Demo bundle" scripts/demo-bundle.sh --next
  fi
  about "The shop's pages, built by Vite with the package as any shop would."
  step "Demo shop" scripts/shop.sh
  about "A small web server for the shop and its bundle, which it publishes in signed releases."
  step "Server" scripts/serve-demo.sh --build
  times
  scripts/serve-demo.sh "$releases" "$@"
}

examples() {
  setup
  step "Browser for tests" scripts/setup.sh browser
  step "npm package" scripts/pkg.sh
  step "Examples" scripts/examples.sh "$@"
  times
}

reference() {
  setup
  step "Program" build_ingle
  step "Reference" scripts/ci/reference.sh --write
  times
}

picture() {
  setup
  step "Browser for tests" scripts/setup.sh browser
  step "npm package" scripts/pkg.sh
  step "Demo shop" scripts/shop.sh
  step "Picture" scripts/picture.sh
  times
}

# The cheapest first, so that a slip is told in seconds and not after the builds.
run_tests() {
  setup_for_tests
  : >"$test_log"
  trap 'scripts/ci/summary.sh $? "$test_log"' EXIT
  step "Format" scripts/ci/fmt.sh
  step "Links in the documentation" scripts/ci/links.mjs
  step "The documents as a book, with its search" scripts/book.sh
  step "Dependency direction" scripts/ci/deps.sh
  step "Licences, bans and sources" scripts/ci/deny.sh
  step "Crates as they are packed" scripts/ci/crates.sh
  step "Clippy" scripts/ci/clippy.sh
  step "Rust tests" logged scripts/ci/rust-tests.sh
  step "Object stores" logged scripts/ci/stores.sh
  step "The reference is of today" scripts/ci/reference.sh
  FUZZ_SEED=1 step "Fuzz targets" scripts/fuzz.sh run 30
  step "npm package" scripts/pkg.sh
  step "Size budget" scripts/sizes.mjs --check
  step "TypeScript and its tests" logged scripts/ci/js-tests.sh
  step "The package in other people's bundlers" logged scripts/ci/packaging.sh
  step "Two of the examples" logged scripts/ci/examples.sh
  step "The tutorial of a shop" logged scripts/ci/new.sh
  step "WebAssembly tests" logged scripts/ci/wasm-tests.sh
  step "The general engine" scripts/ci/general.sh
  step "Demo bundle" scripts/demo-bundle.sh
  step "The bundle of the demo is the catalogue's" scripts/ci/demo.sh
  step "Demo shop" scripts/shop.sh
  step "End to end" logged scripts/ci/e2e.sh
  step "The same answers in the browser" scripts/agree.sh --users 50
  times
}

agree() {
  setup
  step "Browser for tests" scripts/setup.sh browser
  step "npm package" scripts/pkg.sh
  [ $# -gt 0 ] && [ "${1#--}" = "$1" ] || step "Demo bundle" scripts/demo-bundle.sh
  step "The same answers in the browser" scripts/agree.sh "$@"
}

# Keeps a copy of what the tests print, for the count at the end.
test_log="$cache/test.log"
logged() {
  "$@" 2>&1 | tee -a "$test_log"
}

bench() {
  local name="${1:-}"
  [ $# -gt 0 ] && shift
  case "$name" in
    browser) browser_bench peers "$@" ;;
    life) browser_bench life "$@" ;;
    requests) requests_bench "$@" ;;
    faults) faults_bench "$@" ;;
    endings) ENDINGS=all table_bench ended ;;
    forgetting) FORGETTING=all table_bench forgetting ;;
    interleavings) interleavings_bench "$@" ;;
    train) step "Benchmark: training" bench/train/run.sh "$@" ;;
    methods) methods_bench "$@" ;;
    updates) step "Benchmark: updates" bench/updates/run.sh "$@" ;;
    baselines) step "Benchmark: baselines" cargo run --quiet --package ingle-baselines --example table -- "$@" ;;
    fuzz) FUZZ_KEEP=1 step "Fuzzing" scripts/fuzz.sh run "${1:-3600}" "${@:2}" ;;
    stores) stores_bench ;;
    serve) step "Benchmark: serve" bench/serve/run.sh "$@" ;;
    judging) judging_bench "$@" ;;
    growth) step "Benchmark: growth" bench/growth/run.sh "$@" ;;
    house) step "Benchmark: house" python3 scripts/house.py "$cache/times" ;;
    *) fail "bench takes 'browser', 'life', 'requests', 'faults', 'endings', 'forgetting', 'interleavings', 'train', 'methods', 'updates', 'baselines', 'fuzz', 'stores', 'serve', 'judging', 'growth' or 'house', not '$name'" ;;
  esac
  times
}

browser_bench() {
  setup
  step "Browser for tests" scripts/setup.sh browser
  step "npm package" scripts/pkg.sh
  step "Benchmark: $1" bench/browser/run.sh "$@"
}

# table_bench NAME: a table of the browser tests, whole where `./build.sh test` runs a part.
table_bench() {
  setup
  step "Browser for tests" scripts/setup.sh browser
  step "npm package" scripts/pkg.sh
  CHROME="$(find_chrome)"
  FIREFOX="$(find_firefox)"
  export CHROME FIREFOX
  step "Benchmark: $1" node tests/js/run.mjs browser "$1.test.ts"
}

faults_bench() {
  local what=all
  if [ "${1:-}" = --write ]; then what=write; fi
  FAULTS="$what" table_bench faults
}

interleavings_bench() {
  setup
  step "npm package" scripts/pkg.sh
  INTERLEAVINGS="${1:-10000}" step "Benchmark: interleavings" node tests/js/run.mjs unit interleavings.test.ts
}

stores_bench() {
  setup
  step "Azure's server" scripts/setup.sh azure
  step "Object stores" scripts/ci/stores.sh --include-ignored
}

requests_bench() {
  setup
  step "Browser for tests" scripts/setup.sh browser
  step "npm package" scripts/pkg.sh
  step "Benchmark: requests" bench/requests/run.sh "$@"
}

judging_bench() {
  step "Rust" scripts/setup.sh rust
  step "Vulkan" scripts/setup.sh vulkan
  step "Benchmark: judging" bench/judging/run.sh "$@"
}

# A browser is asked only for --browser.
methods_bench() {
  if [[ " $* " == *" --browser "* ]]; then
    setup
    step "Browser for tests" scripts/setup.sh browser
    step "npm package" scripts/pkg.sh
  fi
  step "Benchmark: methods" bench/methods/run.sh "$@"
}

command="${1:-help}"
[ $# -gt 0 ] && shift
case "$command" in
  demo) demo "$@" ;;
  test) run_tests ;;
  setup) setup_for_tests && times ;;
  wasm) setup && step "WebAssembly" scripts/pkg.sh "$@" && times ;;
  pkg) setup && pkg ;;
  examples) examples "$@" ;;
  book) step "Book" scripts/book.sh ;;
  reference) reference ;;
  picture) picture ;;
  agree) agree "$@" ;;
  bench) bench "$@" ;;
  help | -h | --help) usage ;;
  *)
    usage >&2
    fail "unknown command '$command'"
    ;;
esac
