"""Measurements as text, as Markdown and as JSON."""
import dataclasses
import json
import statistics

from rows import ROWS, Row

BY_NAME = {row.name: row for row in ROWS}
COLUMNS = ("", "Nautil", "llama.cpp", "ratio", "of the limit")


@dataclasses.dataclass
class Result:
    """Of a row: medians, in its unit. limit: what no program on the machine can exceed."""
    row: Row
    ours: float
    peer: float
    limit: float = None

    @property
    def ratio(self):
        """How many times better ours is."""
        return self.peer / self.ours if self.row.less_is_better else self.ours / self.peer


def result(samples):
    """From what is kept of a row: {"name", "ours": [], "peer": [], "limit": []}."""
    if samples["name"] not in BY_NAME:
        raise SystemExit(f"there is no row {samples['name']}; scripts/bench --list shows them")
    median = lambda key: statistics.median(samples[key]) if samples.get(key) else None
    return Result(BY_NAME[samples["name"]], median("ours"), median("peer"), median("limit"))


def results(data):
    """Of all rows, in the order of ROWS."""
    order = list(BY_NAME)
    return sorted(map(result, data["rows"]), key=lambda r: order.index(r.row.name))


def number(value):
    """Three digits, and no more than two places."""
    places = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:,.{places}f}"


def quantity(value, row):
    return f"{number(value)} {row.unit}"


def percent(value, limit):
    return f"{value / limit:.0%}"


def cells(r):
    """(ours, peer, ratio, shares of the limit)"""
    shares = f"{percent(r.ours, r.limit)}, {percent(r.peer, r.limit)}" if r.limit else ""
    return quantity(r.ours, r.row), quantity(r.peer, r.row), f"{number(r.ratio)}×", shares


def machine(data):
    """One line: what it was measured on."""
    return (f"{data['cpu']}, {data['threads']} threads, {data['isa']}: {median_of(data, 'bandwidth_gb_per_s'):.1f} GB/s, "
            f"{median_of(data, 'dot_gmac_per_s'):.0f} G multiply-adds/s; llama.cpp {data['build']}")


def median_of(data, key):
    return statistics.median(value for row in data["rows"] for value in row[key])


def line(first, others):
    return f"{first:<36}" + "".join(f"{c:>{width}}" for c, width in zip(others, (15, 15, 9, 15)))


def text(rs):
    """A table for a terminal; of one result, only its line."""
    return "\n".join(line(f"{r.row.name}", cells(r)) for r in rs)


def head():
    return line(COLUMNS[0], COLUMNS[1:])


def markdown(data):
    out = [f"| {' | '.join(COLUMNS)} |", "|---|---:|---:|---:|---:|"]
    group = None
    for r in results(data):
        if r.row.group != group:
            group = r.row.group
            out.append(f"| **{group}** | | | | |")
        ours, peer, ratio, shares = cells(r)
        out.append(f"| {r.row.label} | {ours} | {peer} | **{ratio}** | {shares} |")
    return "\n".join(out)


def save(data, path):
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load(paths):
    """What was saved; of a row that is in several files, the last one's."""
    files = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    rows = {row["name"]: row for data in files for row in data["rows"]}
    return files[-1] | {"rows": list(rows.values())}
