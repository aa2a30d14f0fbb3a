"""Compares ways to search a DataFrame of Spark for many rules, with one and with two workers.

    pip install 'pyspark>=4,<5' 'pandas<3' pyarrow
    export SPARK_HOME=$(python -c 'import os, pyspark; print(os.path.dirname(pyspark.__file__))')
    export SPARK_LOCAL_IP=127.0.0.1 PYSPARK_PYTHON=$(command -v python)
    python spark_bench.py gitleaks.toml app.log uap.toml agents.txt

Needs Java, as ci/spark installs it. The arguments are pairs of a rule file (the `regex` of each [[rules]]
table) and a text. The lines of the text are repeated and shuffled, and written as Parquet. Each worker is a
process with one core, local-cluster[n,1,1024]. Two questions are asked: which rules match a row, and whether
any does.

- dragnet: scan and matching of dragnet_scan.spark.
- re: a Python UDF with Arrow that loops over compiled patterns of `re`.
- rlike: Spark's condition for each rule, which is one of Java's regexes, in an array or or-ed.
- passing: rows cross to Python and back by mapInArrow, and nothing is searched.
- alone: dragnet in one process without Spark, on one thread, over a column that is in memory.

All search for the same rules: those that dragnet, `re` and Java accept, and for which they find the same
lines of the text. How many others there are is printed. Unicode is off as far as each can do that.

`re` and rlike get one row of --slow rows, as all would take hours. All take turns in each round, the cluster is
started anew for each round and number of workers, and the figures are medians. dragnet compiles the rules in each measured query, `re` in an unmeasured one, and Java's compile time is
part of each query.

Workers and driver share the cores of this machine, so a second worker gains less than on a machine of its own.
The processor time, in seconds for 10^9 bytes of text, is that of all these processes together. Other work on
the machine changes it little, so it is the figure to count cores with, and the last column compares it.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import statistics
import sys
import tempfile
import time
import tomllib
import warnings
from pathlib import Path
from typing import Any, Callable

import pyarrow
import pyarrow.parquet
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from dragnet_scan import PatternSet
from dragnet_scan import spark as dragnet

# Tasks of a query.
PARTITIONS = 8

# Rows of the query that starts the processes of Python and warms up the JVM.
WARM_UP = 2000

# Distinct lines for which the answers to each rule are compared.
COMPARED = 2000

# Makes of a DataFrame one with a row that has the number of pairs of a row and a rule, or of rows.
Query = Callable[[DataFrame], DataFrame]


def session(workers: int) -> SparkSession:
    return (
        SparkSession.builder.master(f"local-cluster[{workers},1,1024]")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", 10000)
        .config("spark.sql.files.minPartitionNum", PARTITIONS)
        .config("spark.ui.enabled", False)
        .config("spark.ui.showConsoleProgress", False)
        .config("spark.log.level", "OFF")
        .getOrCreate()
    )


def for_re(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace(r"\z", r"\Z"), re.ASCII)


def rlike_which(patterns: list[str]) -> Any:
    return F.array_compact(F.array(*(F.when(F.col("line").rlike(p), i) for i, p in enumerate(patterns))))


def rlike_any(patterns: list[str]) -> Any:
    conditions = [F.col("line").rlike(p) for p in patterns]
    while len(conditions) > 1:
        # A balanced tree, as Spark walks it recursively.
        pairs = zip(conditions[::2], conditions[1::2])
        conditions = [a | b for a, b in pairs] + conditions[len(conditions) // 2 * 2 :]
    return conditions[0]


def re_which(spark: SparkSession, patterns: list[str]) -> Any:
    # Patterns are pickled as their text, and compiled once in each process.
    compiled = spark.sparkContext.broadcast([for_re(p) for p in patterns])
    return F.udf(lambda s: [i for i, p in enumerate(compiled.value) if p.search(s)], "array<int>", useArrow=True)


def re_any(spark: SparkSession, patterns: list[str]) -> Any:
    compiled = spark.sparkContext.broadcast([for_re(p) for p in patterns])
    return F.udf(lambda s: any(p.search(s) for p in compiled.value), "boolean", useArrow=True)


def contenders(spark: SparkSession, patterns: list[str]) -> dict[str, Query]:
    rules = PatternSet(patterns, unicode=False)
    in_list, in_any = re_which(spark, patterns), re_any(spark, patterns)
    line = F.col("line")
    pairs = F.sum(F.size("which"))
    return {
        "which, dragnet": lambda df: dragnet.scan(df, "line", rules, which="which").agg(pairs),
        "which, re": lambda df: df.select(in_list(line).alias("which")).agg(pairs),
        "which, rlike": lambda df: df.select(rlike_which(patterns).alias("which")).agg(pairs),
        "any, dragnet": lambda df: dragnet.matching(df, "line", rules).agg(F.count("line")),
        "any, re": lambda df: df.filter(in_any(line)).agg(F.count("line")),
        "any, rlike": lambda df: df.filter(rlike_any(patterns)).agg(F.count("line")),
        "passing": lambda df: df.mapInArrow(lambda batches: batches, df.schema).agg(F.count("line")),
    }


def accepted(spark: SparkSession, patterns: list[str]) -> list[str]:
    java = spark._jvm.java.util.regex.Pattern

    def is_accepted(pattern: str) -> bool:
        try:
            PatternSet([pattern], unicode=False)
            for_re(pattern)
            java.compile(pattern)
        except Exception:
            return False
        return True

    return [pattern for pattern in patterns if is_accepted(pattern)]


def same_answers(spark: SparkSession, patterns: list[str], lines: list[str]) -> list[str]:
    df = spark.createDataFrame(pyarrow.table({"line": lines})).repartition(PARTITIONS).cache()
    found: list[set[tuple[str, int]]] = []
    for column in (
        dragnet.scan(df, "line", PatternSet(patterns, unicode=False), which="which"),
        df.select("line", re_which(spark, patterns)("line").alias("which")),
        df.select("line", rlike_which(patterns).alias("which")),
    ):
        found.append({(line, rule) for line, which in column.collect() for rule in which})
    different = {rule for _, rule in (found[0] ^ found[1]) | (found[0] ^ found[2])}
    return [pattern for rule, pattern in enumerate(patterns) if rule not in different]


def processor_seconds() -> dict[int, float]:
    """The time that each process below this one has used: driver, executors and theirs of Python."""
    parents, used = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # It has ended.
        parents[int(folder.name)] = int(fields[1])
        used[int(folder.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def is_below(pid: int) -> bool:
        while pid > 1 and pid != os.getpid():
            pid = parents.get(pid, 0)
        return pid == os.getpid()

    return {pid: seconds for pid, seconds in used.items() if pid != os.getpid() and is_below(pid)}


class Turn:
    """What a query took, and its result."""

    def __init__(self, query: Query, df: DataFrame) -> None:
        start, before = time.perf_counter(), processor_seconds()
        self.result = query(df).collect()[0][0]
        self.seconds = time.perf_counter() - start
        # Processes that end meanwhile were idle: Spark ends those of Python after a minute.
        after = processor_seconds()
        self.processor = sum(seconds - before.get(pid, 0) for pid, seconds in after.items())


def write(rows: list[str], folder: Path) -> int:
    """Writes rows as files of Parquet, and returns the bytes of their text."""
    folder.mkdir()
    for partition in range(PARTITIONS):
        table = pyarrow.table({"line": rows[partition::PARTITIONS]})
        pyarrow.parquet.write_table(table, folder / f"{partition}.parquet")
    return sum(len(row.encode()) for row in rows)


def measure(rule_file: Path, text: Path, options: argparse.Namespace, folder: Path) -> None:
    rules = tomllib.loads(rule_file.read_text())["rules"]
    patterns = [rule["regex"] for rule in rules if "regex" in rule]
    all_of_them = len(patterns)
    lines = [line for line in text.read_text(errors="replace").split("\n") if line]
    rows = (lines * (options.rows // len(lines) + 1))[: options.rows]
    random.Random(1).shuffle(rows)
    write(rows[:WARM_UP], folder / "warm-up")

    spark = session(1)
    patterns = accepted(spark, patterns)
    all_accept = len(patterns)
    distinct = sorted(set(lines))
    random.Random(2).shuffle(distinct)
    patterns = same_answers(spark, patterns, distinct[:COMPARED])
    print(f"{rule_file.name}, {text.name}: {all_of_them} rules, {all_accept} accepted by all,"
          f" {len(patterns)} with the same answers", file=sys.stderr)

    sizes = {part: write(rows[::part], folder / str(part)) for part in {1, options.slow}}
    slow = ("re", "rlike")
    parts = {name: options.slow if name.endswith(slow) else 1 for name in contenders(spark, patterns)}
    spark.stop()

    speeds: dict[tuple[str, int], list[float]] = {}
    costs: dict[tuple[str, int], list[float]] = {}
    set_alone = PatternSet(patterns, unicode=False)
    columns = {part: pyarrow.parquet.read_table(folder / str(part))["line"] for part in set(parts.values())}

    def alone(question: str, part: int) -> int:
        if question == "which":
            return len(pyarrow.array(set_alone.matches_many(columns[part], threads=1)).flatten())
        if question == "any":
            return int(pyarrow.array(set_alone.is_match_many(columns[part], threads=1)).true_count)
        return len(columns[part])

    expected = {name: alone(name.split(",")[0], part) for name, part in parts.items()}
    for _ in range(options.rounds):
        for question in ("which", "any"):
            part = parts[f"{question}, dragnet"]
            name = f"{question}, alone"
            start, used = time.perf_counter(), time.process_time()
            alone(question, part)
            speeds.setdefault((name, 1), []).append(sizes[part] / 1e6 / (time.perf_counter() - start))
            costs.setdefault((name, 1), []).append((time.process_time() - used) / sizes[part] * 1e9)
        for workers in (1, 2):
            spark = session(workers)
            for name, query in contenders(spark, patterns).items():
                df = spark.read.parquet(str(folder / str(parts[name])))
                Turn(query, spark.read.parquet(str(folder / "warm-up")))
                turn = Turn(query, df)
                print(f"{name}, {workers}: {turn.seconds:.1f} s, {turn.processor:.1f} s used", file=sys.stderr)
                size = sizes[parts[name]]
                speeds.setdefault((name, workers), []).append(size / 1e6 / turn.seconds)
                costs.setdefault((name, workers), []).append(turn.processor / size * 1e9)
                if turn.result != expected[name]:
                    print(f"{name}: {turn.result} instead of {expected[name]}", file=sys.stderr)
            spark.stop()

    for question in ("which", "any"):
        parts[f"{question}, alone"] = parts[f"{question}, dragnet"]
    for name, part in parts.items():
        cells = [f"{rule_file.stem} ({len(patterns)})", text.stem, name, f"{len(rows[::part]):,}"]
        for figures in (speeds, costs):
            cells += [f"{statistics.median(figures[key]):.3g}" if key in figures else "" for key in ((name, 1), (name, 2))]
        base = costs.get((f"{name.split(',')[0]}, dragnet", 1))
        ratio = base and statistics.median(costs[name, 1]) / statistics.median(base)
        cells.append(f"{ratio:.2g}x" if ratio else "")
        print("| " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+", type=Path, help="rule files and texts in turn")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--slow", type=int, default=256, help="re and rlike get one row of so many")
    options = parser.parse_args()
    warnings.simplefilter("ignore", FutureWarning)
    print("| rules | rows of | question, contender | rows | MB/s, 1 worker | 2 workers"
          " | processor s/GB, 1 worker | 2 workers | of dragnet's |")
    print("|" + " --- |" * 9)
    for rule_file, text in zip(options.files[::2], options.files[1::2]):
        with tempfile.TemporaryDirectory() as folder:
            measure(rule_file, text, options, Path(folder))


if __name__ == "__main__":
    main()
