"""The harness itself: engines with one thing wrong must not pass, and the reference must."""
import numpy as np
import pytest
import reference_forward as rf
from compare import agreement, steps


class RotatesHalves(rf.Model):
    """Rotates (i, i + head_dim/2), as other families store their heads."""

    @staticmethod
    def rotate(x, *args):
        pairs = np.stack(np.split(x, 2, axis=-1), axis=-1).reshape(x.shape)
        turned = rf.rope(pairs, *args)
        return np.concatenate([turned[..., 0::2], turned[..., 1::2]], axis=-1)


class NoRopeFreqs(rf.Model):
    @staticmethod
    def rotate(x, positions, theta, slowdown):
        return rf.rope(x, positions, theta, 1.0)


class NormWithoutWeight(rf.Model):
    def norm(self, x, name):
        return rf.rms_norm(x, np.float32(1), self.eps) if name == "blk.1.attn_norm.weight" else super().norm(x, name)


def spoiled(tensor, change):
    def engine(path):
        model = rf.Model(path)
        weight = model.weight(tensor)
        weight[...] = change(weight)
        return model
    return engine


WRONG = {
    "rotation of halves": RotatesHalves,
    "rope_freqs ignored": NoRopeFreqs,
    "a norm's weight ignored": NormWithoutWeight,
    "the scale of attention": spoiled("blk.0.attn_q.weight", lambda w: w * 0.7),
    "a row off by one": spoiled("blk.0.attn_v.weight", lambda w: np.roll(w, 1, axis=0)),
    "one sub-block in eight of one matrix": spoiled(
        "blk.1.ffn_down.weight", lambda w: w * (np.arange(w.shape[1]) // 32 % 8 != 5)),
}


def measure(llama_steps, model, engine):
    prompt, tokens, expected = llama_steps("tiny-rope-freqs", 32)
    return agreement(expected, steps(engine(model("tiny-rope-freqs")).forced(prompt, tokens), tokens, 200))


def test_reference_passes(llama_steps, model):
    measure(llama_steps, model, rf.Model).check(0.05)


@pytest.mark.parametrize("fault", WRONG)
def test_wrong_engine_fails(llama_steps, model, fault):
    a = measure(llama_steps, model, WRONG[fault])
    assert not a.passes(0.05), a


def test_float_types_agree_closely(llama_steps, model):
    """Without quantised activations the two references, which share no code, are one."""
    prompt, tokens, expected = llama_steps("tiny-F32", 32)
    agreement(expected, steps(rf.Model(model("tiny-F32")).forced(prompt, tokens), tokens, 200)).check(0.002)
