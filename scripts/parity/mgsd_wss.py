"""Prints the constants of crates/model/src/methods/mgsd_wss/objective/parity.rs.

The method mgsd-wss in plain PyTorch from its description: Gaussian kernels, their sums
over all other clicks, the Transformer, the logits of clicks and interests, and the loss.
Weights and item embeddings come from the formula of backbone.py.

Run with any PyTorch 2: python scripts/parity/mgsd_wss.py
"""

import math

import torch
from backbone import HISTORIES, ITEMS, MAX_LEN, WIDTH, block, dense, norm, weight
from torch.nn.functional import gelu, normalize

KERNELS, INTERESTS = 10, 3
CENTRES = torch.tensor([1.0] + [1 - (2 * at + 1) / (KERNELS - 1) for at in range(KERNELS - 1)])
DEVIATIONS = torch.tensor([0.001] + [0.1] * (KERNELS - 1))


def respond(cosines: torch.Tensor) -> torch.Tensor:
    return torch.exp(-((cosines.unsqueeze(-1) - CENTRES) ** 2) / (2 * DEVIATIONS**2))


def project(directions: torch.Tensor, items: list[int]) -> torch.Tensor:
    popularity = torch.tensor(items).float().log1p().unsqueeze(1) / 5
    return dense(torch.cat([directions * math.sqrt(WIDTH), popularity], 1), "input", WIDTH + 1, WIDTH)


def look(clicks: list[int], wanted: int) -> dict[str, torch.Tensor]:
    table = normalize(weight("items", ITEMS + 1, WIDTH))
    directions, direction = table[clicks], table[[wanted]]
    others = 1 - torch.eye(len(clicks)).unsqueeze(2)
    sums = (respond(directions @ directions.T) * others).sum(1)
    likes = torch.cat([respond(directions @ direction[0]), sums.log1p()], 1)
    factors, offsets = dense(likes, "kernel", likes.shape[1], 2 * WIDTH).split(WIDTH, 1)
    x = project(directions, clicks) * (1 + factors) + offsets
    x = block(x + weight("positions", MAX_LEN, WIDTH)[MAX_LEN - len(clicks) :], "blocks.0", causal=False)
    hidden, target = norm(x, "norm"), project(direction, [wanted])
    clean, noise = dense(gelu(dense(hidden, "merge", WIDTH, WIDTH)), "classes", WIDTH, 2).T
    assigned = gelu(dense(hidden, "interests.assign", WIDTH, WIDTH))
    share = (assigned @ weight("interests.directions", WIDTH, INTERESTS)).softmax(1)
    mass = share.sum(0)
    interests = share.T @ hidden / mass.unsqueeze(1)
    seen = torch.cat([interests, interests * target], 1)
    logit = dense(gelu(dense(seen, "interests.merge", 2 * WIDTH, WIDTH)), "interests.output", WIDTH, 1)[:, 0]
    item = noise - clean
    return {"fused": item + share @ logit, "item": item, "by interest": share @ logit.sigmoid()}


def loss(clicks: list[int]) -> torch.Tensor:
    """The weak signal where every third click is noise."""
    seen = look(clicks, clicks[-1])
    labels = (torch.arange(len(clicks)) % 3 == 0).float()
    error = lambda noise: ((noise - labels) ** 2).mean()
    return (2 * error(seen["fused"].sigmoid()) + error(seen["item"].sigmoid()) + error(seen["by interest"])) / 4


def show(values: torch.Tensor) -> str:
    return ", ".join(f"{float(value):.6f}" for value in values)


print("LOGITS")
for history in HISTORIES:
    print(f"(&{history}, &[{show(look(history, history[-1])['fused'])}]),")
print("LOSSES")
for history in HISTORIES[2:]:
    print(f"(&{history}, {float(loss(history)):.6f}),")
