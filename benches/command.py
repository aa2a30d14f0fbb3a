#!/usr/bin/env python3
"""Measures whole runs of `dragnet scan` on a tree, against ripgrep, gitleaks and the library alone.

    python3 benches/command.py --make ~/.cargo/registry/src TREE     # copies 100 MB of source code
    cargo build --release -p dragnet-cli && cargo install ripgrep
    python3 benches/command.py TREE --rules RULES.toml... --gitleaks GITLEAKS GITLEAKS.toml
    python3 benches/command.py TREE --library RULES.toml...

The searches are for one literal, one regex, ten patterns and, with `--rules`, 741 patterns of rule files in
the format of `dragnet scan -r` (see `benches/fetch.py`): the first ones that ripgrep accepts. These are
measured once for each number of threads, because ripgrep takes minutes. Unicode is off in both, which is
dragnet's default. `--gitleaks` compares with a binary of gitleaks and its rules. dragnet then
searches hidden and ignored files, as gitleaks does, and uses the regexes of the rules alone, without the
key words, entropy and allowlists that gitleaks has; so the numbers of findings differ.

The contenders take turns, in several rounds, once with one thread and once with as many as each chooses.
The table has the medians of the time, of the processor's time (user and system) and of the peak memory.
With `--library`, the contenders are one and two threads of the command, and its parts: one thread of the
library that scans the bytes of the same files in memory (`benches/in_memory.rs`), opening and reading these
files, and a run of the command with a glob that no file matches, which builds the rules and walks the tree.
What remains of the command's processor time with one thread is the rest, such as printing. The searches are
for one literal, the built-in rules and those of each file, in as many rounds as `--rounds` says. TREE can be a
single file.

Output goes to a file. Before, the lines found by ripgrep are compared with those of dragnet, so that
nobody is fast by searching less. The files are in the page cache after that.

It needs Linux and Python 3.11.
"""

import argparse
import ctypes
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib

PR_SET_CHILD_SUBREAPER = 36

# How many bytes `--make` copies, and the largest package that it takes: some are tables of system calls.
TREE_BYTES, PACKAGE_BYTES = 100_000_000, 6_000_000

MANY = 741

# Literals and regexes that occur in source code, some often and some not at all.
TEN = [
    "unsafe impl",
    "FIXME",
    "deprecated",
    r"fn [a-z_]+_unchecked\(",
    r"0x[0-9a-f]{16}",
    "EXAMPLE-SECRET",
    r"https?://[a-z.]+/[a-z]+\.git",
    "Copyright 20",
    r"AKIA[0-9A-Z]{16}",
    "not yet implemented",
]


def run(command, environment=None):
    """Runs a command with its output in a file. Returns the seconds, those of the processor, and MB."""
    # The shell's child is not a child of Python's image, whose memory would count as its peak.
    shell = ["/bin/sh", "-c", '"$@" >"$OUT" 2>/dev/null &', "sh", *map(str, command)]
    start = time.perf_counter()
    launcher = os.posix_spawn(shell[0], shell, {**os.environ, "OUT": OUT, **(environment or {})})
    while True:
        pid, _, usage = os.wait4(-1, 0)
        if pid != launcher:
            cpu = usage.ru_utime + usage.ru_stime
            return time.perf_counter() - start, cpu, usage.ru_maxrss / 1000


def lines_of(command):
    """Runs a command. Returns the files and lines that its output names, and the number of its lines."""
    run(command)
    found = pathlib.Path(OUT).read_bytes().split(b"\n")[:-1]
    return {tuple(line.split(b":", 2)[:2]) for line in found}, len(found)


def compare(name, contenders, rounds):
    """Prints a row of the table for each contender. `contenders` maps names to functions of threads."""
    for threads in (1, 0):
        results = {contender: [] for contender in contenders}
        for _ in range(rounds):
            for contender, of in contenders.items():
                results[contender].append(run(*of(threads)))
        for contender, runs in results.items():
            wall, cpu, memory = (statistics.median(column) for column in zip(*runs))
            kind = "one" if threads else "default"
            print(f"| {name} | {kind} | {contender} | {wall:.3f} | {cpu:.3f} | {memory:.0f} |", flush=True)


