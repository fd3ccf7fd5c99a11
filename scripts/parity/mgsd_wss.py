"""Prints the constants of crates/model/src/methods/mgsd_wss/objective/parity.rs.

The method mgsd-wss in plain PyTorch from its description: Gaussian kernels or the
perceptron, what they come to over all other clicks, the Transformer, the verdicts of
clicks and interests, and the losses that nothing random enters. Weights and item
embeddings come from the formula of backbone.py.

Run with any PyTorch 2: python scripts/parity/mgsd_wss.py
"""

import math

import torch
from backbone import HISTORIES, ITEMS, MAX_LEN, WIDTH, block, dense, norm, weight
from torch.nn.functional import gelu, normalize

KERNELS, INTERESTS, TEMPERATURE = 10, 3, 0.5
CENTRES = torch.tensor([1.0] + [1 - (2 * at + 1) / (KERNELS - 1) for at in range(KERNELS - 1)])
DEVIATIONS = torch.tensor([0.001] + [0.1] * (KERNELS - 1))


def respond(cosines: torch.Tensor, kernel: str) -> torch.Tensor:
    cosines = cosines.unsqueeze(-1)
    if kernel == "Gaussian":
        return torch.exp(-((cosines - CENTRES) ** 2) / (2 * DEVIATIONS**2))
    return dense(gelu(dense(cosines, "perceptron.0", 1, KERNELS)), "perceptron.1", KERNELS, KERNELS)


def project(directions: torch.Tensor, items: list[int]) -> torch.Tensor:
    popularity = torch.tensor(items).float().log1p().unsqueeze(1) / 5
    return dense(torch.cat([directions * math.sqrt(WIDTH), popularity], 1), "input", WIDTH + 1, WIDTH)


def look(clicks: list[int], wanted: int, kernel: str, pooled: bool) -> dict[str, torch.Tensor]:
    table = normalize(weight("items", ITEMS + 1, WIDTH))
    directions, direction = table[clicks], table[[wanted]]
    likes = respond(directions @ direction[0], kernel)
    if pooled:
        others = 1 - torch.eye(len(clicks)).unsqueeze(2)
        sums = (respond(directions @ directions.T, kernel) * others).sum(1)
        likes = torch.cat([likes, sums.sign() * sums.abs().log1p()], 1)
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
    return {
        "fused": item + share @ logit, "item": item, "by interest": share @ logit.sigmoid(), "hidden": hidden,
        "target": target, "interests": interests, "logit": logit, "mass": mass,
    }  # fmt: skip


def contrast(vectors: torch.Tensor, target: torch.Tensor, logit: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Every other one is kept, beginning with the first."""
    likeness = (normalize(vectors) @ normalize(target)[0] / TEMPERATURE).exp() * weights
    kept, noise = 1 - torch.arange(len(logit)) % 2, logit.sigmoid()
    positive, negative = (likeness * kept * (1 - noise)).sum(), (likeness * (1 - kept) * noise).sum()
    return -(positive / (positive + negative)).log()


def losses(clicks: list[int], wanted: int) -> list[torch.Tensor]:
    """The weak signal where every third click is noise, and both contrasts."""
    seen = look(clicks, wanted, "Gaussian", True)
    labels = (torch.arange(len(clicks)) % 3 == 0).float()
    error = lambda noise: ((noise - labels) ** 2).mean()
    signal = (2 * error(seen["fused"].sigmoid()) + error(seen["item"].sigmoid()) + error(seen["by interest"])) / 4
    items = contrast(seen["hidden"], seen["target"], seen["item"], torch.ones(len(clicks)))
    return [signal, items, contrast(seen["interests"], seen["target"], seen["logit"], seen["mass"])]


def show(values: torch.Tensor | list[torch.Tensor]) -> str:
    return ", ".join(f"{float(value):.6f}" for value in values)


print("LOGITS")
for kernel in ["Gaussian", "Mlp"]:
    for pooled in [True, False]:
        for history in HISTORIES:
            fused = look(history, history[-1], kernel, pooled)["fused"]
            print(f"(Kernel::{kernel}, {str(pooled).lower()}, &{history}, &[{show(fused)}]),")
print("LOSSES")
for history in HISTORIES[2:]:
    print(f"(Target::Last, &{history}, [{show(losses(history, history[-1]))}]),")
    print(f"(Target::Next, &{history}, [{show(losses(history[:-1], history[-1]))}]),")
