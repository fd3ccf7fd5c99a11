"""Prints crates/metrics/src/golden_ranking.json.

HR, NDCG and MRR at 5, 10 and 20 as the library ranx (https://amenra.github.io/ranx) computes them,
over scores from a formula that both sides share: the upper 24 bits of a SplitMix64 finaliser over
(user, item, draw), which a float holds exactly. Every user has one target, whose score is the best of
eight draws so that it often comes early, and a history of fifteen draws, which now and then holds the
target. `masked` leaves the history out but never the target; `unmasked` leaves out nothing.

pip install ranx==0.3.21 && python scripts/parity/ranking_metrics.py > crates/metrics/src/golden_ranking.json
"""

import json

from ranx import Qrels, Run, evaluate

USERS, ITEMS, HISTORY, DRAWS = 40, 120, 15, 8
WORD = 2**64 - 1
CUTS = [5, 10, 20]
THEIRS = {"hr": "hit_rate", "ndcg": "ndcg", "mrr": "mrr"}


def bits(user: int, item: int, draw: int) -> int:
    word = (((user * 1000 + item) * 1000 + draw) * 0x9E3779B97F4A7C15) & WORD
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & WORD
    return (word ^ (word >> 31)) >> 40


def target(user: int) -> int:
    return 1 + bits(user, 0, 0) % ITEMS


def history(user: int) -> list[int]:
    return [1 + bits(user, 0, draw) % ITEMS for draw in range(1, HISTORY + 1)]


def score(user: int, item: int) -> int:
    draws = DRAWS if item == target(user) else 1
    return max(bits(user, item, draw) for draw in range(draws))


def figures(masked: bool) -> dict[str, float]:
    wanted, ranked = {}, {}
    for user in range(USERS):
        hidden = set(history(user)) - {target(user)} if masked else set()
        scores = {str(i): float(score(user, i)) for i in range(1, ITEMS + 1) if i not in hidden}
        assert len(set(scores.values())) == len(scores), "ties are no part of this comparison"
        wanted[str(user)] = {str(target(user)): 1}
        ranked[str(user)] = scores
    qrels, run = Qrels(wanted), Run(ranked)
    names = {f"{ours}@{cut}": f"{theirs}@{cut}" for cut in CUTS for ours, theirs in THEIRS.items()}
    means = evaluate(qrels, run, list(names.values()))
    return {ours: float(means[theirs]) for ours, theirs in names.items()}


seen = sum(target(user) in history(user) for user in range(USERS))
assert seen > 0, "some target must have been seen before"
print(json.dumps({"users": USERS, "targets_seen": seen, "masked": figures(True), "unmasked": figures(False)}, indent=2))
