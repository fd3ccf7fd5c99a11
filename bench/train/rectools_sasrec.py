"""RecTools' SASRec with its full softmax loss, timed by the epoch: a peer of `ingle train`.

RecTools as its users run it: its own data preparation, its own network (padded to --max-len) and
PyTorch Lightning underneath. Reads a folder made by `ingle prepare` and trains on the same sequences.

Prints one JSON line an epoch: {"epoch", "seconds", "loss"}.
"""

import json
import logging
import time
import warnings

import pandas
import torch
from pytorch_lightning import Callback, Trainer
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel
from rectools.models.nn.item_net import IdEmbeddingsItemNet

from sasrec import arguments, training_windows


class EpochTimes(Callback):
    """Prints the time and the mean loss of every epoch."""

    def on_train_epoch_start(self, trainer, module):
        self.started, self.losses = time.perf_counter(), []

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        self.losses.append(float(outputs["loss"]))

    def on_train_epoch_end(self, trainer, module):
        seconds = time.perf_counter() - self.started
        loss = sum(self.losses) / len(self.losses)
        row = {"epoch": trainer.current_epoch + 1, "seconds": round(seconds, 3), "loss": round(loss, 4)}
        print(json.dumps(row), flush=True)


def interactions(windows):
    """The sequences as the table that RecTools takes; the order of the clicks is their time."""
    rows = [(user, item, at) for user, clicks in enumerate(windows) for at, item in enumerate(clicks.tolist())]
    table = pandas.DataFrame(rows, columns=[Columns.User, Columns.Item, Columns.Datetime])
    table[Columns.Datetime] = pandas.to_datetime(table[Columns.Datetime], unit="s")
    table[Columns.Weight] = 1.0
    return table


def main():
    options = arguments(variants=["rectools"])
    warnings.filterwarnings("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    torch.manual_seed(options.seed)
    windows, _ = training_windows(options.data, options.max_len)
    targets = sum(len(clicks) - 1 for clicks in windows)

    def trainer():
        return Trainer(
            accelerator="cpu",
            max_epochs=options.epochs,
            min_epochs=options.epochs,
            callbacks=[EpochTimes()],
            enable_progress_bar=False,
            enable_model_summary=False,
            enable_checkpointing=False,
            logger=False,
        )

    model = SASRecModel(
        n_blocks=options.blocks,
        n_heads=options.heads,
        n_factors=options.width,
        dropout_rate=options.dropout,
        session_max_len=options.max_len,
        loss="softmax",
        lr=options.learning_rate,
        batch_size=max(1, round(options.batch_clicks * len(windows) / targets)),
        epochs=options.epochs,
        item_net_block_types=(IdEmbeddingsItemNet,),
        get_trainer_func=trainer,
    )
    model.fit(Dataset.construct(interactions(windows)))


if __name__ == "__main__":
    main()
