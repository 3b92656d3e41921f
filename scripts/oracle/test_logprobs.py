"""Our log-probabilities against llama.cpp's, over llama.cpp's own greedy tokens.

Both engines quantise activations to 8 bits, each in its own way, and so differ from the exact result and from each
other. Small models: what llama.cpp alone differs by from the exact reference was measured on these (mean over its top
20, in nats): 0.001 for F32 and F16, 0.004 for BF16, 0.012 for the formats of 32 values and 0.021 to 0.028 for those
of 256, 0.029 and 0.031 for Nemo's widths. Two such engines are √2 as far from each other, 0.044 at most: the limit is 0.05.

SmolLM2: through 30 layers of real, outlier-rich activations the same noise grows until it no longer depends on its
size. llama.cpp in Q4_1 is 0.112 nats from the exact reference over the ten prompts, 0.116 from *itself* with flash
attention off, and picks another best token than the exact one at five of the 617 clear steps. No engine can be within
0.02 of that. So llama.cpp runs on the same weights decoded to float32, where it quantises nothing (0.002 from the
reference): the exact path must be within 0.02 of it, and the fast path no noisier than llama.cpp's own.
"""
import os

import blocks
import llamacpp
import pytest
import smollm2
from compare import agreement
from conftest import prompt_of

TYPES = [f"tiny-{t.name}" for t in blocks.FORMATS]
OTHERS = ["tiny-tied", "tiny-rope-freqs", "tiny-split", "tiny-spm", "tiny-llama3"]
LARGE = ["nemo-4l-Q4_K_M", "nemo-4l-IQ2_XXS"]
TOP = 200  # of ours, so that llama.cpp's 20 best are among them

PROMPTS = [
    "The capital of France is",
    "Once upon a time, in a village by the sea,",
    "def fibonacci(n):\n    ",
    "Water boils at a lower temperature on a mountain because",
    "Q: What is 17 + 25?\nA:",
    "Les trois couleurs du drapeau français sont",
    "<|im_start|>user\nName three noble gases.<|im_end|>\n<|im_start|>assistant\n",
    "Dear Sir or Madam,\n\nI am writing to",
    "1, 1, 2, 3, 5, 8, 13, 21,",
    "The main difference between a virus and a bacterium is that",
]


@pytest.fixture(scope="module")
def smollm2_steps():
    requests = [{"prompt": p, "n_predict": 64, "top": 20} for p in PROMPTS]
    return llamacpp.complete(smollm2.float_copy(), requests)


def smollm2_agreement(nautil, path, expected, *options, tie=0.1):
    ours = [nautil.forced(path, p, e["tokens"], TOP, *options) for p, e in zip(PROMPTS, expected)]
    a = agreement([s for e in expected for s in e["steps"]], [s for o in ours for s in o], tie)
    assert a.n_steps == 640
    return a


def test_smollm2_exact(nautil, smollm2_file, smollm2_steps):
    smollm2_agreement(nautil, smollm2_file, smollm2_steps, "--exact").check(0.02)


def test_smollm2(nautil, smollm2_file, smollm2_steps):
    """Limit: llama.cpp's own distance, 0.112, and a quarter for another choice of rounding (8-bit blocks of 32, tried
    in the reference, gave 0.110). The best tokens that 8 bits changed there had a lead of up to 0.36 nats."""
    smollm2_agreement(nautil, smollm2_file, smollm2_steps, tie=0.5).check(0.14)


@pytest.mark.skipif("NAUTIL_ORACLE_QUANTISED" not in os.environ, reason="no engine passes: see above")
def test_smollm2_against_quantised_activations(nautil, smollm2_file):
    expected = llamacpp.complete(smollm2_file, [{"prompt": p, "n_predict": 64, "top": 20} for p in PROMPTS])
    smollm2_agreement(nautil, smollm2_file, expected).check(0.02)


@pytest.mark.parametrize("name", TYPES + OTHERS)
def test_tiny(nautil, model, llama_steps, name):
    prompt, tokens, steps = llama_steps(name, 32)
    a = agreement(steps, nautil.forced(model(name), prompt, tokens, TOP))
    assert a.n_clear >= 12, "this model decides nothing: the comparison says little"
    a.check(0.05)


@pytest.mark.skipif(os.environ.get("NAUTIL_ORACLE_LARGE") == "0", reason="NAUTIL_ORACLE_LARGE is 0")
@pytest.mark.parametrize("name", LARGE)
def test_nemo_widths(nautil, model, llama_steps, name):
    prompt, tokens, steps = llama_steps(name, 24)
    a = agreement(steps, nautil.forced(model(name), prompt, tokens, TOP))
    assert a.n_clear >= 4, "this model decides nothing: the comparison says little"
    a.check(0.05)


# Of a KV cache in Q8_0 against one in F16. Without quantised activations, since the noise of those alone is 0.09 nats
# through SmolLM2's 30 layers and grows from any other difference just as well. Measured in the reference on 300 tokens
# of English with keys, values and queries rounded as the cache does: 0.026 nats.
Q8_0_LIMIT = 0.03


def kv_agreement(nautil, path, prompts, *options):
    """prompts: (prompt, tokens to feed) pairs."""
    run = lambda kv, top: [s for p, t in prompts for s in nautil.forced(path, p, t, top, "--kv-type", kv, *options)]
    return agreement(run("f16", 20), run("q8_0", TOP))


def test_smollm2_q8_0_cache(nautil, smollm2_file, smollm2_steps):
    prompts = [(p, e["tokens"]) for p, e in zip(PROMPTS, smollm2_steps)]
    a = kv_agreement(nautil, smollm2_file, prompts, "--exact")
    assert a.n_steps == 640
    assert 0 < a.mean <= Q8_0_LIMIT, f"mean |Δ log-probability| {a.mean:.4f} (worst {a.worst:.3f})"


@pytest.mark.parametrize("name", [n for n in TYPES + OTHERS if n != "tiny-split"])
def test_tiny_q8_0_cache(nautil, model, name):
    a = kv_agreement(nautil, model(name), [(prompt_of(name, 96), prompt_of(name, 33)[1:])], "--exact")
    assert 0 < a.mean <= Q8_0_LIMIT, f"mean |Δ log-probability| {a.mean:.4f} (worst {a.worst:.3f})"


def test_greedy_is_forced_greedy(nautil, model):
    """Without --force the engine feeds its own choices, and its figures are the same as when it is fed them."""
    path = model("tiny-Q4_K")
    free = nautil.json("complete", path, "--tokens", "1,300,400,500", "--n-predict", 16, "--top", 5, "--json")
    assert free["tokens"] == [s["id"] for s in free["steps"]] == [s["top"][0][0] for s in free["steps"]]
    assert len(free["tokens"]) == 16
    forced = nautil.forced(path, [1, 300, 400, 500], free["tokens"], 5)
    assert forced == free["steps"]
