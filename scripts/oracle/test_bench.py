"""scripts/bench: what it makes of the tools' output, which is recorded in data/bench; nothing is timed."""
import dataclasses
import json
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "benchmarks"))

import peer
import picture
import processes
import report
import rows

DATA = HERE / "data" / "bench"
ROW = report.BY_NAME
SVG = "{http://www.w3.org/2000/svg}"


def finished(name="", said=(), anonymous=0):
    return processes.Finished((DATA / name).read_text() if name else "", list(said), anonymous)


def kept(name, ours, theirs, limit=()):
    return {"name": name, "ours": ours, "peer": theirs, "limit": list(limit),
            "bandwidth_gb_per_s": [33.0], "dot_gmac_per_s": [450.0]}


def saved(*samples):
    return {"cpu": "A & B", "threads": 2, "isa": "avx2", "build": "abc", "rounds": 3, "rows": list(samples)}


def test_llama_bench_is_the_median_of_its_samples():
    measured = peer.parse(ROW["prefill"], finished("llama-bench.json"))
    assert measured.value == 29.0381  # of 34.9756, 29.0381, 10.7853
    assert measured.head["build"] == "0c1e570"


def test_llama_batched_bench_is_the_column_of_generation():
    text = (DATA / "llama-batched-bench.txt").read_text()
    assert peer.batched_speed(text, 2) == 6.55
    assert peer.batched_speed(text, 4) == 17.87
    assert peer.parse(ROW["decode-4"], finished("llama-batched-bench.txt")).value == 17.87
    with pytest.raises(SystemExit, match="8 sequences"):
        peer.batched_speed(text, 8)
    with pytest.raises(SystemExit, match="no speed"):
        peer.batched_speed("", 4)


def test_opening_ends_where_the_prompt_begins():
    lines = (DATA / "llama-bench-open.txt").read_text().splitlines()
    said = [(5.0, "a warning: of something"), *zip((10.0, 10.25), lines)]
    assert peer.parse(ROW["open"], finished("llama-bench-open.json", said)).value == 0.25


def test_memory_is_without_the_kv_cache():
    # A context of 256 tokens, as llama-bench pads it.
    assert peer.kv_bytes(ROW["memory"], 163840) == 256 * 163840
    assert peer.kv_bytes(dataclasses.replace(ROW["memory"], tokens=257), 163840) == 512 * 163840
    measured = peer.parse(ROW["memory"], finished("llama-bench.json", anonymous=150_000_000), 50_000_000)
    assert measured.value == 100


def test_ours_and_the_limit():
    result = json.loads((DATA / "nautil-bench.json").read_text())
    prefill = rows.parse(ROW["prefill"], result)
    assert prefill.value == pytest.approx(465.118, abs=1e-3)
    assert prefill.limit == pytest.approx(465.118 / 0.209832, rel=1e-5)
    assert prefill.limit_by == "multiply-adds"
    result["rows"] = [r for r in result["rows"] if r["batch"] == 1]
    decode = rows.parse(ROW["decode-1"], result)
    # Reading the weights binds: bytes a token, from the speed, at the bandwidth of the same run.
    assert decode.limit_by == "memory"
    assert decode.limit == pytest.approx(14.08931 / (5.521992 / 57.129526), rel=1e-5)
    assert decode.head["threads"] == 2
    assert rows.parse(ROW["open"], result).value == pytest.approx(0.310584, abs=1e-6)
    assert rows.parse(ROW["memory"], result).value == (52_457_472 - 5_898_240) / 1e6


@pytest.mark.parametrize("row", rows.ROWS, ids=lambda r: r.name)
def test_both_measure_the_same(row):
    """Tokens, sequences, depth and repetitions of both commands agree."""
    ours = list(map(str, rows.arguments(row)))
    theirs = list(map(str, peer.command(row, pathlib.Path("bin"), "m", 2, 0)))
    of = lambda command, option: command[command.index(option) + 1]
    if row.metric == "open":
        assert "--no-warmup" in theirs
    elif row.batch > 1:
        assert [of(ours, o) for o in ("-n", "-b", "-d", "-p")] == [of(theirs, o) for o in ("-ntg", "-npl", "-npp")] + ["0"]
        assert "--no-repack" in theirs and "--own-context" in ours
        assert int(of(theirs, "-c")) >= row.batch * (int(of(theirs, "-npp")) + row.tokens)
    else:
        assert [of(ours, o) for o in ("-p", "-n", "-d", "-r")] == [of(theirs, o) for o in ("-p", "-n", "-d", "-r")]
        assert of(theirs, "--repack") == "0"


def test_ratios_are_of_medians_and_above_one_where_ours_is_better():
    faster = report.result(kept("decode-1", [4.0, 9.0, 5.0], [2.0, 2.5, 1.0], [10.0, 10.0, 12.0]))
    assert (faster.ours, faster.peer, faster.limit, faster.ratio) == (5.0, 2.0, 10.0, 2.5)
    assert report.cells(faster) == ("5.00 tok/s", "2.00 tok/s", "2.50×", "50%, 20%")
    less = report.result(kept("open", [0.2], [0.5]))
    assert less.ratio == 2.5 and less.limit is None
    assert report.cells(less) == ("0.20 s", "0.50 s", "2.50×", "")
    with pytest.raises(SystemExit, match="no row nothing"):
        report.result(kept("nothing", [1], [1]))


