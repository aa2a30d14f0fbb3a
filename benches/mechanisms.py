#!/usr/bin/env python3
"""Measures what each mechanism of the pure engine brings: all rule sets, with it and without it.

    python3 benches/fetch.py FOLDER
    python3 benches/mechanisms.py FOLDER/pairs.tsv --work /tmp/mechanisms

Builds the benchmark `versus` with the switches of `src/pure/mechanism.rs`. Among its contenders are then
engines in each of which one mechanism is switched off. They take turns with the whole engine in several
rounds on each pair of rules and text. The table shows how many times as fast the whole engine is: the
geometric mean over the pairs, and the pairs where the mechanism brings least and most. A value below 1 is
a mechanism that costs more than it saves. The row `nothing` is of an engine that is the same, and scans
only the first MiB of a text, as those without a mechanism do. Compare the others with it; its distance from
1 shows how far the measurement can be trusted. The rows named after vector instructions compare the engine's
own choice of them with each other set that the machine has.

Each row has four parts: warm, on the first pass, with spans, and with spans on the first pass, as
`versus` defines them. `build` is the time to build the engine without the mechanism, divided by that
with it.

All engines must find the same matches. The figures are appended to `WORK/rows.jsonl`, from which `--table`
prints the table again without measuring; delete the file to start anew.
"""

import argparse
import json
import math
import os
import pathlib
import re
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# The ways to measure, each with the ratio of a row of `versus` that compares with the whole engine in that way.
WAYS = {
    "pure": "pure_is",
    "pure, first pass": "first_pass_is",
    "pure, spans": "spans_are",
    "pure, spans, first pass": "spans_first_pass_are",
}


def mechanisms():
    """The names of all mechanisms, as the engine's source lists them."""
    source = (ROOT / "src/pure/mechanism.rs").read_text(encoding="utf-8")
    return re.findall(r'^ +\w+ = "([\w-]+)";$', source, re.MULTILINE)


def build(work):
    """Builds `versus` with the switches, and returns the path of the program."""
    # Unlike RUSTFLAGS, a wrapper for the workspace's packages leaves the other crates as they are.
    wrapper = work / "rustc"
    wrapper.write_text('#!/bin/sh\nexec "$@" --cfg dragnet_mechanisms\n')
    wrapper.chmod(0o755)
    environment = {
        **os.environ,
        "RUSTC_WORKSPACE_WRAPPER": str(wrapper),
        "CARGO_TARGET_DIR": str(work / "target"),
    }
    command = ["cargo", "bench", "--locked", "--bench", "versus", "--no-run"]
    command += ["--message-format", "json-render-diagnostics"]
    run = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE)
    for line in run.stdout.decode().splitlines():
        message = json.loads(line)
        if message.get("target", {}).get("name") == "versus" and message.get("executable"):
            return message["executable"]
    sys.exit("cargo did not build versus")


def pairs_of(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        if line:
            rules, text = line.split("\t")
            yield (path.parent / rules).resolve(), (path.parent / text).resolve()


def measure(program, names, pair, rounds, work):
    """Runs the races of one pair."""
    one = work / "pair.tsv"
    one.write_text("\t".join(map(str, pair)) + "\n", encoding="utf-8")
    environment = {
        **os.environ,
        "DRAGNET_PAIRS": str(one),
        "DRAGNET_JSON": str(work / "rows.jsonl"),
        "DRAGNET_ROUNDS": str(rounds),
        # The ways of the pure engine, without other contenders.
        "DRAGNET_AGAINST": "pure",
        "DRAGNET_WITHOUT": ",".join(names),
    }
    environment.pop("DRAGNET_ISA", None)
    code = subprocess.run([program], env=environment, stdout=subprocess.DEVNULL).returncode
    # 1 says that some engine found other matches. `read` finds out which.
    if code not in (0, 1):
        sys.exit(f"{program} failed")


def read(lines):
    """For each mechanism and way, the ratio of each pair of rules and text; and for each engine with other
    matches, its name and the pair."""
    rows = [json.loads(line) for line in lines]
    build = {(r["rules"], r["corpus"]): r["build_seconds"] for r in rows if r["contender"] == "pure"}
    ratios, differences = {}, []
    for row in rows:
        pair = row["rules"], row["corpus"]
        way, _, name = row["contender"].partition(", without ")
        if not name and way not in WAYS:
            # `pure, SSSE3`.
            way, _, name = way.partition(", ")
        if name:
            ratios.setdefault((name, way), {}).setdefault(pair, []).append(row[WAYS[way]])
            if way == "pure":
                ratio = row["build_seconds"] / build[pair]
                ratios.setdefault((name, "build"), {}).setdefault(pair, []).append(ratio)
        if row["pairs"] != row["expected"]:
            differences.append(f"{row['contender']}: {' over '.join(pair)}")
    medians = {
        key: {pair: statistics.median(values) for pair, values in pairs.items()}
        for key, pairs in ratios.items()
    }
    return medians, differences


def table(ratios):
    """The rows of the table: for each mechanism and way, the mean, the least and the most."""
    for (name, way), pairs in ratios.items():
        ordered = sorted((ratio, pair) for pair, ratio in pairs.items())
        mean = math.exp(sum(math.log(ratio) for ratio, _ in ordered) / len(ordered))
        yield name, way, mean, ordered[0], ordered[-1]


def print_table(ratios):
    print("| without | way | whole engine | least | most |")
    print("| --- | --- | --- | --- | --- |")
    for name, way, mean, (least, low), (most, high) in sorted(table(ratios), key=lambda row: row[0]):
        at = [" over ".join(pair).replace("files ", "") for pair in (low, high)]
        print(f"| {name} | {way} | {mean:.3f}x | {least:.2f}x {at[0]} | {most:.2f}x {at[1]} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pairs", type=pathlib.Path, help="the pairs of rules and texts, as for DRAGNET_PAIRS")
    parser.add_argument("--work", type=pathlib.Path, required=True, help="a folder for the build and the figures")
    parser.add_argument("--rounds", type=int, default=3, help="how often all engines take their turn")
    parser.add_argument("--only", action="append", help="a mechanism; all by default")
    parser.add_argument("--table", action="store_true", help="only print the table of earlier figures")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    work = args.work.resolve()
    names = args.only or mechanisms()
    if unknown := set(names) - set(mechanisms()):
        sys.exit(f"unknown mechanisms: {', '.join(sorted(unknown))}")
    if not args.table:
        program = build(work)
        for pair in pairs_of(args.pairs):
            print(f"{pair[0].stem} over {pair[1].stem}", file=sys.stderr, flush=True)
            measure(program, names, pair, args.rounds, work)
    rows = work / "rows.jsonl"
    if not rows.exists():
        sys.exit("nothing was measured")
    ratios, differences = read(rows.open(encoding="utf-8"))
    print_table(ratios)
    if differences:
        sys.exit("\n".join(["different matches:", *differences]))


if __name__ == "__main__":
    main()
