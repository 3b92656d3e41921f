#!/usr/bin/env python3
"""Opening time and memory of the full Mistral Nemo shape (12.25 B parameters, 6.96 GiB): for a developer, not for CI.

  nemo_full.py                       # makes nemo-full-Q4_K_M once (7 GiB of disk), then runs the command line on it
  nemo_full.py --model real.gguf --prompt-tokens 256

Run with -Xmx256m. Limits: the process's anonymous memory less its KV cache stays under 400 MB, as the kernel counts it
from outside (smaps_rollup, sampled while it runs); opening with warm pages takes under a second, as the command line
says. Speeds are printed, not judged. With NAUTIL_NATIVE_BUILD, the estimates of 4,096 and 32,768 tokens are compared
with contexts that are filled.
"""
import argparse
import json
import os
import pathlib
import shlex
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "fixtures"), str(HERE.parent / "benchmarks")]

import make_models
import processes
import test_memory

MEMORY_LIMIT = 400e6  # bytes
OPEN_LIMIT = 1.0  # seconds


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--model", type=pathlib.Path)
    a.add_argument("--prompt-tokens", type=int, default=128)
    a.add_argument("--n-predict", type=int, default=32)
    o = a.parse_args()
    path = o.model or make_models.make("nemo-full-Q4_K_M")
    print(f"{path}: {path.stat().st_size / 2**30:.3f} GiB, read at {processes.read_anew(path):.1f} GB/s")
    cli = shlex.split(os.environ.get("NAUTIL_CLI") or str(HERE.parent / "nautil"))
    done = processes.run([*cli, "bench", path, "-p", o.prompt_tokens, "-n", o.n_predict, "-r", 1, "--json"],
                         watch_memory=True, JDK_JAVA_OPTIONS="-Xmx256m")
    r, peak = json.loads(done.out), done.anonymous
    open_seconds, kv = r["open_ms"] / 1e3, r["kv_bytes"]
    print(f"open {open_seconds:.3f} s (limit {OPEN_LIMIT})")
    for row in r["rows"]:
        print(f"{row['test']} {row['tok_per_s']:.2f} tok/s, {row['limit_fraction']:.0%} of the limit")
    print(f"anonymous {peak / 1e6:.0f} MB, KV {kv / 1e6:.0f} MB, without it {(peak - kv) / 1e6:.0f} MB "
          f"(limit {MEMORY_LIMIT / 1e6:.0f})")
    if os.environ.get("NAUTIL_NATIVE_BUILD"):
        for n_ctx in (4096, 32768):
            print(n_ctx, test_memory.compare(path, n_ctx))
    failed = [what for what, bad in (("open", open_seconds > OPEN_LIMIT), ("memory", peak - kv > MEMORY_LIMIT)) if bad]
    sys.exit(f"over the limit: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
