"""What a model is estimated to take, from its header, against what the kernel counts once its context is full.

NAUTIL_NATIVE_BUILD is the core's CMake build folder, built with NAUTIL_TESTS. Run with pytest.
"""
import json
import os
import pathlib
import subprocess

import gguf
import pytest

LARGE = pytest.mark.skipif(os.environ.get("NAUTIL_ORACLE_LARGE") == "0", reason="NAUTIL_ORACLE_LARGE=0")


def measure(path, n_ctx, kv_type="f16"):
    """Estimate and measurement, in bytes, of a process that fills a context: memory_check.cpp."""
    folder = os.environ.get("NAUTIL_NATIVE_BUILD")
    if not folder:
        pytest.fail("NAUTIL_NATIVE_BUILD is not set: the core's CMake build folder")
    command = [pathlib.Path(folder) / "test" / "memory_check", path, str(n_ctx), kv_type]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def compare(path, n_ctx, kv_type="f16", working=0.1):
    """working: by which share of it the estimate of working memory may be off."""
    r = measure(path, n_ctx, kv_type)
    assert r["weight_bytes"] == sum(int(t.n_bytes) for t in gguf.GGUFReader(path).tensors)
    assert r["kv_bytes"] == pytest.approx(r["measured_kv_bytes"], rel=0.01)
    assert r["working_bytes"] == pytest.approx(r["measured_working_bytes"], rel=working)
    return r


@pytest.mark.parametrize("n_ctx, kv_type", [(1024, "f16"), (8192, "f16"), (8192, "q8_0")])
def test_small_model(smollm2_file, n_ctx, kv_type):
    # Of 12 MB, 2 are the kernels' of two threads, which use a part of them.
    compare(smollm2_file, n_ctx, kv_type, working=0.2)


@LARGE
@pytest.mark.parametrize("n_ctx, kv_type", [(4096, "f16"), (32768, "f16"), (32768, "q8_0")])
def test_nemo_widths(model, n_ctx, kv_type):
    compare(model("nemo-4l-Q4_K_M"), n_ctx, kv_type)


@pytest.mark.parametrize("name", ["tiny-Q4_K", "tiny-split"])
@pytest.mark.parametrize("kv_type, bytes_of_32", [("f16", 64), ("q8_0", 34)])
def test_inspect(nautil, model, name, kv_type, bytes_of_32):
    path = model(name)
    fields = gguf.GGUFReader(path).fields
    layers, kv_heads, head_dim = (int(fields[f"llama.{key}"].contents()) for key in (
        "block_count", "attention.head_count_kv", "attention.key_length"))
    parts = sorted(path.parent.glob(path.name.replace("00001-of-", "*-of-"))) if "split" in name else [path]
    r = nautil.json("inspect", path, "--json", "--ctx-size", 128, "--kv-type", kv_type)["memory"]
    assert (r["context_size"], r["kv_type"], r["fits"]) == (128, kv_type, True)
    assert r["weight_bytes"] == sum(int(t.n_bytes) for part in parts for t in gguf.GGUFReader(part).tensors)
    assert r["kv_bytes"] == 128 * 2 * layers * kv_heads * head_dim // 32 * bytes_of_32
    assert r["total_bytes"] == r["weight_bytes"] + r["kv_bytes"] + r["working_bytes"]
    memory = dict(line.split(":") for line in pathlib.Path("/proc/meminfo").read_text().splitlines())
    assert r["physical_bytes"] <= int(memory["MemTotal"].split()[0]) * 1024
    assert 0 < r["available_bytes"] <= r["physical_bytes"]
