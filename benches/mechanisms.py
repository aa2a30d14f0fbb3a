#!/usr/bin/env python3
"""Measures what each mechanism of the pure engine brings: all rule sets, with it and without it.

    python3 benches/fetch.py FOLDER
    python3 benches/mechanisms.py FOLDER/pairs.tsv --work /tmp/mechanisms

Builds the benchmark `versus` once as it is, and once for each constant of `src/pure/mechanism.rs`
with that mechanism switched off; then runs all builds in turn on each pair of rules and text, several
rounds of all. The table shows how many times as fast the whole engine is as the one without the
mechanism: the geometric mean over the pairs, and the pairs where it brings least and most. A value
below 1 is a mechanism that costs more than it saves. The rows named after vector instructions compare
the engine's own choice of them with each set that the machine has; the row of the choice itself
shows how far the measurement can be trusted.

Each row has four parts: warm, on the first pass, with spans, and with spans on the first pass, as
`versus` defines them. `build` is the time to build the engine without the mechanism, divided by that
with it.

All builds must find the same matches. The figures of each round are appended to `WORK/NAME.jsonl`, from
which `--table` prints the table again without measuring; delete these files to start anew.
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
WAYS = ["pure", "pure, first pass", "pure, spans", "pure, spans, first pass"]
WHOLE = "whole"


def mechanisms():
    """The names of all mechanisms, as the engine's source lists them."""
    source = (ROOT / "src/pure/mechanism.rs").read_text(encoding="utf-8")
    return re.findall(r'pub\(super\) const \w+: bool = !cfg!\(dragnet_without = "([\w-]+)"\)', source)


def build(name, work):
    """Builds `versus` without a mechanism, and returns the path of the program."""
    environment = dict(os.environ)
    if name != WHOLE:
        # Unlike RUSTFLAGS, a wrapper for the workspace's packages leaves the other crates as they are.
        wrapper = work / f"rustc-{name}"
        wrapper.write_text(f"#!/bin/sh\nexec \"$@\" --cfg 'dragnet_without=\"{name}\"'\n")
        wrapper.chmod(0o755)
        environment["RUSTC_WORKSPACE_WRAPPER"] = str(wrapper)
    environment["CARGO_TARGET_DIR"] = str(work / "target")
    command = ["cargo", "bench", "--locked", "--bench", "versus", "--no-run"]
    command += ["--message-format", "json-render-diagnostics"]
    run = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE)
    for line in run.stdout.decode().splitlines():
        message = json.loads(line)
        if message.get("target", {}).get("name") == "versus" and message.get("executable"):
            program = work / f"versus-{name}"
            program.write_bytes(pathlib.Path(message["executable"]).read_bytes())
            program.chmod(0o755)
            return program
    sys.exit(f"cargo did not build versus for {name}")


def vector_levels(program):
    """The sets of vector instructions that this machine has. `versus` lists them when it is asked for
    one that does not exist."""
    environment = {**os.environ, "DRAGNET_ISA": "none", "DRAGNET_MEBIBYTES": "1"}
    environment.pop("DRAGNET_PAIRS", None)
    run = subprocess.run([program, "built-in over"], env=environment, capture_output=True, text=True)
    return [name for name in re.findall(r"Isa\(([^)]+)\)", run.stderr) if name != "scalar"]


