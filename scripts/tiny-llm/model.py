"""Writes a language model of two layers and random weights, for the tests of crates/endpoint.

    python scripts/tiny-llm/model.py model.gguf

A Llama with a SentencePiece vocabulary: the bytes, the characters of ASCII and some pairs of letters, so
that titles are split into tokens of every kind, characters in pieces among them. It begins texts with a
token of its own. What it says means nothing, but follows from all that it has read, and is told with
confidence: log-probabilities of different places differ.
"""

import string
import sys

import gguf
import numpy as np

WIDTH, HEADS, FEED, BLOCKS, CONTEXT, SEED = 32, 4, 64, 2, 8192, 7
SPACE = "\u2581"


def vocabulary():
    """Tokens with their scores and types."""
    kinds = gguf.TokenType
    tokens = [("<unk>", 0.0, kinds.UNKNOWN), ("<s>", 0.0, kinds.CONTROL), ("</s>", 0.0, kinds.CONTROL)]
    tokens += [(f"<0x{byte:02X}>", 0.0, kinds.BYTE) for byte in range(256)]
    pairs = [SPACE + letter for letter in string.ascii_letters] + ["th", "he", "in", "er", "re", "on", "st"]
    words = [*pairs, "ing", SPACE + "the", SPACE + '"', '",', "\u00e9"]
    characters = [SPACE] + [c for c in string.printable if c.isprintable() and c != " "]
    # Of two ways to merge, the one with the higher score is taken.
    tokens += [(word, -float(i + 1), kinds.NORMAL) for i, word in enumerate(words + characters)]
    return tokens


def write(path):
    tokens = vocabulary()
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(BLOCKS)
    writer.add_feed_forward_length(FEED)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list([token for token, _, _ in tokens])
    writer.add_token_scores([score for _, score, _ in tokens])
    writer.add_token_types([kind for _, _, kind in tokens])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)

    chance = np.random.default_rng(SEED)

    def add(name, shape, scale):
        writer.add_tensor(name, (scale * chance.standard_normal(shape)).astype(np.float32))

    def add_norm(name):
        writer.add_tensor(name, np.ones(WIDTH, dtype=np.float32))

    add("token_embd.weight", (len(tokens), WIDTH), 1.0)
    for block in range(BLOCKS):
        add_norm(f"blk.{block}.attn_norm.weight")
        add_norm(f"blk.{block}.ffn_norm.weight")
        for part in ["attn_q", "attn_k", "attn_v", "attn_output"]:
            add(f"blk.{block}.{part}.weight", (WIDTH, WIDTH), 2.0 / WIDTH**0.5)
        add(f"blk.{block}.ffn_gate.weight", (FEED, WIDTH), 1.0 / WIDTH**0.5)
        add(f"blk.{block}.ffn_up.weight", (FEED, WIDTH), 1.0 / WIDTH**0.5)
        add(f"blk.{block}.ffn_down.weight", (WIDTH, FEED), 1.0 / FEED**0.5)
    add_norm("output_norm.weight")
    # Bytes are never the most likely: the server would go on until they are a character.
    is_byte = np.array([[kind == gguf.TokenType.BYTE] for _, _, kind in tokens])
    add("output.weight", (len(tokens), WIDTH), np.where(is_byte, 0.5, 4.0) / WIDTH**0.5)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    write(sys.argv[1])
