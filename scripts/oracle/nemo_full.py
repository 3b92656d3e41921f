#!/usr/bin/env python3
"""Opening time and memory of the full Mistral Nemo shape (12.25 B parameters, 6.96 GiB): for a developer, not for CI.

  nemo_full.py                       # makes nemo-full-Q4_K_M once (7 GiB of disk), then runs the command line on it
  nemo_full.py --model real.gguf --prompt-tokens 256

Run with -Xmx256m. Limits: the process's anonymous memory less its KV cache stays under 400 MB, as the kernel counts it
from outside (smaps_rollup, sampled while it runs); opening with warm pages takes under a second, as the command line
says. Speeds are printed, not judged.
"""
import argparse
import json
import os
import pathlib
import shlex
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "fixtures"))

import make_models

MEMORY_LIMIT = 400e6  # bytes
OPEN_LIMIT = 1.0  # seconds


def warm(path):
    """Reads the file once, so that its pages are in memory; returns GB/s."""
    buffer, start = bytearray(1 << 24), time.monotonic()
    with open(path, "rb", buffering=0) as f:
        while f.readinto(buffer):
            pass
    return path.stat().st_size / (time.monotonic() - start) / 1e9


def family(pid):
    """pid and its descendants: a launcher may start the JVM as a child."""
    children = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(entry.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(entry.parent.name))
    found = [pid]
    for p in found:
        found += children.get(p, [])
    return found


def anonymous(pid):
    """Anonymous resident bytes of a process and its descendants."""
    total = 0
    for p in family(pid):
        try:
            lines = pathlib.Path(f"/proc/{p}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Anonymous:"))
    return total


def run(command):
    """The command's JSON and the highest anonymous memory seen while it ran."""
    peak = 0
    env = os.environ | {"JDK_JAVA_OPTIONS": "-Xmx256m"}
    p = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
    out = []
    reader = threading.Thread(target=lambda: out.append(p.stdout.read()))
    reader.start()
    while reader.is_alive():
        peak = max(peak, anonymous(p.pid))
        reader.join(0.1)
    if p.wait():
        raise SystemExit(f"{shlex.join(command)[:200]}: exit code {p.returncode}")
    return json.loads(out[0]), peak


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--model", type=pathlib.Path)
    a.add_argument("--prompt-tokens", type=int, default=128)
    a.add_argument("--n-predict", type=int, default=32)
    o = a.parse_args()
    path = o.model or make_models.make("nemo-full-Q4_K_M")
    print(f"{path}: {path.stat().st_size / 2**30:.3f} GiB, read at {warm(path):.1f} GB/s")
    cli = shlex.split(os.environ.get("NAUTIL_CLI") or str(HERE.parent / "nautil"))
    r, peak = run([*cli, "bench", str(path), "-p", str(o.prompt_tokens), "-n", str(o.n_predict), "-r", "1", "--json"])
    open_seconds, kv = r["open_ms"] / 1e3, r["kv_bytes"]
    print(f"open {open_seconds:.3f} s (limit {OPEN_LIMIT})")
    for row in r["rows"]:
        print(f"{row['test']} {row['tok_per_s']:.2f} tok/s, {row['limit_fraction']:.0%} of the limit")
    print(f"anonymous {peak / 1e6:.0f} MB, KV {kv / 1e6:.0f} MB, without it {(peak - kv) / 1e6:.0f} MB "
          f"(limit {MEMORY_LIMIT / 1e6:.0f})")
    failed = [what for what, bad in (("open", open_seconds > OPEN_LIMIT), ("memory", peak - kv > MEMORY_LIMIT)) if bad]
    sys.exit(f"over the limit: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
