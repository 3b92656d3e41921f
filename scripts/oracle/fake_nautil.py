#!/usr/bin/env python3
"""A stand-in for the command line, made of the reference and of other people's tokenizers: it proves the suite.

  NAUTIL_CLI="python3 scripts/oracle/fake_nautil.py" python3 -m pytest -q scripts/oracle

Every test must pass on it but those on Mistral Nemo's widths, for which it is slow (NAUTIL_ORACLE_LARGE=0).
"""
import argparse
import collections
import importlib.util
import json
import pathlib
import sys

import gguf
import numpy as np
import tokenizers
from tokenizers import models, pre_tokenizers

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "fixtures")]

import compare
import reference_forward
import test_cli_template

KEYS = {"general.architecture", "llama.context_length", "llama.embedding_length", "llama.block_count",
        "llama.feed_forward_length", "llama.attention.head_count", "llama.attention.head_count_kv",
        "llama.attention.key_length", "llama.attention.value_length", "llama.rope.dimension_count",
        "llama.rope.freq_base", "llama.attention.layer_norm_rms_epsilon", "llama.vocab_size"}


class Refused(Exception):
    pass


def check(path):
    """What the real loader does in its own words."""
    try:
        metadata, tensors = reference_forward.read(path)
    except (OSError, ValueError) as e:
        raise Refused(f"{path}: {str(e).splitlines()[0]}") from e
    if metadata["general.architecture"] != "llama":
        raise Refused(f"{path}: architecture {metadata['general.architecture']} is not supported")
    for key in metadata.keys() - KEYS:
        if key.startswith("llama."):
            raise Refused(f"{path}: {key} = {metadata[key]} is not supported")
    per_layer = ("attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm", "ffn_gate", "ffn_up", "ffn_down")
    known = {f"blk.{i}.{t}.weight" for i in range(metadata["llama.block_count"]) for t in per_layer}
    known |= {"token_embd.weight", "output_norm.weight"}
    for name in known - tensors.keys():
        count = gguf.GGUFReader(path).fields.get("split.count")
        part = f"00003-of-{count.contents():05d}" if count else ""
        raise Refused(f"{path}: tensor {name} is missing {part}")
    for name in tensors.keys() - known - {"output.weight", "rope_freqs.weight"}:
        raise Refused(f"{path}: tensor {name} is not used by this architecture")
    return metadata


def tokenizer(path):
    """A function from text to ids."""
    fields = gguf.GGUFReader(path).fields
    get = lambda key: fields["tokenizer.ggml." + key].contents()
    if get("model") == "llama":
        import sentencepiece
        return sentencepiece.SentencePieceProcessor(model_file=str(path.with_name("tiny-spm.model"))).encode
    if get("pre") == "smollm":
        split = pre_tokenizers.Digits(individual_digits=True)
    else:
        package = pathlib.Path(importlib.util.find_spec("mistral_common").origin).parent
        pattern = json.loads((package / "data" / "tekken_240718.json").read_text())["config"]["pattern"]
        split = pre_tokenizers.Split(tokenizers.Regex(pattern), "isolated")
    tokens, types = get("tokens"), get("token_type")
    bpe = models.BPE({t: i for i, t in enumerate(tokens)}, [tuple(m.split(" ")) for m in get("merges")], ignore_merges=True)
    t = tokenizers.Tokenizer(bpe)
    t.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(False, use_regex=get("pre") == "smollm")])
    special = {s: i for i, (s, kind) in enumerate(zip(tokens, types)) if kind == 3}

    def encode(text, parse_special=False):
        if not parse_special:
            return t.encode(text).ids
        ids, start, i = [], 0, 0
        while i < len(text):
            found = max((s for s in special if text.startswith(s, i)), key=len, default=None)
            if found:
                ids += [*t.encode(text[start:i]).ids, special[found]]
                start = i = i + len(found)
            else:
                i += 1
        return ids + t.encode(text[start:]).ids
    return encode


def integers(text):
    try:
        return [int(t) for t in text.split(",")]
    except ValueError as e:
        raise Refused(f"{text} is not a list of token ids") from e


