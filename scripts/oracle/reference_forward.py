"""The llama family's forward pass in NumPy, over weights that gguf-py decodes: what the exact path must give.

Nothing is quantised on the way. Everything is float32, or float64 when asked, except that keys and values are
rounded to float16, as the KV cache holds them. The code follows the papers, one whole prompt at a time, and is not
fast: it is a specification, and knows nothing of the engine under test.

RMSNorm: Zhang and Sennrich 2019. RoPE: Su et al. 2021, rotating adjacent pairs, as GGUF's llama architecture stores
them. Grouped-query attention: Ainslie et al. 2023. SwiGLU: Shazeer 2020.
"""
import glob
import re

import gguf
import numpy as np


def read(path):
    """(metadata, {name: tensor}) of a GGUF file or of all parts of a split one; path is the first part."""
    first = gguf.GGUFReader(path)
    metadata = {name: field.contents() for name, field in first.fields.items() if name.startswith(("llama.", "general."))}
    split = re.fullmatch(r"(.*)-00001-of-(\d{5})\.gguf", str(path))
    parts = sorted(glob.glob(f"{glob.escape(split[1])}-*-of-{split[2]}.gguf")) if split else []
    readers = [first, *(gguf.GGUFReader(p) for p in parts[1:])]
    return metadata, {t.name: t for r in readers for t in r.tensors}


def rms_norm(x, weight, eps):
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + eps) * weight


def rope(x, positions, theta, slowdown):
    """x: (n, heads, head_dim). Rotates the pair (2i, 2i+1) by position * theta^(-2i/head_dim) / slowdown[i]."""
    pairs = x.shape[-1] // 2
    angle = positions[:, None] * theta ** (-np.arange(pairs) / pairs) / slowdown  # (n, pairs), float64
    cos, sin = (f(angle)[:, None, :].astype(x.dtype) for f in (np.cos, np.sin))
    even, odd = x[..., 0::2], x[..., 1::2]
    out = np.empty_like(x)
    out[..., 0::2] = even * cos - odd * sin
    out[..., 1::2] = even * sin + odd * cos
    return out


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def log_softmax(x):
    x = x - x.max(axis=-1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


def silu(x):
    return x / (1 + np.exp(-x))


class Model:
    """keep=False decodes weights afresh at each use, for models whose float32 weights are large."""

    rotate = staticmethod(rope)

    def __init__(self, path, dtype=np.float32, keep=True, kv_dtype=np.float16):
        self.metadata, self.tensors = read(path)
        self.dtype, self.keep, self.kv_dtype = np.dtype(dtype), keep, kv_dtype
        self.decoded = {}
        get = lambda key: self.metadata["llama." + key]
        self.n_layer, self.n_embd = get("block_count"), get("embedding_length")
        self.n_head, self.n_head_kv = get("attention.head_count"), get("attention.head_count_kv")
        self.head_dim = self.metadata.get("llama.attention.key_length", self.n_embd // self.n_head)
        self.eps = get("attention.layer_norm_rms_epsilon")
        self.theta = self.metadata.get("llama.rope.freq_base", 10000.0)
        self.slowdown = self.weight("rope_freqs.weight") if "rope_freqs.weight" in self.tensors else 1.0

    def weight(self, name):
        """A decoded tensor: a matrix is (outputs, inputs)."""
        if name in self.decoded:
            return self.decoded[name]
        t = self.tensors[name]
        w = gguf.quants.dequantize(t.data, t.tensor_type).reshape(t.shape[::-1]).astype(self.dtype)
        if self.keep:
            self.decoded[name] = w
        return w

    def linear(self, x, name):
        return x @ self.weight(name).T

    def attention(self, x, prefix, positions):
        n = len(x)
        heads = lambda kind, count: self.linear(x, f"{prefix}{kind}.weight").reshape(n, count, self.head_dim)
        q = self.rotate(heads("attn_q", self.n_head), positions, self.theta, self.slowdown)
        k = self.rotate(heads("attn_k", self.n_head_kv), positions, self.theta, self.slowdown)
        v = heads("attn_v", self.n_head_kv)
        k, v = (a.astype(self.kv_dtype).astype(self.dtype) for a in (k, v))
        group = self.n_head // self.n_head_kv
        out = np.empty((n, self.n_head, self.head_dim), self.dtype)
        causal = np.where(np.tri(n, dtype=bool), 0, -np.inf).astype(self.dtype)
        for h in range(self.n_head):
            scores = q[:, h] @ k[:, h // group].T / self.dtype.type(self.head_dim ** 0.5) + causal  # (n, n)
            out[:, h] = softmax(scores) @ v[:, h // group]
        return self.linear(out.reshape(n, -1), f"{prefix}attn_output.weight")

    def feed_forward(self, x, prefix):
        gate, up = (self.linear(x, f"{prefix}{kind}.weight") for kind in ("ffn_gate", "ffn_up"))
        return self.linear(silu(gate) * up, f"{prefix}ffn_down.weight")

    def norm(self, x, name):
        return rms_norm(x, self.weight(name), self.dtype.type(self.eps))

    def embed(self, tokens):
        t = self.tensors["token_embd.weight"]
        rows = t.data.reshape(int(t.shape[1]), -1)[tokens]
        return gguf.quants.dequantize(rows, t.tensor_type).astype(self.dtype)

    def logits(self, tokens, first=0):
        """Logits after each token of one sequence from the index `first` on: (len(tokens) - first, n_vocab)."""
        positions = np.arange(len(tokens), dtype=np.float64)
        x = self.embed(np.asarray(tokens))
        for i in range(self.n_layer):
            prefix = f"blk.{i}."
            x = x + self.attention(self.norm(x, prefix + "attn_norm.weight"), prefix, positions)
            x = x + self.feed_forward(self.norm(x, prefix + "ffn_norm.weight"), prefix)
        x = self.norm(x[first:], "output_norm.weight")
        return self.linear(x, "output.weight" if "output.weight" in self.tensors else "token_embd.weight")

    def forced(self, prompt, continuation):
        """Log-probabilities at each step of a continuation that is fed after a prompt: (len(continuation), n_vocab)."""
        sequence = [*prompt, *continuation]
        return log_softmax(self.logits(sequence[:-1], first=len(prompt) - 1))


def perplexity(path, tokens, bos=None, n_ctx=512):
    """Mean negative log-probability by llama.cpp's protocol (data/README.md). tokens begin with the BOS if one is
    added."""
    model = Model(path)
    losses = []
    for start in range(0, len(tokens) - n_ctx + 1, n_ctx):
        window = np.array(tokens[start:start + n_ctx])
        if bos is not None:
            window[0] = bos
        p = log_softmax(model.logits(window[:-1], first=n_ctx // 2))
        losses.append(-p[np.arange(len(p)), window[n_ctx // 2 + 1:]])
    return float(np.mean(np.concatenate(losses), dtype=np.float64))
