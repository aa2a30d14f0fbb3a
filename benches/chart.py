#!/usr/bin/env python3
"""Draws a chart of the figures that the benchmark `versus` measured.

    DRAGNET_JSON=versus.jsonl cargo bench --bench versus --features native
    python3 benches/chart.py versus.jsonl versus.svg

Each group is a rule set, each bar a contender. A bar shows the contender's speed relative to that of
the contender named by --against: the geometric mean over the corpora. The thin line spans the
corpora, from the lowest relative speed to the highest. Bars start at 1, and the scale is
logarithmic, so that a bar for twice the speed is as long to the right as one for half the speed is
to the left. A file may hold several runs; the last measurement of each race counts.
"""

import argparse
import json
import math
import sys
from xml.sax.saxutils import escape

# Readable on white and on black. The first one stands out: it is for the pure engine.
COLORS = ["#e5484d", "#3b82c4", "#8a8f98", "#a0763a", "#3d9a6c", "#8b6fc0", "#6b7280", "#c07a9a"]
# Contenders that do not find the same matches as the rest, only a bound. Their bars are drawn pale.
PALE = {"hs_scan whole buffer", "absent byte"}
# Not drawn: with many patterns nobody would use its default cache, so a comparison is unfair.
EXCLUDED = {"RegexSet, default cache"}

# Widths and heights in SVG user units: the columns of names, bars and values, a bar, the gap before a
# rule set, and the margins.
NAMES = 180
PLOT = 520
VALUES = 90
BAR = 11
GAP = 22
TOP = 74
BOTTOM = 34

STYLE = """
  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #24292f }
  .title { font-size: 15px; font-weight: 600 }
  .small { font-size: 10px }
  .set { font-weight: 600 }
  .grid { stroke: #8a8f98; stroke-opacity: .3 }
  .one { stroke: #24292f; stroke-width: 1.5 }
  .range { stroke: #24292f; stroke-opacity: .6 }
  .pale { fill-opacity: .35 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .one, .range { stroke: #e6edf3 }
  }
"""


