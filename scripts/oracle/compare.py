"""How far an engine's log-probabilities are from a reference's, over the same forced tokens."""
import dataclasses

import numpy as np


@dataclasses.dataclass
class Agreement:
    n_steps: int
    n_clear: int  # steps at which the reference's two best differ by more than `tie`
    mean: float  # |Δ log-probability| over the reference's top tokens, nats
    worst: float
    wrong: list  # (step, reference's best, ours) where the reference is clear and we differ

    def check(self, limit):
        assert not self.wrong, f"best token differs at {len(self.wrong)} of {self.n_clear} clear steps: {self.wrong[:5]}"
        assert self.mean <= limit, f"mean |Δ log-probability| {self.mean:.4f} exceeds {limit} (worst {self.worst:.3f})"

    def passes(self, limit):
        return not self.wrong and self.mean <= limit


def agreement(reference, ours, tie=0.1):
    """Both are lists of steps {"top": [[id, logprob], …]}, the most probable first; ours should reach further down.
    Where the reference's two best are within `tie` nats, either may be ours.

    A reference token that ours does not list differs by at least its distance to our last one: that counts.
    """
    assert len(ours) == len(reference), f"{len(ours)} steps for {len(reference)}"
    differences, wrong, n_clear = [], [], 0
    for i, (r, o) in enumerate(zip(reference, ours)):
        known = dict(map(tuple, o["top"]))
        floor = o["top"][-1][1]
        differences += [abs(p - known[t]) if t in known else max(0.0, p - floor) for t, p in r["top"]]
        if r["top"][0][1] - r["top"][1][1] > tie:
            n_clear += 1
            if o["top"][0][0] != r["top"][0][0]:
                wrong.append((i, r["top"][0][0], o["top"][0][0]))
    return Agreement(len(reference), n_clear, float(np.mean(differences)), float(np.max(differences)), wrong)


def steps(log_probabilities, tokens, k):
    """The rows of an (n, n_vocab) array as steps with the k best tokens: the lower id first among equals."""
    out = []
    for row, token in zip(log_probabilities, tokens):
        best = np.lexsort((np.arange(len(row)), -row))[:k]
        out.append({"id": int(token), "logprob": float(row[token]), "top": [[int(i), float(row[i])] for i in best]})
    return out
