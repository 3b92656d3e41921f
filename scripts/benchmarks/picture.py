"""The measurements as a picture: SVG, for a page that is light or dark.

Each row has two bars, Nautil's and llama.cpp's, as long as their shares of the limit; without a limit, as long as their
shares of the longer one. Text is text, in the reader's own font, so nothing may depend on how wide it comes out: labels
begin at one line, numbers end at others, and only the ratio follows its bar.
"""
import html
import itertools

import report

WIDTH, MARGIN = 880, 28
BARS = 276  # the x where they begin
LIMIT = 608  # the x of all of the limit, if nothing is faster
END = 628  # the x that no bar exceeds
OURS, PEER = 764, WIDTH - MARGIN  # right edges of the columns of numbers
HEAD, GROUP, ROW, SPACE, FOOT = 104, 38, 34, 8, 58
THICK, THIN = 13, 6  # heights of the bars
RATIO = 52  # room for a ratio

# (light, dark)
COLOURS = {"card": ("#ffffff", "#0d1117"), "edge": ("#d1d9e0", "#3d444d"), "text": ("#1f2328", "#f0f6fc"),
           "soft": ("#59636e", "#9198a1"), "ours": ("#0969da", "#4493f8"), "peer": ("#9aa4af", "#6e7681"),
           "track": ("#f0f3f6", "#1b212a"), "limit": ("#cf6a1a", "#e3873e")}

STYLE = """
  text { font: 13px -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; }
  .title { font-size: 18px; font-weight: 600; }
  .strong { font-weight: 600; }
  .bold { font-weight: 700; }
  .small { font-size: 12px; }
  .unit { font-weight: 400; }
  .end { text-anchor: end; }
"""


def style():
    def rules(scheme):
        colour = {name: pair[scheme] for name, pair in COLOURS.items()}
        fills = "".join(f".{name} {{ fill: {value}; }} " for name, value in colour.items() if name not in ("edge", "limit"))
        return (f"{fills}text {{ fill: {colour['text']}; }} text.soft, tspan.soft {{ fill: {colour['soft']}; }} "
                f"text.ours {{ fill: {colour['ours']}; }} .card, .rule {{ stroke: {colour['edge']}; }} "
                f".limit {{ stroke: {colour['limit']}; stroke-width: 2; }}")
    return f"<style>{STYLE}  {rules(0)}\n  @media (prefers-color-scheme: dark) {{ {rules(1)} }}\n</style>"


def text(x, y, words, kind="", unit=""):
    unit = f' <tspan class="soft unit">{html.escape(unit)}</tspan>' if unit else ""
    return f'<text x="{x:.1f}" y="{y:g}" class="{kind}">{html.escape(words)}{unit}</text>'


def box(x, y, width, height, kind, radius=2):
    return f'<rect x="{x:g}" y="{y:g}" width="{width:.1f}" height="{height:g}" rx="{radius}" class="{kind}"/>'


def line(x1, y1, x2, y2, kind):
    return f'<line x1="{x1:.1f}" y1="{y1:g}" x2="{x2:.1f}" y2="{y2:g}" class="{kind}"/>'


def whole(rs):
    """Pixels of all of a limit."""
    most = max([1, *(max(r.ours, r.peer) / r.limit for r in rs if r.limit)])
    return min(LIMIT - BARS, (END - BARS) / most)


def row(r, y, full):
    """y: of its middle."""
    top = y - (THICK + THIN + 2) / 2
    limit = r.limit or max(r.ours, r.peer)
    ours, peer = (max(2, full * value / limit) for value in (r.ours, r.peer))
    out = [text(MARGIN, y + 4.5, r.row.label)]
    if r.limit:
        out.append(box(BARS, top - 3, full, THICK + THIN + 8, "track"))
    out += [box(BARS, top, ours, THICK, "ours"), box(BARS, top + THICK + 2, peer, THIN, "peer")]
    at = BARS + ours + 7
    if r.limit:
        mark = BARS + full
        out.append(line(mark, top - 3, mark, top + THICK + THIN + 5, "limit"))
        # Where it would lie on the mark, it goes behind it.
        if at - 5 < mark + 2 and mark < at + RATIO:
            at = mark + 8
    out += [text(at, top + THICK / 2 + 4.5, f"{report.number(r.ratio)}×", "bold"),
            text(OURS, y + 4.5, report.number(r.ours), "end strong", r.row.unit),
            text(PEER, y + 4.5, report.number(r.peer), "end", r.row.unit)]
    return out


def head(data):
    y = 78
    return [text(MARGIN, 36, "Nautil and llama.cpp, and what the machine allows", "title"),
            text(MARGIN, 57, report.machine(data), "soft small"),
            box(MARGIN, y - 1, 14, 11, "ours"), text(MARGIN + 20, y + 9, "Nautil"),
            box(MARGIN + 82, y + 2, 14, 6, "peer"), text(MARGIN + 102, y + 9, "llama.cpp"),
            line(BARS - 67, y - 3, BARS - 67, y + 12, "limit"),
            text(BARS - 58, y + 9, "limit of the machine"),
            text(OURS, y + 9, "Nautil", "end strong ours"), text(PEER, y + 9, "llama.cpp", "end soft")]


def draw(data):
    rs = report.results(data)
    full = whole(rs)
    out, y = head(data), HEAD
    for group, members in itertools.groupby(rs, lambda r: r.row.group):
        out += [line(MARGIN, y, WIDTH - MARGIN, y, "rule"), text(MARGIN, y + 25, group, "strong")]
        y += GROUP
        for r in members:
            out += row(r, y + ROW / 2, full)
            y += ROW
        y += SPACE
    out += [line(MARGIN, y, WIDTH - MARGIN, y, "rule"),
            text(MARGIN, y + 24, "Bold: how many times better Nautil is. Medians of runs in turn; llama.cpp with the "
                 "better of its weight layouts for each row.", "soft small"),
            text(MARGIN, y + 42, "Limit: memory bandwidth or int8 multiply-adds, measured in the same runs, whichever "
                 "is less; attention is not counted.", "soft small")]
    y += FOOT
    body = "\n".join(out)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y:g}" width="{WIDTH}" height="{y:g}" '
            f'role="img">\n<title>Nautil and llama.cpp: speeds, opening and memory</title>\n{style()}\n'
            f'{box(0.5, 0.5, WIDTH - 1, y - 1, "card", 8)}\n{body}\n</svg>\n')
