"""Runs a command and measures it from outside: its memory, and when it said what."""
import dataclasses
import mmap
import os
import pathlib
import shlex
import subprocess
import threading
import time


class Failed(SystemExit):
    """A command that ended with an error, which nobody needs to handle."""


@dataclasses.dataclass
class Finished:
    out: str
    said: list  # (seconds on the monotonic clock, line) of standard error
    anonymous: int  # highest anonymous resident bytes seen, of the command and its descendants


def read_anew(path):
    """Has the file in memory as it is after the system's start and a first open: read from the disk through a map, in
    large pages where the file system has them. What a writer leaves in the cache lies in pages as long as its writes
    were. Returns GB/s."""
    start = time.monotonic()
    with open(path, "rb") as f:
        os.fsync(f.fileno())
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        with mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ) as m:
            try:
                m.madvise(mmap.MADV_HUGEPAGE)
            except OSError:
                pass  # a kernel without them
            m[::mmap.PAGESIZE]
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


def run(command, watch_memory=False, **environment):
    """Memory is sampled only where it is watched: the kernel stops a process's page faults while it counts."""
    command = [str(c) for c in command]
    p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         env=os.environ | environment)
    out, said, peak = [], [], 0
    readers = [threading.Thread(target=lambda: out.append(p.stdout.read())),
               threading.Thread(target=lambda: said.extend((time.monotonic(), line.rstrip()) for line in p.stderr))]
    try:
        for reader in readers:
            reader.start()
        while watch_memory and readers[0].is_alive():
            peak = max(peak, anonymous(p.pid))
            readers[0].join(0.1)
        for reader in readers:
            reader.join()
    except BaseException:
        p.terminate()
        raise
    if p.wait():
        last = "\n".join(line for _, line in said[-20:])
        raise Failed(f"{shlex.join(command)}: exit code {p.returncode}\n{last}")
    return Finished(out[0], said, peak)
