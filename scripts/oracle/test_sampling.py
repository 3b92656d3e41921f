"""The core's samplers against llama.cpp's own, over the logits that llama.cpp computes: what is left, and how probable.

NAUTIL_NATIVE_BUILD is the core's CMake build folder, built with NAUTIL_TESTS. Run with pytest.
"""
import os
import pathlib
import subprocess

import llamacpp
import numpy as np
import pytest

# Ordinary words, with repetitions of four and of three tokens before the end.
PROMPT = [1046, 1321, 1513, 3165, 3040, 30, 1046, 1321, 1513, 3165, 3591, 30, 1046, 1321, 1513]

# llama.cpp's parameters, and those of nt_sampling that mean the same.
CASES = {
    "temperature": ({"temperature": 0.6}, {"temperature": 0.6}),
    "dynamic temperature": (
        {"temperature": 1, "dynatemp_range": 0.7, "dynatemp_exponent": 1.5},
        {"temperature_range": 0.7, "temperature_exponent": 1.5},
    ),
    "top-k": ({"top_k": 17}, {"top_k": 17}),
    # Where tokens are so probable that llama.cpp's sum of floats, off by 10⁻⁴ here, does not miss one.
    "top-p": ({"top_p": 0.61}, {"top_p": 0.61}),
    "min-p": ({"min_p": 0.013}, {"min_p": 0.013}),
    "typical": ({"typical_p": 0.71}, {"typical_p": 0.71}),
    "top-n-sigma": ({"top_n_sigma": 1.7}, {"top_n_sigma": 1.7}),
    "xtc": ({"xtc_probability": 1, "xtc_threshold": 0.011}, {"xtc_probability": 1, "xtc_threshold": 0.011}),
    "frequency and presence": (
        {"frequency_penalty": 0.4, "presence_penalty": 0.7, "repeat_last_n": 9},
        {"frequency_penalty": 0.4, "presence_penalty": 0.7, "penalty_last_n": 9},
    ),
    "dry": (
        {"dry_multiplier": 0.8, "dry_base": 1.6, "dry_allowed_length": 2, "dry_penalty_last_n": 64,
         "dry_sequence_breakers": ["~"]},
        {"dry_multiplier": 0.8, "dry_base": 1.6, "dry_allowed_length": 2, "dry_last_n": 64},
    ),
    "chain": (
        {"temperature": 0.7, "top_k": 50, "typical_p": 0.93, "top_p": 0.91, "min_p": 0.011},
        {"temperature": 0.7, "top_k": 50, "typical_p": 0.93, "top_p": 0.91, "min_p": 0.011},
    ),
    "temperature first": (
        {"temperature": 1.7, "top_p": 0.77, "samplers": ["temperature", "top_p"]},
        {"temperature": 1.7, "top_p": 0.77, "order": "9,6"},
    ),
    "mirostat": (
        {"temperature": 1, "mirostat": 2, "mirostat_tau": 3, "mirostat_eta": 0.1},
        {"mirostat_tau": 3, "mirostat_mu": 6},
    ),
}


@pytest.fixture(scope="module")
def llama(smollm2_file):
    """The logits after the prompt, and by case what llama.cpp leaves: id → probability."""
    requests = [{"prompt": PROMPT, "sampling": theirs} for theirs in (None, *(theirs for theirs, _ in CASES.values()))]
    before, *after = llamacpp.distributions(smollm2_file, requests)
    logits = np.full(len(before), np.nan, np.float32)
    for token, logprob in before:
        logits[token] = logprob
    assert np.isfinite(logits).all()
    return logits, dict(zip(CASES, after))


def core(logits_file, **parameters):
    folder = os.environ.get("NAUTIL_NATIVE_BUILD")
    if not folder:
        pytest.skip("NAUTIL_NATIVE_BUILD names no build folder")
    command = [pathlib.Path(folder) / "test/sampler_check", logits_file]
    done = subprocess.run([*command, *(f"{k}={v}" for k, v in parameters.items())], text=True, capture_output=True,
                          timeout=60)
    assert done.returncode == 0, done.stderr
    return {int(token): float(p) for token, p in map(str.split, done.stdout.splitlines())}


@pytest.mark.parametrize("name", CASES)
def test_leaves_what_llama_cpp_leaves(name, llama, tmp_path):
    logits, expected = llama
    logits.tofile(tmp_path / "logits")
    history = ",".join(map(str, PROMPT))
    got = core(tmp_path / "logits", history=history, **CASES[name][1])
    # llama.cpp lists no token whose probability is 0 as a float.
    want = {token: p for token, p in expected[name] if p > 0}
    likely = {token for token, p in got.items() if p > 1e-30}
    assert likely <= set(want) <= set(got)
    # A logit is the logarithm of a float: off by up to 20 · 2⁻²⁴. llama.cpp adds up 49,152 floats one by one, off by at
    # most as many half units in the last place of the sum, and in practice by their square root.
    sums = 4 * np.sqrt(len(logits)) * 2**-24
    tolerance = 20 * 2**-24 / 0.3 + sums
    # Its entropy is such a sum, and so the temperature, which all logits are divided by.
    spread = sums if name == "dynamic temperature" else 0
    for token in likely:
        off = abs(np.log(got[token] / want[token]))
        assert off <= tolerance + spread * abs(np.log(got[token])), (token, got[token], want[token])
