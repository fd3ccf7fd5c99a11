"""Prints how large the project is, beside its targets: lines of Rust, settings in configs, and times of cold builds.

Lines are those of files under src/ and crates/*/src that are not tests, without `#[cfg(test)] mod tests { ... }` blocks.
Settings are the distinct keys of configs/*.toml. Times are the longest that the steps of build.sh have taken on this
machine, as build.sh notes them; a step that has not run is left out.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINES, SETTINGS = 36_000, 50


def tracked(*patterns: str) -> list[Path]:
    found = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in found.stdout.split("\0") if name]


def is_test(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    return bool({"tests", "testing", "benches", "examples"} & {Path(part).stem for part in parts})


def lines(path: Path) -> int:
    """Lines of a file before its unit tests, which are its last part."""
    text = path.read_text(encoding="utf-8")
    return len(re.split(r"^#\[cfg\((?:test|all\(test[^)]*\))\)\]\nmod \w+ \{", text, flags=re.M)[0].splitlines())


def settings() -> set[str]:
    keys = set()
    for path in tracked("configs/*.toml"):
        table = ""
        for line in path.read_text(encoding="utf-8").splitlines():
            if head := re.match(r"\[(.+)\]", line):
                table = head[1] + "."
            if key := re.match(r"(?:# )?([a-z_0-9]+) = ", line):
                keys.add(table + key[1])
    return keys


def main() -> None:
    sources = [path for path in tracked("src/*.rs", "crates/*/src/*.rs") if not is_test(path)]
    crates: dict[str, int] = {}
    for path in sources:
        parts = path.relative_to(ROOT).parts
        name = parts[1] if parts[0] == "crates" else "ingle"
        crates[name] = crates.get(name, 0) + lines(path)
    for name, count in sorted(crates.items(), key=lambda crate: -crate[1]):
        print(f"{count:>8,}  lines of Rust in {name}")
    total, keys = sum(crates.values()), len(settings())
    print(f"{total:>8,}  lines of Rust outside tests (target: at most {LINES:,})")
    print(f"{keys:>8,}  settings in configs/ (target: fewer than {SETTINGS})")
    long = sorted(((len(path.read_text(encoding='utf-8').splitlines()), path) for path in sources), reverse=True)
    for count, path in long:
        if count > 500:
            print(f"{count:>8,}  lines in {path.relative_to(ROOT)} (target: at most 500)")
    times = Path(sys.argv[1]) if len(sys.argv) > 1 else Path()
    for path in sorted(times.glob("*")) if len(sys.argv) > 1 else []:
        print(f"{int(path.read_text()):>8,}  s, the longest time of the step {path.name!r}")


if __name__ == "__main__":
    main()
