# Sourced by build.sh and the scripts: where things are, and how a step is announced and timed.
# Bash 3.2 is enough (macOS has no newer one).

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/ingle"
tools="$cache/tools"
mkdir -p "$cache"

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$cache/target}"
export PATH="$tools/bin:$HOME/.cargo/bin:$PATH"

# Cargo tells what has changed by the times of files, and clones share a target folder: what another
# clone has built meanwhile would pass for ours.
claim_target() {
  local owner="$CARGO_TARGET_DIR/.clone"
  [ "$(cat "$owner" 2>/dev/null)" = "$root" ] && return
  mkdir -p "$CARGO_TARGET_DIR"
  find "$root/Cargo.toml" "$root/src" "$root/crates" "$root/tests" -type f \( -name '*.rs' -o -name '*.toml' \) -exec touch {} +
  echo "$root" >"$owner"
}
claim_target

fail() {
  printf 'build.sh: %s\n' "$*" >&2
  exit 1
}

# about TEXT: what the next step is for.
step_about=""
about() {
  step_about="$1"
}

# step NAME COMMAND...: a heading, with what it is for and what it took last time where that was long enough to wait
# for; the command; and its time for the closing table.
step_times=""
step() {
  local name="$1" started=$SECONDS took="" past="$cache/times/${1//[^A-Za-z0-9]/-}"
  shift
  [ -f "$past" ] && took="$(cat "$past")"
  printf '\n== %s%s\n' "$name" "${took:+ (the longest so far: $took s)}"
  if [ -n "$step_about" ]; then printf '%s\n' "$step_about"; fi
  step_about=""
  "$@" || fail "step failed: $name ($*)"
  step_times+="$(printf '%6d s  %s' $((SECONDS - started)) "$name")"$'\n'
  if [ $((SECONDS - started)) -gt "${took:-4}" ]; then
    mkdir -p "$cache/times"
    echo $((SECONDS - started)) >"$past"
  fi
}

times() {
  printf '\n== Times\n%s%6d s  in all\n' "$step_times" "$SECONDS"
}

# All crates, with the features that the tests are built with, so that nothing is compiled twice.
everything="--workspace --features ingle-train/wgpu"

build_ingle() {
  cargo build --quiet $everything --bin ingle
}
ingle="$CARGO_TARGET_DIR/debug/ingle"

# hash_of PATH...: one hash over the contents of files and folders.
hash_of() {
  (cd "$root" && find "$@" -type f | LC_ALL=C sort | xargs cat | sha256 | cut -c1-16)
}

sha256() {
  if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi
}

# A demo bundle is trained once for each state of what it is made from, whichever clone asks.
demo_folder() {
  printf '%s/demo/' "$cache"
  hash_of crates/bundle crates/data crates/kernel crates/layers crates/metrics crates/model crates/settings crates/train configs/demo.toml Cargo.toml Cargo.lock scripts/demo-bundle.sh
}

# Chromium for tests: the one CHROME names, or the first of the usual ones.
find_chrome() {
  local candidate
  if [ -n "${CHROME:-}" ]; then
    [ -x "$CHROME" ] || fail "CHROME names $CHROME, which cannot be run"
    printf '%s' "$CHROME"
    return
  fi
  for candidate in chromium chromium-browser google-chrome google-chrome-stable \
    "/Applications/Chromium.app/Contents/MacOS/Chromium" \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
    if command -v "$candidate" >/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

# Firefox for tests, likewise: the one FIREFOX names, or the first of the usual ones.
find_firefox() {
  local candidate
  if [ -n "${FIREFOX:-}" ]; then
    [ -x "$FIREFOX" ] || fail "FIREFOX names $FIREFOX, which cannot be run"
    printf '%s' "$FIREFOX"
    return
  fi
  for candidate in firefox-esr firefox /Applications/Firefox.app/Contents/MacOS/firefox; do
    if command -v "$candidate" >/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

find_chromedriver() {
  if [ -n "${CHROMEDRIVER:-}" ]; then
    [ -x "$CHROMEDRIVER" ] || fail "CHROMEDRIVER names $CHROMEDRIVER, which cannot be run"
    printf '%s' "$CHROMEDRIVER"
  else
    command -v chromedriver
  fi
}

# new_scratch: a folder, in scratch, that goes when the script ends.
new_scratch() {
  scratch="$(mktemp -d)"
  trap leave EXIT
}

stop_server() {
  if [ -n "${server_pid:-}" ]; then
    kill "$server_pid" 2>/dev/null || true
    wait "$server_pid" 2>/dev/null || true
  fi
  server_pid=""
}

leave() {
  stop_server
  if [ -n "${scratch:-}" ]; then rm -rf "$scratch"; fi
}

# start_server BUNDLE SITE: serves both on a free port until the script ends; the address is in server_url.
start_server() {
  serve_with "$ingle" serve "$1" --site "$2"
}

# serve_with COMMAND...: likewise, with a server that takes --addr.
serve_with() {
  local log
  log="$(mktemp)"
  "$@" --addr 127.0.0.1:0 >"$log" 2>&1 &
  server_pid=$!
  trap leave EXIT
  for _ in $(seq 100); do
    server_url="$(grep -oE 'http://[0-9.]+:[0-9]+' "$log" | head -n 1)" || true
    [ -n "$server_url" ] && rm -f "$log" && return
    kill -0 "$server_pid" 2>/dev/null || break
    sleep 0.1
  done
  cat "$log" >&2
  fail "the server did not start"
}
