"""The core's block decoding against gguf-py's dequantize, bit for bit, a NaN equal to a NaN.

NAUTIL_NATIVE_BUILD is the core's CMake build folder, built with NAUTIL_TESTS. Run with pytest.
"""

import os
import pathlib
import re
import subprocess
import sys

import gguf
import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROWS = re.findall(
    r"^ *X\((\w+), (\d+), (\d+), (\d+)\)", (ROOT / "native/src/quant/formats.h").read_text(), re.MULTILINE
)
NAMES = [row[0] for row in ROWS]
RANDOM_BLOCKS = 10_000

# Byte offsets of the half-precision scales and mins of a block; IQ1_M's is cut in four, see scatter().
SCALES = {name: [0] for name in NAMES}
SCALES |= {name: [0, 2] for name in ("Q4_1", "Q5_1", "Q4_K", "Q5_K")}
SCALES |= {"Q2_K": [80, 82], "Q3_K": [108], "Q6_K": [208], "IQ1_M": [48], "F32": [2]}

# ±0, the ends of the subnormals and of the normals, infinities, quiet and signalling NaNs, and ordinary scales.
HALVES = np.array(
    [0x0000, 0x0001, 0x03FF, 0x0400, 0x7BFF, 0x7C00, 0x7C01, 0x7E00, 0x7FFF, 0x1400, 0x211F, 0x2E66, 0x3C00],
    dtype=np.uint16,
)
HALVES = np.concatenate([HALVES, HALVES | 0x8000])


def scatter(name: str, blocks: np.ndarray, offset: int, halves: np.ndarray) -> None:
    """Writes a half into each block."""
    if name == "IQ1_M":
        words = blocks[:, offset:].copy().view("<u2") & 0x0FFF
        for i in range(4):
            words[:, i] |= (halves >> 4 * i & 15) << 12
        blocks[:, offset:] = words.view(np.uint8)
    else:
        blocks[:, offset : offset + 2] = halves.astype("<u2").reshape(-1, 1).view(np.uint8)


def random_blocks(name: str, size: int) -> np.ndarray:
    """Blocks of random bytes, then some whose scales are special, each with each, then all zeros and all ones."""
    random = np.random.default_rng(NAMES.index(name))
    free = random.integers(0, 256, (RANDOM_BLOCKS, size), dtype=np.uint8)
    special = random.integers(0, 256, (4 * len(HALVES) ** 2, size), dtype=np.uint8)
    pairs = [np.tile(HALVES, 4 * len(HALVES)), np.repeat(HALVES, 4 * len(HALVES))]
    for offset, halves in zip(SCALES[name], pairs):
        scatter(name, special, offset, halves)
    plain = np.repeat(np.array([[0], [255]], dtype=np.uint8), size, axis=1)
    return np.concatenate([free, special, plain])


def decode(number: int, blocks: np.ndarray) -> np.ndarray:
    folder = os.environ.get("NAUTIL_NATIVE_BUILD")
    if not folder:
        pytest.fail("NAUTIL_NATIVE_BUILD is not set: the core's CMake build folder")
    program = pathlib.Path(folder) / "test/quant_check"
    run = subprocess.run([program, str(number)], input=blocks.tobytes(), stdout=subprocess.PIPE, check=True)
    return np.frombuffer(run.stdout, dtype="<f4")


def assert_same(ours: np.ndarray, theirs: np.ndarray) -> None:
    assert ours.shape == theirs.shape
    differ = (ours.view(np.uint32) != theirs.view(np.uint32)) & ~(np.isnan(ours) & np.isnan(theirs))
    first = int(np.argmax(differ))
    assert not differ.any(), f"{differ.sum()} values differ, value {first}: {ours[first]!r}, gguf-py {theirs[first]!r}"


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_decode(row):
    name, number, values, size = row[0], *map(int, row[1:])
    quant = gguf.GGMLQuantizationType[name]
    assert (quant.value, *gguf.GGML_QUANT_SIZES[quant]) == (number, values, size)
    blocks = random_blocks(name, size)
    with np.errstate(all="ignore"):
        theirs = gguf.quants.dequantize(blocks, quant).reshape(-1)
    assert_same(decode(number, blocks), theirs)


@pytest.mark.parametrize("name", ["F16", "BF16"])
def test_every_16_bit_float(name):
    quant = gguf.GGMLQuantizationType[name]
    blocks = np.arange(65536, dtype="<u2").view(np.uint8).reshape(-1, 2)
    assert_same(decode(quant.value, blocks), gguf.quants.dequantize(blocks, quant).reshape(-1))


def test_all_formats_are_here():
    assert len(NAMES) == 22


def test_code_books_are_current():
    subprocess.run([sys.executable, ROOT / "scripts/fixtures/quant_grids.py", "--check"], check=True)
