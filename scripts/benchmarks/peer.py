"""llama.cpp: where its tools are, how they measure a row, and what they print."""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import processes
from rows import BATCH_DEPTH, Measured

VERSION = "0.3.36"
REQUIREMENT = (f"llama-cpp-python=={VERSION} "
               "--hash=sha256:832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e")
TOOLS = ("llama-bench", "llama-batched-bench")
FLAGS = {"": ["-DGGML_NATIVE=ON"],
         "avx2": ["-DGGML_NATIVE=OFF", "-DGGML_AVX2=ON", "-DGGML_FMA=ON", "-DGGML_F16C=ON"]}
HELP = f"""llama.cpp's llama-bench and llama-batched-bench are needed. Name the folder that holds them by --llama-bin or
NAUTIL_LLAMA_BIN, or build them: unpack the source distribution of PyPI's llama-cpp-python {VERSION}, then
  cmake -S vendor/llama.cpp -B build -DCMAKE_BUILD_TYPE=Release {' '.join(FLAGS[''])}
  cmake --build build --target {' '.join(TOOLS)}"""


def has_tools(folder):
    return all(os.access(folder / tool, os.X_OK) for tool in TOOLS)


def find(given, cache, isa):
    """The folder with the tools; builds them in the cache (6 minutes on two cores) where none is given."""
    if given:
        folder = pathlib.Path(given)
        if not has_tools(folder):
            raise SystemExit(f"{folder} lacks {' or '.join(TOOLS)}\n{HELP}")
        return folder
    home = cache / f"llama.cpp-{VERSION}"
    build = home / (f"build-{isa}" if isa else "build")
    if not has_tools(build / "bin"):
        print(f"building llama.cpp in {build}, once", file=sys.stderr)
        make(home, build, FLAGS[isa])
    return build / "bin"


def make(home, build, flags):
    log = home / f"{build.name}.log"
    home.mkdir(parents=True, exist_ok=True)
    commands = [["cmake", "-S", home / "source/vendor/llama.cpp", "-B", build, "-DCMAKE_BUILD_TYPE=Release", *flags,
                 "-DLLAMA_CURL=OFF", "-DLLAMA_BUILD_TESTS=OFF", "-DLLAMA_BUILD_UI=OFF"],
                ["cmake", "--build", build, "--parallel", os.cpu_count(), "--target", *TOOLS]]
    with open(log, "w") as out:
        try:
            if not (home / "source").exists():
                download(home, out)
            for command in commands:
                subprocess.run([str(c) for c in command], check=True, stdout=out, stderr=out)
        except (OSError, subprocess.CalledProcessError) as e:
            raise SystemExit(f"{e}\n{log} has all of it.\n{HELP}") from e


def download(home, out):
    with tempfile.TemporaryDirectory(dir=home) as work:
        requirements = pathlib.Path(work) / "requirements.txt"
        requirements.write_text(REQUIREMENT)
        subprocess.run([sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:", "--require-hashes",
                        "-r", requirements, "-d", work], check=True, stdout=out, stderr=out)
        [archive] = pathlib.Path(work).glob("*.tar.gz")
        subprocess.run(["tar", "-xzf", archive, "-C", work], check=True, stdout=out, stderr=out)
        pathlib.Path(str(archive).removesuffix(".tar.gz")).replace(home / "source")


def command(row, folder, model, threads, repack):
    if row.batch > 1:
        return [folder / "llama-batched-bench", "-m", model, "-t", threads, "-c", 256 * row.batch,
                "-npp", BATCH_DEPTH, "-ntg", row.tokens, "-npl", row.batch, "--repack" if repack else "--no-repack"]
    # Opening ends where a prompt of one token begins, which --progress tells.
    prompt, generated = (1, 0) if row.metric == "open" else (row.prompt, row.generated)
    return [folder / "llama-bench", "-m", model, "-t", threads, "-p", prompt, "-n", generated, "-d", row.depth,
            "-r", row.repetitions, "--repack", repack, "-o", "json",
            *(["--no-warmup", "--progress"] if row.metric == "open" else [])]


def parse(row, done, kv_bytes=0):
    """Measured, from what a tool printed. kv_bytes: of its KV cache."""
    if row.batch > 1:
        return Measured(batched_speed(done.out, row.batch))
    tests = json.loads(done.out)
    head = {"build": tests[0]["build_commit"], "cpu": tests[0]["cpu_info"]}
    if row.metric == "open":
        at = {line.rsplit(": ", 1)[1].split(" ")[0]: seconds for seconds, line in done.said if "benchmark 1/1" in line}
        return Measured(at["prompt"] - at["starting"], head=head)
    if row.metric == "memory":
        return Measured((done.anonymous - kv_bytes) / 1e6, head=head)
    [test] = tests
    return Measured(statistics.median(test["samples_ts"]), head=head)


def batched_speed(text, batch):
    """Tokens generated a second in all, from the table of llama-batched-bench."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    found = [cells for cells in (dict(zip(rows[0], r)) for r in rows[2:]) if cells["B"] == str(batch)]
    if len(found) != 1:
        raise SystemExit(f"llama-batched-bench told no speed of {batch} sequences:\n{text}")
    return float(found[0]["S_TG t/s"])


def kv_bytes(row, bytes_per_token):
    """Of the one context of a test of llama-bench, which it pads to 256 tokens; prompt and generation are apart."""
    return -(-max(row.prompt, row.generated) // 256) * 256 * bytes_per_token
