"""Counts the clean clicks that a method would drop, by how popular their items are, where it drops a given share of
the replaced ones.

    ingle corrupt --data data/beauty --rate 0.1 --seed 7 --out data/noisy
    ingle denoise runs/iadsr --data data/beauty --split unseen > clean.jsonl
    ingle denoise runs/iadsr --data data/noisy --split unseen > noisy.jsonl
    python scripts/false-drops.py runs/iadsr data/beauty clean.jsonl noisy.jsonl

The threshold is that of the noisy histories, the clicks are those of the clean ones, the latest of each history. They
are parted into fifths by how often their items were clicked in training.
"""

import argparse
import json
from pathlib import Path


def verdicts(path, last):
    with path.open(encoding="utf-8") as lines:
        users = map(json.loads, lines)
        return {user["user_id"]: user["clicks"][-last:] for user in users}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("data", type=Path, help="the dataset that was not corrupted")
    parser.add_argument("clean", type=Path, help="what `ingle denoise` printed of it")
    parser.add_argument("noisy", type=Path, help="and of the corrupted one")
    parser.add_argument("--last", type=int, default=20, help="clicks of a history that may be replaced [default: 20]")
    parser.add_argument("--recall", type=float, nargs="+", default=[0.3, 0.5, 0.7])
    parser.add_argument("--view", choices=["noise", "prior", "posterior"], default="noise")
    options = parser.parse_args()
    counts = json.loads((options.run / "counts.json").read_text(encoding="utf-8"))
    with (options.data / "items.jsonl").open(encoding="utf-8") as lines:
        popularity = {json.loads(line)["item_id"]: counts[at] for at, line in enumerate(lines, 1)}
    clean, noisy = (verdicts(path, options.last) for path in [options.clean, options.noisy])
    clicks = sorted(
        (click for user in clean.values() for click in user), key=lambda click: popularity[click["item_id"]]
    )
    pairs = ((was, now) for user in noisy for was, now in zip(clean[user], noisy[user]))
    replaced = sorted((now[options.view] for was, now in pairs if was["item_id"] != now["item_id"]), reverse=True)
    fifths = [clicks[len(clicks) * at // 5 : len(clicks) * (at + 1) // 5] for at in range(5)]
    print(f"{len(clicks)} clean clicks, {len(replaced)} replaced ones; fifths by clicks of the item:", end=" ")
    print(", ".join(f"{popularity[part[0]['item_id']]} to {popularity[part[-1]['item_id']]}" for part in fifths))
    for recall in options.recall:
        least = replaced[max(round(recall * len(replaced)), 1) - 1]
        dropped = [sum(click[options.view] >= least for click in part) / len(part) for part in [*fifths, clicks]]
        print(f"recall {recall:.2f}: " + " ".join(f"{share:.4f}" for share in dropped[:5]) + f", all {dropped[5]:.4f}")


if __name__ == "__main__":
    main()
