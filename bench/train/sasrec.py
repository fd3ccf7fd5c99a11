"""A plain SASRec in PyTorch with full cross-entropy, timed by the epoch: a peer of `ingle train`.

Two variants. `padded` is what most published code does: every history filled up to --max-len, and
logits at every position. `bucketed` sorts histories by length, pads to the longest of its batch and
takes logits at real positions only. Both read a folder made by `ingle prepare` and train on the same
sequences as `ingle train`: without held-out users, without the last two clicks.

Prints one JSON line an epoch: {"epoch", "seconds", "loss"}.
"""

import argparse
import json
import struct
import time
from pathlib import Path

import numpy
import torch
from torch import nn
from torch.nn import functional

TYPES = {"U64": "<u8", "U32": "<u4", "I64": "<i8", "U8": "u1"}


def tensors(path):
    """Every tensor of a safetensors file as a numpy array."""
    data = path.read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    body = memoryview(data)[8 + size :]
    return {
        name: numpy.frombuffer(body[slice(*entry["data_offsets"])], TYPES[entry["dtype"]])
        for name, entry in header.items()
    }


def training_windows(folder, max_len):
    """Each user's latest max_len + 1 training clicks (inputs and, shifted by one, targets); the items there are."""
    stored = tensors(folder / "sequences.safetensors")
    offsets, items, unseen = stored["offsets"], stored["items"], stored["unseen"]
    windows = []
    for start, end, held_out in zip(offsets[:-1], offsets[1:], unseen):
        clicks = items[int(start) : int(end)]
        clicks = clicks[:-2] if len(clicks) >= 3 else clicks
        if not held_out and len(clicks) >= 2:
            windows.append(torch.from_numpy(clicks[-max_len - 1 :].astype("int64")))
    with (folder / "items.jsonl").open(encoding="utf-8") as lines:
        return windows, sum(1 for _ in lines)


class SasRec(nn.Module):
    """Causal Transformer over item and position embeddings; logits by the tied item table."""

    def __init__(self, n_items, options):
        super().__init__()
        self.items = nn.Embedding(n_items + 1, options.width, padding_idx=0)
        self.positions = nn.Embedding(options.max_len, options.width)
        self.dropout = nn.Dropout(options.dropout)
        self.blocks = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(
                options.width,
                options.heads,
                options.feed_forward,
                options.dropout,
                activation="gelu",
                batch_first=True,
                norm_first=True,
            ),
            options.blocks,
            norm=nn.LayerNorm(options.width),
            enable_nested_tensor=False,
        )
        for table in (self.items, self.positions):
            nn.init.normal_(table.weight, std=0.02)

    def forward(self, inputs):
        """Hidden states of right-padded histories: the causal mask alone keeps padding out."""
        length = inputs.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        hidden = self.items(inputs) + self.positions.weight[:length]
        return self.blocks(self.dropout(hidden), mask=mask, is_causal=True)


def batches(windows, options):
    """Batches of an epoch in random order: of any histories, or of histories of about one length."""
    targets = sum(len(clicks) - 1 for clicks in windows)
    batch = max(1, round(options.batch_clicks * len(windows) / targets))
    order = torch.randperm(len(windows)).tolist()
    if options.variant == "bucketed":
        order.sort(key=lambda index: len(windows[index]))
    chunks = [order[at : at + batch] for at in range(0, len(order), batch)]
    for chunk in torch.randperm(len(chunks)).tolist():
        chosen = [windows[index] for index in chunks[chunk]]
        longest = options.max_len + 1 if options.variant == "padded" else max(map(len, chosen))
        yield torch.stack([functional.pad(clicks, (0, longest - len(clicks))) for clicks in chosen])


def loss_of(model, batch, variant):
    """Mean cross-entropy over all items, at every real position."""
    inputs, targets = batch[:, :-1], batch[:, 1:]
    hidden = model(inputs)
    if variant == "bucketed":
        real = targets != 0
        hidden, targets = hidden[real], targets[real]
    logits = hidden @ model.items.weight[1:].T
    return functional.cross_entropy(logits.flatten(0, -2), targets.flatten() - 1, ignore_index=-1)


def arguments(variants=("padded", "bucketed")):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="a folder made by `ingle prepare`")
    parser.add_argument("--variant", choices=variants, required=True)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-clicks", type=int, default=1024, help="real targets of a step, on average")
    parser.add_argument("--max-len", type=int, default=50)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--blocks", type=int, default=2)
    parser.add_argument("--heads", type=int, default=1)
    parser.add_argument("--feed-forward", type=int, default=256)
    parser.add_argument("--dropout", type=float, default=0.6)
    parser.add_argument("--learning-rate", type=float, default=5e-4)
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args()


def main():
    options = arguments()
    torch.manual_seed(options.seed)
    windows, n_items = training_windows(options.data, options.max_len)
    model = SasRec(n_items, options)
    optimiser = torch.optim.Adam(model.parameters(), lr=options.learning_rate)
    for epoch in range(1, options.epochs + 1):
        started, losses = time.perf_counter(), []
        for batch in batches(windows, options):
            optimiser.zero_grad()
            loss = loss_of(model, batch, options.variant)
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        seconds = time.perf_counter() - started
        row = {"epoch": epoch, "seconds": round(seconds, 3), "loss": round(sum(losses) / len(losses), 4)}
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
