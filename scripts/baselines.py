"""What ranks without a model: popularity, and ItemKNN (Sarwar et al., 2001), by the protocol of `ingle evaluate`.

    python3 scripts/baselines.py interactions.csv

Leave-one-out: of each user with five clicks or more the last click is the test, the one before it validation, and the
rest is learnt. All items are ranked, items of the history left out. ItemKNN scores an item by the sum, over the
history's items, of the cosines of the users who clicked both; how many neighbours an item keeps is chosen on
validation. Needs nothing but Python.
"""

import argparse
import csv
import heapq
import math
from collections import Counter, defaultdict
from pathlib import Path

NEIGHBOURS = (10, 20, 50, 100, 200, 1000)
LEAST = 5


def histories(log, user, item, timestamp):
    """Every user's items by time, after users and items with few clicks are left out until none is."""
    with log.open(encoding="utf-8", newline="") as file:
        rows = [(row[user], row[item], float(row[timestamp])) for row in csv.DictReader(file)]
    while True:
        users, items = Counter(row[0] for row in rows), Counter(row[1] for row in rows)
        kept = [row for row in rows if users[row[0]] >= LEAST and items[row[1]] >= LEAST]
        if len(kept) == len(rows):
            break
        rows = kept
    clicks = defaultdict(list)
    for who, what, _ in sorted(rows, key=lambda row: row[2]):
        clicks[who].append(what)
    return list(clicks.values())


def neighbours(learnt, most):
    """Each item's nearest by cosine, nearest first."""
    count, together = Counter(), defaultdict(Counter)
    for history in learnt:
        items = sorted(set(history))
        count.update(items)
        for one in items:
            together[one].update(items)
    near = {}
    for one, others in together.items():
        cosines = ((both / math.sqrt(count[one] * count[other]), other) for other, both in others.items() if other != one)
        near[one] = heapq.nlargest(most, cosines)
    return near


def by_neighbours(near, kept):
    def score(history):
        scores = Counter()
        for item in set(history):
            for cosine, other in near.get(item, ())[:kept]:
                scores[other] += cosine
        return scores

    return score


def measure(cases, score, popular, at=10):
    """HR and NDCG: the place of the target among all items that the history does not have; popularity parts ties."""
    hits = gain = 0.0
    place = {item: n for n, item in enumerate(popular)}
    for history, target in cases:
        scores, seen = score(history), set(history)
        own = (-scores.get(target, 0.0), place.get(target, len(place)))
        better = sum(1 for item, value in scores.items() if item not in seen and (-value, place.get(item, len(place))) < own)
        if own[0] == 0:
            # What no neighbour speaks for stands behind all that have one, by popularity.
            elsewhere = seen.union(item for item, value in scores.items() if value > 0)
            better += own[1] - sum(1 for item in elsewhere if place.get(item, len(place)) < own[1])
        if better < at and target not in seen:
            hits += 1
            gain += 1 / math.log2(better + 2)
    return hits / len(cases), gain / len(cases)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", type=Path, help="clicks as CSV")
    for name, column in (("user", "user_id"), ("item", "item_id"), ("timestamp", "timestamp")):
        parser.add_argument(f"--{name}", default=column, help=f"the column (default {column})")
    options = parser.parse_args()
    users = histories(options.log, options.user, options.item, options.timestamp)
    learnt = [history[:-2] for history in users]
    popular = [item for item, _ in Counter(item for history in learnt for item in history).most_common()]
    validation = [(history[:-2], history[-2]) for history in users]
    # An item that the history has already is masked, and can be no hit.
    test = [(history[:-1], history[-1]) for history in users]
    print(f"{len(users)} users, {len({item for history in users for item in history})} items")
    near = neighbours(learnt, max(NEIGHBOURS))
    best = max(NEIGHBOURS, key=lambda kept: measure(validation, by_neighbours(near, kept), popular)[1])
    for name, score in (("popularity", lambda _: {}), (f"ItemKNN, {best} neighbours", by_neighbours(near, best))):
        hr, ndcg = measure(test, score, popular)
        print(f"{name}: test HR@10 {hr:.4f}, NDCG@10 {ndcg:.4f}")


if __name__ == "__main__":
    main()
