#!/usr/bin/env python3
"""Downloads public rule sets with the texts that they were written for, to measure on.

    python3 benches/fetch.py FOLDER                 # about 200 MB of downloads
    DRAGNET_PAIRS=FOLDER/pairs.tsv cargo bench --bench versus --features native

In FOLDER, which should be outside of this repository since the licences of the data differ, this
makes `rules/NAME.toml` (the format of `dragnet scan -r` and `DRAGNET_RULES`), `text/NAME.txt` and
`pairs.tsv` for `DRAGNET_PAIRS`: each rule set with its own text and with one of another set. Each
repository is read at one commit (see `rule_sets.py`), so that the result is always the same. For each
set a line says how many rules there are and how many had to be left out, by reason.

It needs Python 3.10, git and cargo. What is downloaded stays in `FOLDER/git`. `--mirror DIRECTORY`
reads git directories `DIRECTORY/OWNER+NAME/repo` instead. Names of sets as further arguments select
some.
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys

import rule_sets
from dialects import LeftOut

# The largest text that is kept, in bytes. Longer ones are cut at a line.
MAX_TEXT = 16 << 20

# Longer lines are cut into several. They come from encoded attachments and minified files.
MAX_LINE = 16 << 10

# The command `dragnet`, which checks the rules.
CARGO_RUN = ["cargo", "run", "--release", "--quiet", "--package", "dragnet-cli"]
CARGO_RUN += ["--manifest-path", str(pathlib.Path(__file__).resolve().parent.parent / "Cargo.toml"), "--"]


class Tree:
    """The files of a repository at one commit."""

    def __init__(self, folder, commit):
        self.git = ["git", "-C", str(folder)]
        listed = subprocess.run(
            [*self.git, "ls-tree", "-r", "-z", commit], check=True, stdout=subprocess.PIPE
        ).stdout.decode()
        self.blobs = {}
        for entry in filter(None, listed.split("\0")):
            (mode, _, blob), path = entry.split("\t")[0].split(), entry.split("\t", 1)[1]
            if mode.startswith("100"):
                self.blobs[path] = blob

    def read(self, path):
        command = [*self.git, "cat-file", "blob", self.blobs[path]]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout

    def files(self, prefix, suffix=""):
        """The files whose paths start and end so, in the order of their paths."""
        paths = [p for p in sorted(self.blobs) if p.startswith(prefix) and p.endswith(suffix)]
        if not paths:
            raise FileNotFoundError(f"{self.git[2]}: {prefix}...{suffix}")
        request = "".join(f"{self.blobs[path]}\n" for path in paths).encode()
        command = [*self.git, "cat-file", "--batch"]
        answer = subprocess.run(command, input=request, check=True, stdout=subprocess.PIPE).stdout
        at = 0
        for path in paths:
            end = answer.index(b"\n", at)
            size = int(answer[at:end].split()[2])
            yield path, answer[end + 1 : end + 1 + size]
            at = end + 1 + size + 1


def load(source, folder, is_mirror):
    """The files of `OWNER/NAME@COMMIT`, from a git directory in `folder`, which is made by a
    download unless the folder is a mirror."""
    repository, commit = source.split("@")
    path = folder / repository.replace("/", "+") / "repo"
    if not path.exists():
        if is_mirror:
            sys.exit(f"{path} does not exist")
        # The files of a released archive would lack tests, which some projects leave out of it.
        subprocess.run(["git", "init", "--quiet", "--bare", str(path)], check=True)
        url = f"https://github.com/{repository}.git"
        fetch = ["git", "-C", str(path), "fetch", "--quiet", "--depth", "1", url, commit]
        subprocess.run(fetch, check=True)
    return Tree(path, commit)


def rules_toml(rules):
    """The rules as a file, and the number of the line of each regex."""
    lines, numbers = [], []
    for name, pattern in rules:
        lines += ["[[rules]]", f"id = {json.dumps(name)}", f"regex = {toml_string(pattern)}", ""]
        numbers.append(len(lines) - 1)
    return "\n".join(lines), numbers


def toml_string(text):
    """A basic string of TOML, which has the escapes of JSON but not the pairs of surrogates."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def refused(path, dragnet):
    """The lines of the rules in a file that dragnet refuses, with the reasons."""
    command = [*dragnet, "rules", "-r", str(path)]
    run = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    found = {}
    for line in run.stderr.splitlines():
        error = re.match(rf"dragnet: {re.escape(str(path))}:(\d+): rule (.*)", line)
        if error:
            found[int(error.group(1))] = error.group(2)
    if run.returncode and not found:
        sys.exit(f"{path}: {run.stderr}")
    return found