def accepted(ripgrep, path):
    """Returns patterns of a rule file that ripgrep accepts, and the number of others."""
    rules = tomllib.loads(path.read_text())["rules"]
    patterns = [rule["regex"] for rule in rules if rule.get("regex")]
    good = []
    for pattern in patterns:
        command = [ripgrep, "--no-unicode", "-e", pattern, os.devnull]
        if "\n" not in pattern and subprocess.run(command, capture_output=True).returncode < 2:
            good.append(pattern)
    return good, len(patterns) - len(good)


def in_memory():
    """Builds `benches/in_memory.rs`. Returns its path."""
    command = ["cargo", "bench", "--bench", "in_memory", "--no-run", "--message-format", "json"]
    messages = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.splitlines()
    paths = [json.loads(message).get("executable") for message in messages]
    return next(path for path in paths if path)


def against_library(program, dragnet, tree, name, options, rounds, folder):
    """Prints rows of the table for a search by the command and by the library."""
    files, rules, empty = (pathlib.Path(folder, name) for name in ("files", "rules", "empty"))
    # All files that the command searches, except empty ones.
    run([dragnet, "scan", "-l", "-0", "-e", "", tree])
    files.write_bytes(pathlib.Path(OUT).read_bytes())
    listed = subprocess.run([dragnet, "rules", "--format", "json", *options], stdout=subprocess.PIPE, check=True)
    found = map(json.loads, listed.stdout.splitlines())
    rules.write_text("".join(f"{rule.get('group', 0)} {rule['regex']}\0" for rule in found))
    empty.write_text("")
    rows = ["library, in memory", "opening and reading", "start and walk", "dragnet scan -j1", "dragnet scan -j2"]
    # A file that is named is searched whatever its name is.
    walk = ["-j1", "-g", "*.none", tree] if tree.is_dir() else ["-j1", empty]
    results = {row: [] for row in rows}
    for _ in range(rounds):
        run([program, rules, files])
        steps = dict(line.split(" ", 1) for line in pathlib.Path(OUT).read_text().splitlines())
        if "matches" not in steps:
            sys.exit(f"{name}: {program} failed")
        matches, memory = map(int, steps["matches"].split())
        results[rows[0]].append((*map(float, steps["scan"].split()), memory / 1e6))
        results[rows[1]].append((*map(float, steps["read"].split()), 0))
        # The library was given the files that are not hidden.
        command = [dragnet, "scan", "--no-hidden", *options]
        for row, words in zip(rows[2:], (walk, ["-j1", tree], ["-j2", tree])):
            results[row].append(run([*command, *words]))
            lines = pathlib.Path(OUT).read_bytes().count(b"\n")
            if words != walk and lines != matches:
                sys.exit(f"{name}: {lines} matches in the output, the library finds {matches}")
    for row in rows:
        wall, cpu, memory = (statistics.median(column) for column in zip(*results[row]))
        used = "" if row == rows[1] else f"{memory:.0f}"
        print(f"| {name} | {row} | {wall:.3f} | {cpu:.3f} | {used} |", flush=True)
    library, read, start, one, _ = ([cpu for _, cpu, _ in results[row]] for row in rows)
    rest = statistics.median(all - a - b - c for all, a, b, c in zip(one, library, read, start))
    print(f"| {name} | the rest of -j1 |  | {rest:.3f} |  |", flush=True)


def make(source, tree):
    """Copies packages, in the order of their names, as long as they have `TREE_BYTES` together."""
    total = 0
    for package in sorted(path for path in source.glob("*/*") if path.is_dir()):
        size = sum(file.lstat().st_size for file in package.rglob("*") if file.is_file())
        if size <= PACKAGE_BYTES and total + size <= TREE_BYTES:
            shutil.copytree(package, tree / package.name, symlinks=True)
            total += size
    print(f"{total} bytes in {tree}")


