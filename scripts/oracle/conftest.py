"""The command line under test, the test models and llama.cpp, for the tests beside this file.

NAUTIL_CLI: the command to test (default scripts/nautil). NAUTIL_TEST_MODELS: where models are made and kept.
NAUTIL_ORACLE_LARGE=0 leaves out the tests on 4 layers of Mistral Nemo's true widths (2.5 GiB of files).
"""
import json
import os
import pathlib
import shlex
import subprocess
import sys

import numpy as np
import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "fixtures")]

import llamacpp
import make_models
import reference_forward
import smollm2


class Nautil:
    def __init__(self):
        self.command = shlex.split(os.environ.get("NAUTIL_CLI") or str(HERE.parent / "nautil"))

    def run(self, *args, stdin=None, timeout=300):
        return subprocess.run([*self.command, *map(str, args)], input=stdin, text=True, encoding="utf-8",
                              capture_output=True, timeout=timeout)

    def text(self, *args, **options):
        done = self.run(*args, **options)
        assert done.returncode == 0, f"nautil {shlex.join(map(str, args))[:300]}: {done.returncode}\n{done.stderr[-3000:]}"
        return done.stdout

    def json(self, *args, **options):
        return json.loads(self.text(*args, **options))

    def lines(self, *args, inputs):
        """Feeds JSON lines, and returns as many."""
        out = self.text(*args, stdin="".join(json.dumps(i, ensure_ascii=False) + "\n" for i in inputs))
        out = out.removesuffix("\n").split("\n")  # not where splitlines would, at other separators in texts
        assert len(out) == len(inputs), f"{len(out)} lines for {len(inputs)}"
        return [json.loads(line) for line in out]

    def forced(self, model, prompt, continuation, top, *options):
        """The steps of `complete` when it is fed the continuation. prompt: text or token ids."""
        given = ("--prompt", prompt) if isinstance(prompt, str) else ("--tokens", joined(prompt))
        r = self.json("complete", model, *given, "--n-predict", len(continuation), "--force", joined(continuation),
                      "--top", top, "--json", *options)
        assert [s["id"] for s in r["steps"]] == list(continuation)
        assert all(len(s["top"]) == top for s in r["steps"])
        return r["steps"]


def joined(tokens):
    return ",".join(map(str, tokens))


def prompt_of(name, length=32):
    """Token ids that are text in every test vocabulary, after the BOS that the vocabulary has."""
    rng = np.random.default_rng(3)
    bos = 0 if name == "tiny-llama3" else 1
    first, last = (1300, 131072) if name.startswith("nemo") else (300, 1000)
    return [bos, *map(int, rng.integers(first, last, length - 1))]


@pytest.fixture(scope="session")
def nautil():
    return Nautil()


@pytest.fixture(scope="session")
def model():
    """model(name): the file of a test model."""
    return make_models.make


@pytest.fixture(scope="session")
def smollm2_file():
    return smollm2.path()


@pytest.fixture(scope="session")
def llama_steps():
    """llama_steps(name, n, top=20): (prompt, greedy tokens, steps) of llama.cpp on a test model."""
    done = {}

    def run(name, n, top=20):
        if (name, n, top) not in done:
            prompt = prompt_of(name)
            r = llamacpp.complete(make_models.make(name), [{"prompt": prompt, "n_predict": n, "top": top}])[0]
            done[name, n, top] = prompt, r["tokens"], r["steps"]
        return done[name, n, top]
    return run


@pytest.fixture(scope="session")
def reference():
    return reference_forward
