"""`nautil inspect` against gguf-py: what the file says, and what its blocks decode to, bit for bit."""
import collections
import re

import blocks
import gguf
import numpy as np
import pytest
import reference_forward

TYPES = [f"tiny-{t.name}" for t in blocks.FORMATS]


@pytest.mark.parametrize("name", TYPES)
def test_decoded_values(nautil, model, name):
    path = model(name)
    tensors = reference_forward.read(path)[1]
    for tensor, first, last in (("blk.1.ffn_down.weight", 3, 9), ("token_embd.weight", 300, 303)):
        t = tensors[tensor]
        got = nautil.json("inspect", path, "--json", "--tensor", tensor, "--rows", f"{first}:{last}")["tensor"]
        assert (got["name"], got["type"], got["shape"]) == (tensor, t.tensor_type.name, t.shape.tolist())
        rows = t.data.reshape(int(t.shape[1]), -1)[first:last]
        expected = gguf.quants.dequantize(rows, t.tensor_type).astype(np.float32)
        np.testing.assert_array_equal(np.array(got["values"], np.float32), expected)


@pytest.mark.parametrize("name", ["tiny-Q4_K", "tiny-split", "tiny-spm", "tekken-tiny"])
def test_file(nautil, model, name):
    path = model(name)
    metadata, tensors = reference_forward.read(path)
    r = nautil.json("inspect", path, "--json")
    for key, value in metadata.items():
        assert r["metadata"][key] == (pytest.approx(value) if isinstance(value, float) else value), key
    assert r["tensor_types"] == dict(collections.Counter(t.tensor_type.name for t in tensors.values()))
    assert r["parameters"] == sum(int(np.prod(t.shape)) for t in tensors.values())
    parts = path.parent.glob(re.sub(r"-00001-of-", "-*-of-", path.name))
    assert r["file_bytes"] == sum(p.stat().st_size for p in parts)


def test_vector(nautil, model):
    path = model("tiny-rope-freqs")
    t = reference_forward.read(path)[1]["rope_freqs.weight"]
    got = nautil.json("inspect", path, "--json", "--tensor", "rope_freqs.weight", "--rows", "0:1")["tensor"]
    np.testing.assert_array_equal(np.array(got["values"], np.float32), t.data.reshape(1, -1))