def main():
    global OUT
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("tree", type=pathlib.Path)
    parser.add_argument("--make", type=pathlib.Path, metavar="SOURCE", help="make the tree and stop")
    parser.add_argument("--rules", type=pathlib.Path, nargs="*", default=[])
    parser.add_argument("--library", type=pathlib.Path, nargs="*", metavar="RULES")
    parser.add_argument("--gitleaks", nargs=2, metavar=("BINARY", "RULES"))
    parser.add_argument("--dragnet", default="target/release/dragnet")
    parser.add_argument("--ripgrep", default="rg")
    parser.add_argument("--literal", default="unsafe impl")
    parser.add_argument("--regex", default=r"fn [a-z_]+_unchecked\(")
    parser.add_argument("--rounds", type=int, default=11)
    arguments = parser.parse_args()
    if arguments.make:
        make(arguments.make, arguments.tree)
        return
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    tree, rounds = arguments.tree, arguments.rounds
    with tempfile.TemporaryDirectory() as folder:
        OUT = os.path.join(folder, "out")
        if arguments.library is not None:
            searches = [("one literal", ["-e", arguments.literal]), ("built-in rules", [])]
            searches += [(path.stem, ["-r", path]) for path in arguments.library]
            program = in_memory()
            print("| search | part | time, s | CPU time, s | memory, MB |\n| --- | --- | --- | --- | --- |")
            for name, options in searches:
                against_library(program, arguments.dragnet, tree, name, options, rounds, folder)
            return
        searches = [
            ("one literal", ["-e", arguments.literal], rounds),
            ("one regex", ["-e", arguments.regex], rounds),
            ("10 patterns", [word for pattern in TEN for word in ("-e", pattern)], rounds),
        ]
        many = []
        for path in arguments.rules:
            patterns, refused = accepted(arguments.ripgrep, path)
            print(f"{path}: {len(patterns)} patterns; ripgrep does not accept {refused}")
            many += patterns
        if many:
            file = pathlib.Path(folder, "patterns")
            file.write_text("".join(pattern + "\n" for pattern in many[:MANY]))
            searches.append((f"{len(many[:MANY])} patterns", ["-f", file], 1))

        def dragnet(*options):
            return lambda threads: ([arguments.dragnet, "scan", f"-j{threads}", *options, tree],)

        def ripgrep(*options):
            fixed = [arguments.ripgrep, "--no-config", "--no-unicode", "-nH", "--no-heading"]
            return lambda threads: ([*fixed, f"-j{threads}", *options, tree],)

        rows = []
        for name, options, count in searches:
            contenders = {"ripgrep": ripgrep(*options), "dragnet": dragnet(*options)}
            (theirs, _), (ours, _) = (lines_of(*of(0)) for of in contenders.values())
            print(f"{name}: {len(ours)} lines" + ("" if ours == theirs else f", ripgrep {len(theirs)}"))
            if ours != theirs:
                print("only one of them:", sorted(ours ^ theirs)[:5])
            rows.append((name, contenders, count))
        if arguments.gitleaks:
            binary, rules = arguments.gitleaks
            report = os.path.join(folder, "report")
            fixed = [binary, "dir", "--no-banner", "--exit-code", "0", "-c", rules, "-f", "csv", "-r", report]

            def gitleaks(threads):
                return [*fixed, tree], {"GOMAXPROCS": "1"} if threads else {}

            ours = dragnet("-r", rules, "--hidden", "--no-ignore")
            run(*gitleaks(0))
            with open(report, newline="") as findings:
                theirs = sum(1 for _ in findings) - 1
            print(f"gitleaks' rules: {lines_of(*ours(0))[1]} matches, gitleaks reports {theirs}")
            rows.append(("gitleaks' rules", {"gitleaks": gitleaks, "dragnet": ours}, min(rounds, 3)))
        print("\n| search | threads | command | time, s | CPU time, s | memory, MB |")
        print("| --- | --- | --- | --- | --- | --- |")
        for name, contenders, count in rows:
            compare(name, contenders, count)


if __name__ == "__main__":
    sys.exit(main())