@pytest.mark.parametrize("value, expected", [(0.184, "0.18"), (9.994, "9.99"), (9.996, "10.0"), (99.94, "99.9"),
                                             (99.96, "100"), (1179.6, "1,180")])
def test_numbers(value, expected):
    assert report.number(value) == expected


def test_json_comes_back_and_later_files_win(tmp_path):
    first = saved(kept("open", [1.0], [2.0]), kept("decode-1", [4.0], [2.0], [8.0]))
    report.save(first, tmp_path / "1")
    report.save(saved(kept("open", [0.5], [2.0])), tmp_path / "2")
    assert report.load([tmp_path / "1"]) == first
    both = report.results(report.load([tmp_path / "1", tmp_path / "2"]))
    assert [(r.row.name, r.ratio) for r in both] == [("decode-1", 2.0), ("open", 4.0)]


def test_markdown():
    lines = report.markdown(saved(kept("open", [0.2], [0.5]), kept("decode-1", [4.0], [2.0], [5.0]))).splitlines()
    assert all(line.count("|") == 6 for line in lines)
    assert lines[3] == "| generate, 1 sequence | 4.00 tok/s | 2.00 tok/s | **2.00×** | 80%, 40% |"
    assert lines[-1] == "| open, pages warm | 0.20 s | 0.50 s | **2.50×** |  |"


def shapes(data):
    root = ET.fromstring(picture.draw(data))
    of = lambda tag, kind: [e.attrib for e in root.iter(SVG + tag) if kind in e.attrib.get("class", "").split()]
    return root, of


def test_bars_are_shares_of_the_limit():
    root, of = shapes(saved(kept("decode-1", [4.0], [2.0], [5.0]), kept("open", [0.2], [0.5])))
    # The first is the legend's.
    ours, theirs = ([float(r["width"]) for r in of("rect", kind)][1:] for kind in ("ours", "peer"))
    full = picture.LIMIT - picture.BARS
    assert ours == pytest.approx([full * 0.8, full * 0.4], abs=0.1)
    assert theirs == pytest.approx([full * 0.4, full], abs=0.1)
    [mark] = [m for m in of("line", "limit") if float(m["x1"]) > picture.BARS]
    assert float(mark["x1"]) == picture.LIMIT
    words = ["".join(t.itertext()) for t in root.iter(SVG + "text")]
    assert {"2.00×", "2.50×", "4.00 tok/s", "0.50 s"} <= set(words)
    assert any("A & B, 2 threads" in w for w in words)


@pytest.mark.parametrize("ours", [0.1, 4.3, 4.9, 5.0, 7.5])
def test_nothing_overlaps(ours):
    """However long the bar is, its ratio lies on no mark and in no column, and no bar is beyond END."""
    root, of = shapes(saved(kept("decode-1", [ours], [2.0], [5.0])))
    bar = of("rect", "ours")[1]
    end = float(bar["x"]) + float(bar["width"])
    [mark] = [float(m["x1"]) for m in of("line", "limit") if float(m["x1"]) > picture.BARS]
    [ratio] = [float(t["x"]) for t in of("text", "bold")]
    assert end <= picture.END + 0.1 and ratio > end
    assert mark < ratio - 2 or mark > ratio + picture.RATIO - 5
    # A number of a thousand and its unit take less than 80 px.
    assert ratio + picture.RATIO <= picture.OURS - 75


def test_light_and_dark_colour_the_same():
    style = picture.style()
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    selectors = lambda part: {s.strip() for s in re.findall(r"([\w., -]+?) \{ (?:fill|stroke):", part)}
    assert selectors(dark) == selectors(light) and len(selectors(dark)) >= 9


def test_command_line_draws_what_was_kept(tmp_path):
    report.save(saved(kept("decode-1", [4.0], [2.0], [5.0]), kept("open", [0.2], [0.5])), tmp_path / "b.json")
    bench = [sys.executable, HERE.parent / "bench"]
    done = subprocess.run([*bench, "--from-json", tmp_path / "b.json", "--rows", "open", "--markdown", "--svg",
                           tmp_path / "b.svg"], capture_output=True, text=True, check=True)
    assert "| open, pages warm | 0.20 s" in done.stdout and "generate" not in done.stdout
    ET.parse(tmp_path / "b.svg")
    refused = subprocess.run([*bench, "--rows", "nothing"], capture_output=True, text=True)
    assert refused.returncode == 2 and "no row nothing" in refused.stderr


def test_missing_peer_is_explained(tmp_path):
    with pytest.raises(SystemExit, match=r"(?s)lacks llama-bench.*NAUTIL_LLAMA_BIN"):
        peer.find(str(tmp_path), tmp_path, "")


def test_a_failed_command_tells_what_it_said():
    with pytest.raises(SystemExit, match="(?s)exit code 3.*no such thing"):
        processes.run(["sh", "-c", "echo no such thing >&2; exit 3"])
    done = processes.run(["sh", "-c", "echo said >&2; echo $ANSWER"], ANSWER="42")
    assert done.out == "42\n" and [line for _, line in done.said] == ["said"]