def pairs_of(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        if line:
            rules, text = line.split("\t")
            yield (path.parent / rules).resolve(), (path.parent / text).resolve()


def measure(program, isa, pair, rounds, json_file, work):
    one = work / "pair.tsv"
    one.write_text("\t".join(map(str, pair)) + "\n", encoding="utf-8")
    environment = {
        **os.environ,
        "DRAGNET_PAIRS": str(one),
        "DRAGNET_JSON": str(json_file),
        "DRAGNET_ROUNDS": str(rounds),
        # The ways of the pure engine, without other contenders.
        "DRAGNET_AGAINST": "first pass,spans",
    }
    environment.pop("DRAGNET_ISA", None)
    if isa:
        environment["DRAGNET_ISA"] = isa
    subprocess.run([program], env=environment, check=True, stdout=subprocess.DEVNULL)


def read(lines):
    """The median of each way's speed, of the engines built per second and of the matches, by pair of
    rules and text."""
    found = {}
    for line in lines:
        row = json.loads(line)
        pair = found.setdefault((row["rules"], row["corpus"]), {})
        pair.setdefault(row["contender"], []).append(row["megabytes_per_second"])
        pair.setdefault(f"matches: {row['contender']}", []).append(row["pairs"])
        if row["contender"] == "pure":
            pair.setdefault("build", []).append(1 / row["build_seconds"])
    return {
        pair: {way: statistics.median(values) for way, values in ways.items()}
        for pair, ways in found.items()
    }


def table(whole, others):
    """The rows of the table: for each mechanism and way, the mean, the least and the most."""
    for name, without in others.items():
        for way in [*WAYS, "build"]:
            ratios = sorted(
                (whole[pair][way] / without[pair][way], pair)
                for pair in without
                if way in without[pair] and way in whole.get(pair, {})
            )
            if ratios:
                mean = math.exp(sum(math.log(ratio) for ratio, _ in ratios) / len(ratios))
                yield name, way, mean, ratios[0], ratios[-1]


def different_answers(whole, others):
    """The builds that did not find the same matches as the whole engine, with the pairs."""
    for name, without in others.items():
        for pair, ways in without.items():
            for way in WAYS:
                key = f"matches: {way}"
                if key in ways and ways[key] != whole.get(pair, ways).get(key, ways[key]):
                    yield f"{name}: {way}: {' over '.join(pair)}"


def print_table(whole, others):
    print("| without | way | whole engine | least | most |")
    print("| --- | --- | --- | --- | --- |")
    for name, way, mean, (least, low), (most, high) in table(whole, others):
        at = [" over ".join(pair).replace("files ", "") for pair in (low, high)]
        print(f"| {name} | {way} | {mean:.3f}x | {least:.2f}x {at[0]} | {most:.2f}x {at[1]} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pairs", type=pathlib.Path, help="the pairs of rules and texts, as for DRAGNET_PAIRS")
    parser.add_argument("--work", type=pathlib.Path, required=True, help="a folder for builds and figures")
    parser.add_argument("--rounds", type=int, default=3, help="how often all builds take their turn")
    parser.add_argument("--only", action="append", help="a mechanism; all by default")
    parser.add_argument("--table", action="store_true", help="only print the table of earlier figures")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    work = args.work.resolve()
    names = args.only or mechanisms()
    if unknown := set(names) - set(mechanisms()):
        sys.exit(f"unknown mechanisms: {', '.join(sorted(unknown))}")
    if not args.table:
        builds = {WHOLE: (build(WHOLE, work), None)}
        builds |= {name: (build(name, work), None) for name in names}
        if not args.only:
            program = builds[WHOLE][0]
            builds |= {isa: (program, isa) for isa in vector_levels(program)}
        pairs = list(pairs_of(args.pairs))
        for number in range(args.rounds):
            for pair in pairs:
                print(f"round {number + 1}: {pair[0].stem} over {pair[1].stem}", file=sys.stderr, flush=True)
                for name, (program, isa) in builds.items():
                    measure(program, isa, pair, 1, work / f"{name}.jsonl", work)
    figures = {path.stem: read(path.open(encoding="utf-8")) for path in sorted(work.glob("*.jsonl"))}
    if WHOLE not in figures:
        sys.exit("nothing was measured")
    whole = figures.pop(WHOLE)
    print_table(whole, figures)
    if differences := list(different_answers(whole, figures)):
        sys.exit("\n".join(["different matches:", *differences]))


if __name__ == "__main__":
    main()
