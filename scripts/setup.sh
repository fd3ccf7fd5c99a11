#!/usr/bin/env bash
# Installs what the build needs and is not there yet: setup.sh rust | npm | browser | vulkan | test-tools |
# php | azure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib.sh

# apt_install PACKAGE...: succeeds only where the packages can be installed without a question.
apt_install() {
  local as_root=""
  command -v apt-get >/dev/null || return 1
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || return 1
    as_root="sudo"
  fi
  echo "installing $*"
  $as_root apt-get update -qq &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# at_least HAVE WANT: compares dotted versions.
at_least() {
  [ "$(printf '%s\n%s\n' "$2" "$1" | sort -t. -k1,1n -k2,2n -k3,3n | head -n 1)" = "$2" ]
}

# cargo_tool CRATE BINARY VERSION: installs a program of exactly this version into the tools folder.
cargo_tool() {
  local crate="$1" binary="$2" version="$3"
  if [ "$("$tools/bin/$binary" --version 2>/dev/null | awk '{print $2}')" = "$version" ]; then
    echo "$crate $version"
    return
  fi
  echo "installing $crate $version"
  # Built aside: its artefacts are of no use to our own builds. Hardly optimised, since it runs for seconds and is compiled
  # for minutes. Without its lock file where a mirror lags.
  export CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_DEBUG=0
  env -u CARGO_TARGET_DIR cargo install --quiet --root "$tools" --version "=$version" --locked "$crate" ||
    env -u CARGO_TARGET_DIR cargo install --quiet --root "$tools" --version "=$version" "$crate"
}

setup_rust() {
  local want have
  command -v rustup >/dev/null || fail "rustup is missing: install it first, then run this again"
  command -v cc >/dev/null || apt_install gcc libc6-dev ||
    fail "a C compiler is missing (Rust links with it): install gcc or clang"
  want="$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)"
  have="$(rustc --version | awk '{print $2}')"
  at_least "$have" "$want" || fail "Rust $have is too old, $want is needed: rustup update stable"
  rustup target list --installed | grep -q '^wasm32-unknown-unknown$' ||
    rustup target add wasm32-unknown-unknown
  echo "Rust $have, wasm32-unknown-unknown"
}

setup_npm() {
  local have stamp=node_modules/.installed-from
  command -v node >/dev/null || fail "Node is missing: install version 20.19 or newer"
  have="$(node --version)"
  at_least "${have#v}" 20.19.0 || fail "Node $have is too old, 20.19 is needed"
  # The stamp is the lock file as installed, so a second run has nothing to do.
  if ! cmp -s package-lock.json "$stamp"; then
    npm ci --no-audit --no-fund
    cp package-lock.json "$stamp"
  fi
  echo "Node $have, npm $(npm --version)"
}

setup_browser() {
  if ! find_chrome >/dev/null || ! find_chromedriver >/dev/null; then
    apt_install chromium chromium-driver ||
      fail "no Chromium with its driver: install both, or set CHROME and CHROMEDRIVER to their paths"
  fi
  if ! find_firefox >/dev/null; then
    apt_install firefox-esr || fail "no Firefox: install it, or set FIREFOX to its path"
  fi
  # macOS comes with Safari and its driver.
  if [ "$(uname)" = Linux ] && ! { command -v WebKitWebDriver && command -v Xvfb; } >/dev/null; then
    apt_install webkit2gtk-driver xvfb ||
      fail "no WebKit with its driver: install WebKitWebDriver (webkit2gtk-driver on Debian) and Xvfb (xvfb)"
  fi
  echo "$("$(find_chrome)" --version 2>/dev/null), $("$(find_chromedriver)" --version | cut -d' ' -f1,2), $("$(find_firefox)" --version)"
}

# The trainer's tests need an adapter: on Linux Vulkan's, and Mesa has one made of software.
setup_vulkan() {
  if [ "$(uname)" = Linux ] && ! ls /usr/share/vulkan/icd.d/*.json /etc/vulkan/icd.d/*.json >/dev/null 2>&1; then
    apt_install mesa-vulkan-drivers libvulkan1 ||
      fail "no Vulkan driver: install your GPU's, or Mesa's (mesa-vulkan-drivers)"
  fi
  echo "a GPU, or one made of software"
}

setup_test_tools() {
  local component
  for component in clippy rustfmt; do
    rustup component list --installed | grep -q "^$component" || rustup component add "$component"
  done
  # wasm-pack runs the tests with it; the program and the crate must be of one version, which Cargo.toml pins.
  cargo_tool wasm-bindgen-cli wasm-bindgen "$(sed -n 's/^wasm-bindgen = "=\(.*\)"/\1/p' Cargo.toml)"
  cargo_tool wasm-pack wasm-pack 0.15.1
  cargo_tool cargo-deny cargo-deny 0.20.2
}

# For the examples in PHP: the interpreter, and what WordPress needs of it.
setup_php() {
  if ! command -v php >/dev/null || ! php -m | grep -qi '^pdo_sqlite$'; then
    apt_install php-cli php-sqlite3 php-mbstring php-xml ||
      fail "no PHP with SQLite: install both (php-cli and php-sqlite3 on Debian)"
  fi
  php --version | head -n 1
}

# A server of Azure's blobs, for ./build.sh bench stores.
setup_azure() {
  local version=3.37.0 package="$tools/azurite/node_modules/azurite/package.json"
  if ! grep -qs "\"version\": \"$version\"" "$package"; then
    npm install --no-audit --no-fund --ignore-scripts --prefix "$tools/azurite" "azurite@$version"
  fi
  echo "azurite $version"
}

case "${1:-}" in
  rust) setup_rust ;;
  npm) setup_npm ;;
  browser) setup_browser ;;
  vulkan) setup_vulkan ;;
  test-tools) setup_test_tools ;;
  php) setup_php ;;
  azure) setup_azure ;;
  *) fail "setup.sh takes rust, npm, browser, vulkan, test-tools, php or azure" ;;
esac