def matching_one_byte(path, dragnet):
    """The names of the rules in a file that match a record of at most one byte.

    Such rules count something or are parts of others, and they match nearly everywhere: nobody
    searches for them alone, and they would take most of the time in which spans are found.
    """
    command = [*dragnet, "scan", "-r", str(path), "--format", "json", "-"]
    records = b"\n" + b"".join(b"%c\n" % byte for byte in range(0x20, 0x7F))
    run = subprocess.run(command, input=records, stdout=subprocess.PIPE)
    if run.returncode == 2:
        sys.exit(f"{path}: dragnet can't scan with these rules")
    return {json.loads(line)["rule"] for line in run.stdout.splitlines()}


def write_rules(rule_set, trees, path, dragnet):
    """Writes the rules of a set and prints how many were left out."""
    reasons = collections.Counter()
    rules = {}
    total = 0
    for name, pattern in rule_set.rules(trees):
        total += 1
        if isinstance(pattern, LeftOut):
            reasons[str(pattern)] += 1
        elif pattern in rules:
            reasons["duplicate"] += 1
        else:
            rules[pattern] = name
    # Numbers as names, since the rules' own ones are not unique.
    numbered = [(str(number), pattern) for number, pattern in enumerate(rules)]
    text, lines = rules_toml(numbered)
    path.write_text(text, encoding="utf-8")
    if errors := refused(path, dragnet):
        reasons["refused by dragnet"] += sum(line in errors for line in lines)
        numbered = [rule for rule, line in zip(numbered, lines) if line not in errors]
        path.write_text(rules_toml(numbered)[0], encoding="utf-8")
    if trivial := matching_one_byte(path, dragnet):
        reasons["matching one byte"] += len(trivial)
    kept = [(rules[pattern], pattern) for number, pattern in numbered if number not in trivial]
    path.write_text(rules_toml(kept)[0], encoding="utf-8")
    left_out = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    print(
        f"{rule_set.name}: {len(kept)} of {total} rules ({rule_set.licence}); left out: "
        f"{left_out or 'none'}",
        flush=True,
    )


def write_text(rule_set, trees, path):
    size = 0
    with open(path, "wb") as out:
        for line in rule_set.text(trees):
            data = line.encode() if isinstance(line, str) else line
            for start in range(0, max(len(data), 1), MAX_LINE):
                part = data[start : start + MAX_LINE].replace(b"\n", b" ").replace(b"\0", b" ")
                size += out.write(part + b"\n")
            if size >= MAX_TEXT:
                break
    print(f"{rule_set.name}: {size / 1e6:.1f} MB of text", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=pathlib.Path, help="where the rules and texts are written")
    parser.add_argument("names", nargs="*", help="the sets to make; all by default")
    parser.add_argument("--dragnet", type=pathlib.Path, help="the command; by default, cargo builds it")
    parser.add_argument("--mirror", type=pathlib.Path, help="a folder with git directories")
    args = parser.parse_intermixed_args()
    known = {rule_set.name for rule_set in rule_sets.ALL}
    if unknown := set(args.names) - known:
        sys.exit(f"unknown sets: {', '.join(sorted(unknown))}")
    for part in ("rules", "text"):
        (args.folder / part).mkdir(parents=True, exist_ok=True)
    trees = {}
    for rule_set in rule_sets.ALL:
        if args.names and rule_set.name not in args.names:
            continue
        for source in rule_set.repositories:
            if source not in trees:
                folder = args.mirror or args.folder / "git"
                trees[source] = load(source, folder, bool(args.mirror))
        own = [trees[source] for source in rule_set.repositories]
        path = args.folder / "rules" / f"{rule_set.name}.toml"
        write_rules(rule_set, own, path, [str(args.dragnet)] if args.dragnet else CARGO_RUN)
        write_text(rule_set, own, args.folder / "text" / f"{rule_set.name}.txt")
    with open(args.folder / "pairs.tsv", "w", encoding="utf-8") as out:
        for rule_set in rule_sets.ALL:
            for text in (rule_set.name, rule_set.also_over):
                paths = f"rules/{rule_set.name}.toml", f"text/{text}.txt"
                if all((args.folder / path).exists() for path in paths):
                    out.write("\t".join(paths) + "\n")


if __name__ == "__main__":
    main()