def read(lines):
    """Returns the races, as {(rules, corpus): {contender: MB/s}}, and the number of patterns of
    each rule set, as {rules: count}."""
    races, patterns = {}, {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if row["contender"] in EXCLUDED:
                continue
            race = races.setdefault((row["rules"], row["corpus"]), {})
            race[row["contender"]] = float(row["megabytes_per_second"])
            patterns[row["rules"]] = row["patterns"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"line {number} is not a row of the benchmark: {error!r}") from error
    return races, patterns


def ratios(races, against):
    """Returns {rules: {contender: [speed relative to `against`, one for each corpus]}}."""
    groups = {}
    for (rules, corpus), race in races.items():
        if race.get(against, 0) <= 0:
            raise ValueError(f"{against} did not take part in {rules} over {corpus}")
        for contender, speed in race.items():
            if speed > 0:
                group = groups.setdefault(rules, {})
                group.setdefault(contender, []).append(speed / race[against])
    return groups


def mean(values):
    """The geometric mean."""
    return math.exp(sum(map(math.log, values)) / len(values))


def ticks(low, high):
    """The powers of ten from `low` to `high`; within two decades also their doubles and fives."""
    steps = [1, 2, 5] if math.log10(high / low) <= 2 else [1]
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [s * 10.0**p for p in powers for s in steps if low <= s * 10.0**p <= high]


def times(ratio):
    """Formats a ratio with two or three digits."""
    return f"{ratio:.0f}x" if ratio >= 100 else f"{ratio:.{1 if ratio >= 10 else 2}g}x"


def draw(races, patterns, against, note=""):
    """Returns the chart as SVG."""
    groups = ratios(races, against)
    order = []
    for group in groups.values():
        order += [name for name in group if name not in order and name != against]
    everything = [r for group in groups.values() for list_ in group.values() for r in list_]
    # The axis ends at powers of ten around all values and 1, so that no bar is cut off.
    low = 10.0 ** math.floor(math.log10(min(everything + [1.0])))
    high = 10.0 ** math.ceil(math.log10(max(everything + [1.0 + 1e-9])))

    def x(ratio):
        return NAMES + PLOT * math.log(ratio / low) / math.log(high / low)

    rows = sum(len([n for n in order if n in group]) for group in groups.values())
    height = TOP + rows * (BAR + 3) + len(groups) * GAP + BOTTOM
    width = NAMES + PLOT + VALUES
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-labelledby="title">',
        f'<title id="title">Speed relative to {escape(against)}</title>',
        f"<style>{STYLE}</style>",
        f'<text class="title" x="12" y="24">Speed relative to {escape(against)}, one thread</text>',
        '<text x="12" y="42">Geometric mean over the corpora; the line spans the corpora. '
        f"Logarithmic scale.{' ' + escape(note) if note else ''}</text>",
    ]
    bottom = height - BOTTOM
    for tick in ticks(low, high):
        kind = "one" if tick == 1 else "grid"
        out.append(
            f'<line class="{kind}" x1="{x(tick):.1f}" y1="{TOP - 6}" x2="{x(tick):.1f}" y2="{bottom}"/>'
        )
        for y in (TOP - 10, bottom + 14):
            out.append(
                f'<text class="small" x="{x(tick):.1f}" y="{y}" text-anchor="middle">{tick:g}x</text>'
            )
    y = TOP
    for rules, group in groups.items():
        y += GAP - 6
        count = patterns[rules]
        label = f"{rules}: {count} rule{'' if count == 1 else 's'}"
        out.append(f'<text class="set" x="12" y="{y}">{escape(label)}</text>')
        y += 6
        for index, name in enumerate(order):
            if name not in group:
                continue
            values = group[name]
            ratio = mean(values)
            left, right = sorted((x(1.0), x(ratio)))
            middle = y + BAR / 2
            pale = ' class="pale"' if name in PALE else ""
            out += [
                f'<text class="small" x="{NAMES - 8}" y="{middle + 4:.1f}" text-anchor="end">'
                f"{escape(name)}</text>",
                f'<rect{pale} x="{left:.1f}" y="{y}" width="{right - left:.1f}" height="{BAR}" '
                f'fill="{COLORS[index % len(COLORS)]}"><title>{escape(name)}, {escape(rules)}: '
                f"{ratio:.3g}x, from {min(values):.3g}x to {max(values):.3g}x over "
                f"{len(values)}</title></rect>",
                f'<line class="range" x1="{x(min(values)):.1f}" y1="{middle:.1f}" '
                f'x2="{x(max(values)):.1f}" y2="{middle:.1f}"/>',
                f'<text class="small" x="{NAMES + PLOT + 10}" y="{middle + 4:.1f}">'
                f"{times(ratio)}</text>",
            ]
            y += BAR + 3
    if any(name in PALE for name in order):
        out.append(
            f'<text class="small" x="12" y="{height - 6}">Pale bars answer another question: the '
            "whole buffer as one record, or no pattern at all.</text>"
        )
    out.append("</svg>")
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser(description="Draws a chart of what `cargo bench --bench versus` measured.")
    parser.add_argument("measured", help="the file that DRAGNET_JSON named during the run")
    parser.add_argument("chart", help="the SVG file to write")
    parser.add_argument("--against", default="hs_scan per record", help="the contender whose speed is 1x")
    parser.add_argument("--note", default="", help="a text for the subtitle, such as the processor and the date")
    args = parser.parse_args()
    try:
        with open(args.measured, encoding="utf-8") as file:
            races, patterns = read(file)
        if not races:
            raise ValueError("nothing was measured")
        svg = draw(races, patterns, args.against, args.note)
    except (OSError, ValueError) as error:
        sys.exit(f"{args.measured}: {error}")
    with open(args.chart, "w", encoding="utf-8") as file:
        file.write(svg)


if __name__ == "__main__":
    main()