def complete(o):
    metadata = check(o.model)
    prompt = integers(o.tokens) if o.tokens else tokenizer(o.model)(o.prompt, True)
    n_vocab = len(gguf.GGUFReader(o.model).fields["tokenizer.ggml.tokens"].data)
    if not all(0 <= t < n_vocab for t in prompt):
        raise Refused(f"a token id is not in [0, {n_vocab})")
    if len(prompt) + o.n_predict > metadata["llama.context_length"]:
        raise Refused("the context is too short")
    model = reference_forward.Model(o.model, np.float32)
    continuation = integers(o.force) if o.force else []
    if not continuation:
        for _ in range(o.n_predict):
            continuation.append(int(model.logits([*prompt, *continuation])[-1].argmax()))
    steps = compare.steps(model.forced(prompt, continuation), continuation, o.top)
    return {"text": "", "tokens": continuation, "steps": steps}


def inspect(o):
    metadata, tensors = reference_forward.read(o.model)
    parts = o.model.parent.glob(o.model.name.replace("-00001-of-", "-*-of-"))
    r = {"metadata": metadata, "tensor_types": dict(collections.Counter(t.tensor_type.name for t in tensors.values())),
         "parameters": sum(int(np.prod(t.shape)) for t in tensors.values()), "file_bytes": sum(p.stat().st_size for p in parts)}
    if o.tensor:
        if o.tensor not in tensors:
            raise Refused(f"there is no tensor {o.tensor}")
        t = tensors[o.tensor]
        rows = slice(*map(int, o.rows.split(":")))
        values = gguf.quants.dequantize(t.data, t.tensor_type).reshape(-1, int(t.shape[0]))[rows]
        r["tensor"] = {"name": o.tensor, "type": t.tensor_type.name, "shape": t.shape.tolist(), "values": values.tolist()}
    return r


def perplexity(o):
    fields = gguf.GGUFReader(o.model).fields
    bos = fields["tokenizer.ggml.bos_token_id"].contents() if fields["tokenizer.ggml.add_bos_token"].contents() else None
    ids = tokenizer(o.model)(o.file.read_text(encoding="utf-8"), True)
    ids = ids if bos is None else [bos, *ids]
    mean = reference_forward.perplexity(o.model, ids, bos)
    return {"perplexity": float(np.exp(mean)), "tokens": len(ids), "n_ctx": 512, "windows": len(ids) // 512}


def chat(line):
    from mistral_common.protocol.instruct.request import ChatCompletionRequest
    from mistral_common.tokens.tokenizers.base import SpecialTokenPolicy
    from mistral_common.tokens.tokenizers.mistral import MistralTokenizer
    package = pathlib.Path(importlib.util.find_spec("mistral_common").origin).parent
    tools = [{"type": "function", "function": t} for t in line["tools"]]
    mistral = MistralTokenizer.from_file(str(package / "data" / "tekken_240718.json"))
    ids = mistral.encode_chat_completion(ChatCompletionRequest(messages=line["messages"], tools=tools)).tokens
    return {"prompt": mistral.decode(ids, special_token_policy=SpecialTokenPolicy.KEEP), "ids": ids}


def main():
    a = argparse.ArgumentParser()
    commands = a.add_subparsers(dest="command", required=True)
    for name in ("complete", "inspect", "perplexity", "tokenize", "template"):
        c = commands.add_parser(name, usage=f"nautil {name} …")
        if name != "template":
            c.add_argument("model", type=pathlib.Path)
        c.add_argument("--json", action="store_true")
        for option in ("--prompt", "--tokens", "--force", "--tensor", "--rows", "--now"):
            c.add_argument(option)
        c.add_argument("--n-predict", type=int, default=16)
        c.add_argument("--top", type=int, default=1)
        c.add_argument("--exact", action="store_true")
        c.add_argument("--chat", action="store_true")
        c.add_argument("-f", dest="file", type=pathlib.Path)
    o = a.parse_args()
    if o.command in ("tokenize", "template"):
        encode = tokenizer(o.model) if o.command == "tokenize" and not o.chat else None
        for line in map(json.loads, sys.stdin):
            print(json.dumps(chat(line) if o.chat else {"ids": encode(line["text"])} if encode else
                             test_cli_template.render(line["template"], line["context"])))
        return
    try:
        print(json.dumps(globals()[o.command](o)))
    except Refused as e:
        sys.exit(f"nautil: {e}")


if __name__ == "__main__":
    main()
