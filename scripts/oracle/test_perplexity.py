"""Perplexity by llama.cpp's protocol, which data/README.md describes."""
import json
import pathlib

import numpy as np
import pytest

DATA = pathlib.Path(__file__).resolve().parent / "data"


def test_smollm2(nautil, smollm2_file):
    expected = json.loads((DATA / "perplexity.json").read_text())
    r = nautil.json("perplexity", smollm2_file, "-f", DATA / "opticks.txt", "--json", timeout=600)
    assert {k: r[k] for k in ("n_ctx", "tokens", "windows")} == {k: expected[k] for k in ("n_ctx", "tokens", "windows")}
    assert r["perplexity"] == pytest.approx(expected["perplexity"], rel=0.005)


def test_with_bos(nautil, model, reference, tmp_path):
    """A model that adds a BOS, over a few windows: against the reference, which is given the same tokens."""
    path = model("tiny-llama3")
    text = (DATA / "opticks.txt").read_text(encoding="utf-8")[:3000]
    (tmp_path / "text").write_text(text, encoding="utf-8")
    ids = [0, *nautil.lines("tokenize", path, inputs=[{"text": text}])[0]["ids"]]
    r = nautil.json("perplexity", path, "-f", tmp_path / "text", "--json")
    assert r["tokens"] == len(ids) and r["windows"] == len(ids) // 512 >= 2
    assert np.log(r["perplexity"]) == pytest.approx(reference.perplexity(path, ids, bos=0), abs=0.005)
