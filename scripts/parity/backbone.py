"""Prints the constants of crates/model/tests/parity.rs.

The backbone of Ingle written in plain PyTorch from its description (causal
Transformer, normalisation before each sub-layer, exact GELU, positions counted
back from the latest click), with weights from a formula that both sides share:
element j of the tensor called `name` is 0.5 * sin(sum of the name's bytes + 0.37 j),
plus 1 for the scales of normalisations.

Run with any PyTorch 2: python scripts/parity/backbone.py
"""

import math

import torch
from torch.nn.functional import gelu, layer_norm, linear, softmax

ITEMS, WIDTH, BLOCKS, HEADS, FEED, MAX_LEN = 12, 8, 2, 2, 16, 6
HISTORIES = [[3], [1, 2, 3], [12, 5, 5, 7, 1, 9], [4, 8, 4, 11, 2, 10]]


def weight(name: str, *shape: int) -> torch.Tensor:
    start = sum(name.encode())
    count = math.prod(shape)
    values = [0.5 * math.sin(start + 0.37 * j) for j in range(count)]
    tensor = torch.tensor(values, dtype=torch.float64).float().reshape(shape)
    return tensor + 1 if name.endswith("gamma") else tensor


def dense(x: torch.Tensor, name: str, inputs: int, outputs: int) -> torch.Tensor:
    # Burn keeps [input, output]; PyTorch multiplies by the transpose.
    return linear(x, weight(f"{name}.weight", inputs, outputs).T, weight(f"{name}.bias", outputs))


def norm(x: torch.Tensor, name: str) -> torch.Tensor:
    return layer_norm(x, [WIDTH], weight(f"{name}.gamma", WIDTH), weight(f"{name}.beta", WIDTH), 1e-8)


def attention(x: torch.Tensor, name: str, causal: bool) -> torch.Tensor:
    length = x.shape[0]
    depth = WIDTH // HEADS
    heads = lambda part: dense(x, f"{name}.{part}", WIDTH, WIDTH).reshape(length, HEADS, depth).transpose(0, 1)
    scores = heads("query") @ heads("key").transpose(1, 2) / math.sqrt(depth)
    later = torch.ones(length, length).triu(1).bool() & causal
    mixed = softmax(scores.masked_fill(later, -math.inf), -1) @ heads("value")
    return dense(mixed.transpose(0, 1).reshape(length, WIDTH), f"{name}.output", WIDTH, WIDTH)


def block(x: torch.Tensor, name: str, causal: bool = True) -> torch.Tensor:
    x = x + attention(norm(x, f"{name}.attention_norm"), f"{name}.attention", causal)
    wide = gelu(dense(norm(x, f"{name}.feed_norm"), f"{name}.widen", WIDTH, FEED))
    return x + dense(wide, f"{name}.narrow", FEED, WIDTH)


def user(history: list[int]) -> torch.Tensor:
    table = weight("backbone.items", ITEMS + 1, WIDTH)
    positions = weight("backbone.positions", MAX_LEN, WIDTH)
    x = table[history] * math.sqrt(WIDTH) + positions[MAX_LEN - len(history) :]
    for at in range(BLOCKS):
        x = block(x, f"backbone.blocks.{at}")
    return norm(x, "backbone.norm")[-1]


if __name__ == "__main__":
    table = weight("backbone.items", ITEMS + 1, WIDTH)
    for history in HISTORIES:
        scores = ", ".join(f"{score:.6f}" for score in table @ user(history))
        print(f"(&{history}, [{scores}]),")
