#!/usr/bin/env python3
"""Writes a small GGUF model, 64 MiB of F16 weights, whose KV cache takes 512 KiB a token. Its tokens are bytes, and "~~".

  wide_kv_model.py OUT.gguf
"""
import sys

import gguf
import numpy as np

LAYERS, EMBD, FF, HEADS, HEAD_DIM, VOCAB = 4, 64, 64, 64, 512, 257


def byte_alphabet():
    """GPT-2's printable characters for the 256 bytes."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(b if b in printable else next(others)) for b in range(256)]


def main():
    rng = np.random.default_rng(1)
    writer = gguf.GGUFWriter(sys.argv[1], "llama")
    writer.add_context_length(1024)
    writer.add_embedding_length(EMBD)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FF)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_key_length(HEAD_DIM)
    writer.add_value_length(HEAD_DIM)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([*byte_alphabet(), "~~"])
    writer.add_token_types([1] * VOCAB)
    writer.add_token_merges(["~ ~"])
    writer.add_eos_token_id(0)

    def matrix(name, rows, columns):
        values = rng.standard_normal((rows, columns), np.float32) / np.sqrt(columns)
        writer.add_tensor(name, values.astype(np.float16))

    def norm(name):
        writer.add_tensor(name, np.ones(EMBD, np.float32))

    matrix("token_embd.weight", VOCAB, EMBD)
    norm("output_norm.weight")
    for i in range(LAYERS):
        norm(f"blk.{i}.attn_norm.weight")
        norm(f"blk.{i}.ffn_norm.weight")
        for part in "qkv":
            matrix(f"blk.{i}.attn_{part}.weight", HEADS * HEAD_DIM, EMBD)
        matrix(f"blk.{i}.attn_output.weight", EMBD, HEADS * HEAD_DIM)
        matrix(f"blk.{i}.ffn_gate.weight", FF, EMBD)
        matrix(f"blk.{i}.ffn_up.weight", FF, EMBD)
        matrix(f"blk.{i}.ffn_down.weight", EMBD, FF)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


main()
