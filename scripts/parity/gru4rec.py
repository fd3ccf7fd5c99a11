"""Prints the constants of `gru4rec_scores_equal_those_of_pytorch` in crates/model/tests/parity.rs.

The recurrent backbone of Ingle around PyTorch's own GRU, with weights from the formula that
scripts/parity/backbone.py uses. A click of weight k moves every layer's state by k times what it
would, so that layers are run step by step; with all weights 1 the same is computed by torch.nn.GRU
in one call, and the two are held to each other.

Run with any PyTorch 2: python scripts/parity/gru4rec.py
"""

import math

import torch
from torch.nn.functional import layer_norm

ITEMS, WIDTH, LAYERS = 12, 8, 2
HISTORIES = [
    ([3], [1.0]),
    ([1, 2, 3], [1.0, 1.0, 1.0]),
    ([12, 5, 5, 7, 1, 9], [1.0, 0.0, 0.25, 1.0, 0.5, 1.0]),
    ([4, 8, 4, 11, 2, 10], [1.0, 1.0, 1.0, 1.0, 1.0, 0.0]),
]


def weight(name: str, *shape: int) -> torch.Tensor:
    start = sum(name.encode())
    count = math.prod(shape)
    values = [0.5 * math.sin(start + 0.37 * j) for j in range(count)]
    tensor = torch.tensor(values, dtype=torch.float64).float().reshape(shape)
    return tensor + 1 if name.endswith("gamma") else tensor


def recurrent() -> torch.nn.GRU:
    gru = torch.nn.GRU(WIDTH, WIDTH, LAYERS)
    for layer in range(LAYERS):
        for part, ours in [("ih", "input"), ("hh", "hidden")]:
            name = f"backbone.layers.{layer}.{ours}"
            # Burn keeps [input, output]; PyTorch multiplies by the transpose.
            getattr(gru, f"weight_{part}_l{layer}").data = weight(f"{name}.weight", WIDTH, 3 * WIDTH).T
            getattr(gru, f"bias_{part}_l{layer}").data = weight(f"{name}.bias", 3 * WIDTH)
    return gru


def gated(gru: torch.nn.GRU, x: torch.Tensor, keep: list[float]) -> torch.Tensor:
    for layer in range(LAYERS):
        parts = [getattr(gru, f"{kind}_{part}_l{layer}") for kind in ["weight", "bias"] for part in ["ih", "hh"]]
        cell = torch.nn.GRUCell(WIDTH, WIDTH)
        cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh = map(torch.nn.Parameter, parts)
        state, states = torch.zeros(1, WIDTH), []
        for row, k in zip(x, keep):
            state = state + k * (cell(row[None], state) - state)
            states.append(state[0])
        x = torch.stack(states)
    return x


@torch.no_grad()
def user(history: list[int], keep: list[float]) -> torch.Tensor:
    gru = recurrent()
    x = weight("backbone.items", ITEMS + 1, WIDTH)[history] * math.sqrt(WIDTH)
    states = gated(gru, x, keep)
    if min(keep) == 1:
        torch.testing.assert_close(states, gru(x)[0])
    gamma, beta = weight("backbone.norm.gamma", WIDTH), weight("backbone.norm.beta", WIDTH)
    return layer_norm(states, [WIDTH], gamma, beta, 1e-8)[-1]


table = weight("backbone.items", ITEMS + 1, WIDTH)
for history, keep in HISTORIES:
    scores = ", ".join(f"{score:.6f}" for score in table @ user(history, keep))
    print(f"(&{history}, &{keep}, [{scores}]),")
