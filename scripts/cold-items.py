"""Measures what `ingle export --catalog` makes of items that nobody clicked: hides some from a log, and counts how
often they are recommended to those who clicked them next.

    python scripts/cold-items.py hide interactions.csv hidden
    ingle prepare --interactions hidden/log.csv --items items.csv --min-user-clicks 1 --min-item-clicks 1 --out data/hidden
    ingle train --data data/hidden --method none --out runs/hidden
    ingle export runs/hidden --out placed --table f32 --catalog items.csv
    python scripts/cold-items.py place placed nearest --by nearest --items items.csv
    python scripts/cold-items.py place placed random --by random
    for bundle in placed nearest random; do
      ingle recommend $bundle --histories hidden/asked.jsonl --k 20 > $bundle.jsonl
      python scripts/cold-items.py hits hidden $bundle.jsonl
    done

`place` puts the added items of a bundle elsewhere: each where the item of the log stands whose title is most like
its own by the words (TF-IDF, cosine), or where one drawn at random does.
"""

import argparse
import csv
import hashlib
import json
import math
import random
import re
import shutil
import struct
from collections import Counter, defaultdict
from pathlib import Path


def hide(options):
    """Writes a log without some items, and the histories of users whose last click was one of them."""
    with options.log.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    items = sorted({row["item_id"] for row in rows})
    hidden = set(random.Random(options.seed).sample(items, int(len(items) * options.share)))
    options.out.mkdir(parents=True, exist_ok=True)
    columns = ["user_id", "item_id", "timestamp"]
    with (options.out / "log.csv").open("w", encoding="utf-8", newline="") as file:
        log = csv.DictWriter(file, columns, extrasaction="ignore")
        log.writeheader()
        log.writerows(row for row in rows if row["item_id"] not in hidden)
    histories = defaultdict(list)
    for row in sorted(rows, key=lambda row: float(row["timestamp"])):
        histories[row["user_id"]].append(row["item_id"])
    asked = 0
    with (options.out / "asked.jsonl").open("w", encoding="utf-8") as out:
        for _, (*before, last) in sorted(histories.items()):
            known = [item for item in before if item not in hidden]
            if last in hidden and known and last not in before:
                out.write(json.dumps({"history": known, "target": last}) + "\n")
                asked += 1
    print(f"{len(hidden)} of {len(items)} items hidden; {asked} users clicked one of them last")


def vectors(titles):
    """TF-IDF of the words of titles, each of length 1."""
    words = [Counter(re.findall(r"\w+", title.lower())) for title in titles]
    frequency = Counter(word for title in words for word in title)
    rarity = {word: math.log((1 + len(titles)) / (1 + count)) + 1 for word, count in frequency.items()}
    for title in words:
        row = {word: (1 + math.log(count)) * rarity[word] for word, count in title.items()}
        length = math.sqrt(sum(x * x for x in row.values())) or 1
        yield {word: x / length for word, x in row.items()}


def nearest(titles, first):
    """For each title from `first` on, which of those before is most like it."""
    having = defaultdict(list)
    rows = list(vectors(titles))
    for at, row in enumerate(rows[:first]):
        for word, x in row.items():
            having[word].append((at, x))
    for row in rows[first:]:
        similarity = Counter()
        for word, x in row.items():
            for at, other in having[word]:
                similarity[at] += x * other
        yield similarity.most_common(1)[0][0] if similarity else 0


def place(options):
    """Writes a bundle anew, with its added items at the places of others."""
    manifest = json.loads((options.bundle / "manifest.json").read_text(encoding="utf-8"))
    files = {file["role"]: file for file in manifest["files"]}
    count, width, added = (manifest["items"][key] for key in ["count", "width", "appended"])
    first = count - added
    if options.by == "random":
        draw = random.Random(options.seed)
        at = [draw.randrange(first) for _ in range(added)]
    else:
        with options.items.open(encoding="utf-8", newline="") as file:
            titles = {row["item_id"]: row["title"] for row in csv.DictReader(file)}
        ids = json.loads((options.bundle / files["ids"]["name"]).read_text(encoding="utf-8"))
        at = nearest([titles.get(item) or "" for item in ids], first)
    table = bytearray((options.bundle / files["items"]["name"]).read_bytes())
    (length,) = struct.unpack("<Q", table[:8])
    about = json.loads(table[8 : 8 + length])["values"]
    if about["dtype"] != "F32" or sum(file["role"] == "items" for file in manifest["files"]) > 1:
        raise SystemExit("export the bundle with --table f32; its table must be one file")
    start, row = 8 + length + about["data_offsets"][0], 4 * width
    for to, of in zip(range(first, count), at):
        table[start + to * row : start + (to + 1) * row] = table[start + of * row : start + (of + 1) * row]
    options.out.mkdir(parents=True)
    for file in manifest["files"]:
        if file["role"] != "items":
            shutil.copy(options.bundle / file["name"], options.out)
    digest = hashlib.sha256(table).hexdigest()
    files["items"].update(name=f"items-{digest[:16]}.safetensors", sha256=digest)
    (options.out / files["items"]["name"]).write_bytes(table)
    (options.out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def hits(options):
    """Prints how often the hidden item is among the first few that are recommended."""
    with (options.hidden / "asked.jsonl").open(encoding="utf-8") as file:
        targets = [json.loads(line)["target"] for line in file]
    with options.answers.open(encoding="utf-8") as file:
        answers = [[item["item"] for item in json.loads(line)["items"]] for line in file]
    if len(targets) != len(answers):
        raise SystemExit(f"{len(answers)} answers to {len(targets)} histories")
    for k in [5, 10, 20]:
        found = sum(target in answer[:k] for target, answer in zip(targets, answers))
        print(f"HR@{k} {found / len(targets):.4f}  ({found} of {len(targets)})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("hide", help="take items out of a log")
    command.set_defaults(run=hide)
    command.add_argument("log", type=Path, help="CSV with user_id, item_id and timestamp, a number")
    command.add_argument("out", type=Path, help="folder to write")
    command.add_argument("--share", type=float, default=0.1, help="of the items [default: 0.1]")
    command.add_argument("--seed", type=int, default=1)
    command = commands.add_parser("place", help="put the added items of a bundle at the places of others")
    command.set_defaults(run=place)
    command.add_argument("bundle", type=Path, help="folder, exported with --catalog and --table f32")
    command.add_argument("out", type=Path, help="folder to write")
    command.add_argument("--by", choices=["nearest", "random"], required=True)
    command.add_argument("--items", type=Path, help="CSV with item_id and title, for nearest")
    command.add_argument("--seed", type=int, default=1, help="for random")
    command = commands.add_parser("hits", help="count how often hidden items are recommended")
    command.set_defaults(run=hits)
    command.add_argument("hidden", type=Path, help="folder that `hide` wrote")
    command.add_argument("answers", type=Path, help="what `ingle recommend --histories` printed")
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
