"""Compares ways to find which rules match which lines from Python, all in one run.

    pip install google-re2 hyperscan polars pyarrow
    python bench.py --rounds 5 gitleaks.toml secrets.txt uap.toml agents.txt

The arguments are pairs of a rule file (the `regex` of each [[rules]] table) and a text. The lines of the
text are repeated to a million rows and shuffled. Every contender returns which rules match which row, on
one thread, except for polars, which decides for itself. The columns of the table say how many times as long
each takes for a row as dragnet does for a row of a column of Arrow, as the median of the rounds, in which
all take turns. dragnet gets all rows. A slow contender gets the first ones only, as many as take it a
second, but polars at least 20,000. Rules that a contender can't compile are left out for that contender,
to its advantage. The last column is about another question, since polars' contains_any searches for literals:
whether any keyword of the rules or, if they have none, the longest word of any rule is in a row.

Time is that of the processors, so that other work on the machine makes little difference. Compiling is not
measured. Unicode is off, except in polars, which can't do without.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import sys
import time
import tomllib
from pathlib import Path
from typing import Any, Callable

import hyperscan
import polars
import pyarrow
import re2

from dragnet_scan import PatternSet

# What a contender found: the number of pairs of a row and a rule.
Run = Callable[[int], int]

# Seconds that one turn of a contender takes, about.
TURN = 1.0


def compile_each(patterns: list[str], compile_one: Callable[[str], Any]) -> list[Any]:
    """What compiles, and nothing for the rest."""
    compiled = []
    for pattern in patterns:
        try:
            compiled.append(compile_one(pattern))
        except Exception:
            pass
    return compiled


def re_loop(patterns: list[str], rows: list[bytes]) -> tuple[Run, int]:
    compiled = compile_each(patterns, lambda p: re.compile(p.replace(r"\z", r"\Z").encode()))
    return lambda n: sum(1 for row in rows[:n] for p in compiled if p.search(row)), len(compiled)


def re2_set(patterns: list[str], rows: list[bytes]) -> tuple[Run, int]:
    options = re2.Options()
    options.max_mem = 1 << 30
    options.log_errors = False
    options.encoding = re2.Options.Encoding.LATIN1
    rules = re2.Set.SearchSet(options)
    accepted = compile_each(patterns, lambda p: rules.Add(p.encode()))
    rules.Compile()
    return lambda n: sum(len(rules.Match(row) or ()) for row in rows[:n]), len(accepted)


def hyperscan_block(patterns: list[str], rows: list[bytes]) -> tuple[Run, int]:
    flags = hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_ALLOWEMPTY

    def compile_one(pattern: str) -> bytes:
        hyperscan.Database().compile(expressions=[pattern.encode()], flags=flags)
        return pattern.encode()

    accepted = compile_each(patterns, compile_one)
    db = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    db.compile(expressions=accepted, flags=flags)

    def run(n: int) -> int:
        found: list[int] = []
        handler = lambda id, start, end, flags, context: found.append(id)
        for row in rows[:n]:
            db.scan(row, match_event_handler=handler)
        return len(found)

    return run, len(accepted)


def polars_contains(patterns: list[str], rows: list[bytes]) -> tuple[Run, int]:
    series = polars.Series([row.decode() for row in rows])
    probe = polars.Series([""])

    def compile_one(pattern: str) -> str:
        probe.str.contains(pattern)
        return pattern

    accepted = compile_each(patterns, compile_one)

    def run(n: int) -> int:
        part = series.head(n)
        return sum(int(part.str.contains(pattern).sum()) for pattern in accepted)

    return run, len(accepted)


def dragnet_list(rules: PatternSet, rows: list[bytes]) -> Run:
    return lambda n: len(pyarrow.array(rules.matches_many(rows[:n])).flatten())


def dragnet_column(rules: PatternSet, column: Any) -> Run:
    return lambda n: len(pyarrow.array(rules.matches_many(column[:n])).flatten())


def timed(run: Run, n: int) -> float:
    """The seconds of all processors together."""
    start = time.process_time()
    run(n)
    return time.process_time() - start


def rows_for_a_turn(run: Run, least: int, most: int) -> int:
    """As many rows as take about a turn. Also warms the contender up."""
    n = min(least, most)
    while True:
        seconds = timed(run, n)
        if seconds > TURN / 4 or n == most:
            return max(min(least, most), min(most, int(n * TURN / max(seconds, 1e-9))))
        n = min(most, n * 4)


def keywords(path: Path, patterns: list[str]) -> list[str]:
    """The keywords of the rules or, if they have none, the longest word of each pattern."""
    rules = tomllib.loads(path.read_text())["rules"]
    words = {word for rule in rules for word in rule.get("keywords", [])}
    if not words:
        found = (re.findall(r"(?<!\\)[A-Za-z]{4,}", pattern) for pattern in patterns)
        words = {max(list_, key=len) for list_ in found if list_}
    return sorted(words)


def measure(rule_file: Path, text: Path, count: int, rounds: int) -> dict[str, Any]:
    patterns = [rule["regex"] for rule in tomllib.loads(rule_file.read_text())["rules"] if "regex" in rule]
    patterns = compile_each(patterns, lambda p: (PatternSet([p], unicode=False), p)[1])
    lines = [line.decode("utf-8", "replace").encode() for line in text.read_bytes().splitlines()]
    rows = (lines * (count // len(lines) + 1))[:count]
    random.Random(1).shuffle(rows)
    column = pyarrow.array(rows, type=pyarrow.binary())
    rules = PatternSet(patterns, unicode=False)
    base = dragnet_column(rules, column)
    contenders: dict[str, tuple[Run, int]] = {
        "dragnet, list": (dragnet_list(rules, rows), len(patterns)),
        "re": re_loop(patterns, rows),
        "re2.Set": re2_set(patterns, rows),
        "hyperscan": hyperscan_block(patterns, rows),
        "contains": polars_contains(patterns, rows),
    }
    pairs = [(name, run, base) for name, (run, _) in contenders.items()]
    words = keywords(rule_file, patterns)
    series = polars.Series([row.decode() for row in rows])
    literals = PatternSet([re.escape(word) for word in words], unicode=False)
    contains_any: Run = lambda n: int(series.head(n).str.contains_any(words).sum())
    any_literal: Run = lambda n: len(literals.is_match_many(column[:n]))
    pairs.append(("contains_any", contains_any, any_literal))
    # polars compiles a pattern in each call, which takes as long as many rows do.
    least = {"contains": 20_000, "contains_any": 20_000}
    rows_of = {name: rows_for_a_turn(run, least.get(name, 100), count) for name, run, _ in pairs}
    base(count)
    ratios: dict[str, list[float]] = {name: [] for name, _, _ in pairs}
    speeds = []
    size = column.nbytes - 4 * count
    for _ in range(rounds):
        own = {base: timed(base, count), any_literal: timed(any_literal, count)}
        speeds.append(size / own[base] / 1e6)
        for name, run, reference in pairs:
            n = rows_of[name]
            ratios[name].append(timed(run, n) / n / (own[reference] / count))
    check = min(2000, count)
    found = base(check)
    for name, (run, accepted) in contenders.items():
        print(f"{rule_file.name}, {text.name}, {name}: {accepted} of {len(patterns)} rules,"
              f" {run(check)} matches where dragnet has {found}; {rows_of[name]} rows", file=sys.stderr)
    return {
        "rules": f"{rule_file.stem} ({len(patterns)})",
        "text": text.stem,
        "speed": statistics.median(speeds),
        **{name: statistics.median(list_) for name, list_ in ratios.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+", type=Path, help="rule files and texts in turn")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    files = arguments.files
    table = [
        measure(rules, text, arguments.rows, arguments.rounds)
        for rules, text in zip(files[::2], files[1::2])
    ]
    names = [name for name in table[0] if name not in ("rules", "text", "speed")]
    rivals = [name for name in names if not name.startswith("dragnet")]
    # The pair with the lowest ratio first.
    table.sort(key=lambda row: min(row[name] for name in rivals))
    print("| rules | rows of | dragnet, MB/s | " + " | ".join(names) + " |")
    print("| --- " * (3 + len(names)) + "|")
    for row in table:
        ratios = " | ".join(f"{row[name]:.2g}x" if row[name] < 10 else f"{row[name]:,.0f}x" for name in names)
        print(f"| {row['rules']} | {row['text']} | {row['speed']:.0f} | {ratios} |")


if __name__ == "__main__":
    main()
