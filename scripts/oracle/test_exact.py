"""The exact path (--exact: nothing quantised, float32 sums, float16 keys and values) against a float64 reference.

All tokens' log-probabilities are compared, which is the logits but for one constant a step. The limit is 1e-3. What a
correct float32 path may differ by was measured with the reference in float32 against itself in float64: 1e-5 with
unrounded keys and values; rounded to float16, where a sum's last bit may decide the rounding, up to 5e-4.
"""
import blocks
import numpy as np
import pytest

MODELS = [f"tiny-{t.name}" for t in blocks.FORMATS] + ["tiny-tied", "tiny-rope-freqs", "tiny-split", "tiny-spm",
                                                       "tiny-llama3"]


@pytest.mark.parametrize("name", MODELS)
def test_exact(nautil, model, reference, name):
    path = model(name)
    rng = np.random.default_rng(9)
    bos = 0 if name == "tiny-llama3" else 1
    tokens = [bos, *map(int, rng.integers(300, 1000, 39))]
    prompt, continuation = tokens[:32], tokens[32:]
    expected = reference.Model(path, np.float64).forced(prompt, continuation)
    n_vocab = expected.shape[1]
    ours = np.full_like(expected, np.nan)
    for row, step in zip(ours, nautil.forced(path, prompt, continuation, n_vocab, "--exact")):
        ids, values = zip(*step["top"])
        row[list(ids)] = values
    difference = np.abs(ours - expected)
    assert not np.isnan(difference).any(), "some tokens were not listed, or listed twice"
    assert difference.max() <= 1e-3, f"step {np.unravel_index(difference.argmax(), difference.shape)}: {difference.max()}"
