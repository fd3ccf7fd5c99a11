"""Prints what sentence-transformers makes of a few texts, for the tests in crates/lm/src/sentence.rs.

    python -m venv venv && venv/bin/pip install sentence-transformers
    venv/bin/python scripts/parity/minilm.py "$(scripts/fetch-lm)"

Of each embedding the first eight values and two projections, which no wrong value escapes easily.
"""

import sys

import numpy as np
from sentence_transformers import SentenceTransformer

TEXTS = [
    "Olay Pro-X Advanced Cleansing System 0.68 Fl Oz, 1-Count",
    "Crème brûlée façade, naïve Ångström",
    "日本の化粧品 シャンプー 400ml",
    "",
    "shampoo and conditioner for dry hair " * 60,
]

# Without modules.json it pools by the mean, as the original's says, and cuts where the original does.
model = SentenceTransformer(sys.argv[1], device="cpu")
model.max_seq_length = 256
rows = model.encode(TEXTS, normalize_embeddings=True)
ramp = np.arange(rows.shape[1]) / rows.shape[1]
for row in rows.astype("float64"):
    values = [*row[:8], row @ np.cos(7 * ramp), row @ np.sin(50 * ramp)]
    digits = [f"{value:.6f}" for value in values]
    print("[" + ", ".join(f"{text[:-3]}_{text[-3:]}" for text in digits) + "],")
