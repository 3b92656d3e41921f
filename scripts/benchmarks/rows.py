"""What is measured, and how our command line measures it."""
import dataclasses
import json

import processes

# Tokens that a sequence of a batch holds before it generates: the peer's tool wants some.
BATCH_DEPTH = 16
# Tokens generated where memory is measured.
MEMORY_GENERATED = 16


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    group: str
    label: str
    model: str  # of make_models, or smollm2
    metric: str  # prefill, decode, open, memory
    tokens: int = 0  # read or generated in each sequence
    batch: int = 1
    depth: int = 0  # tokens in the context before
    repetitions: int = 1  # in each process; their median is its result
    rounds: int = 0  # at most; 0: as many as are asked for
    quick: bool = False

    @property
    def unit(self):
        return {"open": "s", "memory": "MB"}.get(self.metric, "tok/s")

    @property
    def less_is_better(self):
        return self.metric in ("open", "memory")

    @property
    def prompt(self):
        return self.tokens if self.metric in ("prefill", "memory") else 0

    @property
    def generated(self):
        return {"decode": self.tokens, "memory": MEMORY_GENERATED, "open": 1}.get(self.metric, 0)


NEMO, IQ2 = "nemo-full-Q4_K_M", "nemo-full-IQ2_XXS"
NEMO_GROUP, IQ2_GROUP = "Mistral-Nemo 12B, Q4_K_M", "Mistral-Nemo 12B, IQ2_XXS"
DEEP, DEEP_GROUP = "nemo-4l-Q4_K_M", "Four of its layers, long context"
SMALL, SMALL_GROUP = "smollm2", "SmolLM2 135M, Q4_1"
START_GROUP = "Mistral-Nemo 12B, Q4_K_M: less is better"

ROWS = [
    Row("prefill", NEMO_GROUP, "read a prompt of 256 tokens", NEMO, "prefill", 256),
    *(Row(f"decode-{n}", NEMO_GROUP, f"generate, {n} sequence{'s' if n > 1 else ''}", NEMO, "decode", 16, batch=n)
      for n in (1, 4, 8, 16)),
    Row("iq2-prefill", IQ2_GROUP, "read a prompt of 128 tokens", IQ2, "prefill", 128),
    Row("iq2-decode", IQ2_GROUP, "generate, 1 sequence", IQ2, "decode", 16),
    # A context is filled once a process, and more repetitions cost little.
    Row("prefill-8k", DEEP_GROUP, "read 512 tokens after 8,192", DEEP, "prefill", 512, depth=8192, repetitions=3,
        quick=True),
    Row("decode-8k", DEEP_GROUP, "generate after 8,192 tokens", DEEP, "decode", 32, depth=8192, repetitions=3,
        quick=True),
    # One round: llama.cpp takes a quarter of an hour on two cores to fill it.
    Row("decode-32k", DEEP_GROUP, "generate after 32,768 tokens", DEEP, "decode", 16, depth=32768, repetitions=5,
        rounds=1),
    Row("smollm2-prefill", SMALL_GROUP, "read a prompt of 512 tokens", SMALL, "prefill", 512, repetitions=3, quick=True),
    Row("smollm2-decode", SMALL_GROUP, "generate, 1 sequence", SMALL, "decode", 128, repetitions=3, quick=True),
    Row("open", START_GROUP, "open, pages warm", NEMO, "open"),
    Row("memory", START_GROUP, "memory beside the KV cache", NEMO, "memory", 256),
]


@dataclasses.dataclass
class Measured:
    """One process's result, in the row's unit; of ours also what the machine can do, as it measured it."""
    value: float
    limit: float = None
    limit_by: str = None  # memory, multiply-adds
    head: dict = dataclasses.field(default_factory=dict)


def arguments(row):
    """Those of `nautil bench` behind the model."""
    depth = row.depth or (BATCH_DEPTH if row.batch > 1 else 0)
    return ["-p", row.prompt, "-n", row.generated, "-b", row.batch, "-d", depth, "-r", row.repetitions,
            *(["--own-context"] if row.batch > 1 else []), "--json"]


def parse(row, result):
    """Measured, from the JSON of `nautil bench`."""
    head = {key: result[key] for key in ("isa", "threads", "bandwidth_gb_per_s", "dot_gmac_per_s")}
    if row.metric == "open":
        return Measured(result["open_ms"] / 1e3, head=head)
    if row.metric == "memory":
        # As the process counts it after each test: seen from outside, its highest is the buffer that measures bandwidth.
        return Measured((result["anonymous_bytes"] - result["kv_bytes"]) / 1e6, head=head)
    [r] = [r for r in result["rows"] if r["test"] == row.metric]
    # What is read takes this share of the bandwidth; if that is not the share of the limit, the other one binds.
    reading = r["gb_per_s"] / result["bandwidth_gb_per_s"]
    by = "memory" if reading > 0.999 * r["limit_fraction"] else "multiply-adds"
    return Measured(r["tok_per_s"], r["tok_per_s"] / r["limit_fraction"], by, head)


def measure(row, command, model, environment):
    done = processes.run([*command, "bench", model, *arguments(row)], JDK_JAVA_OPTIONS="-Xmx256m", **environment)
    return parse(row, json.loads(done.out))
