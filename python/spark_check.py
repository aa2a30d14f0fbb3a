"""Checks dragnet_scan.spark on a cluster of Spark in processes of its own.

    python spark_check.py FOLDER

The query searches and redacts 16 partitions and sorts the rows, so that executors hold parts of the result
until all are done. One executor is killed in the middle. The rows must be all there, and be those of one
process that calls PatternSet itself. FOLDER is for files. SPARK_HOME, SPARK_LOCAL_IP and PYSPARK_PYTHON are
set as in ci/spark.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path
from threading import Thread

import pyarrow
from pyspark import SparkContext
from pyspark.sql import SparkSession

from dragnet_scan import PatternSet
from dragnet_scan import spark as dragnet

PARTITIONS = 16

RULES = PatternSet(
    [r"\bghp_[0-9a-f]{12}\b", r"\b\w+@\w+\.example\b", r"status=5\d\d", "^$"],
    names=["token", "email", None, None],
)


def rows(count: int) -> list[tuple[int, str | None]]:
    """Lines of a log, the same each time. Some are null or empty."""
    choose = random.Random(1)
    made: list[tuple[int, str | None]] = []
    for number in range(count):
        line: str | None = f"zoë status={choose.choice((200, 404, 500, 503))} took {choose.randrange(900)} ms"
        if number % 17 == 3:
            line = choose.choice((None, ""))
        elif number % 5 == 0:
            line = f"{line} ghp_{choose.randrange(1 << 48):012x} user{number}@mail.example"
        made.append((number, line))
    return made


def session(workers: int) -> SparkSession:
    return (
        SparkSession.builder.master(f"local-cluster[{workers},1,1024]")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", 10000)
        .config("spark.sql.adaptive.enabled", False)
        .config("spark.sql.shuffle.partitions", PARTITIONS)
        .config("spark.ui.enabled", False)
        .config("spark.log.level", "ERROR")
        .getOrCreate()
    )


def executors() -> list[int]:
    """The processes of executors below this one."""
    parents = {}
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # It has ended.
        if b"CoarseGrainedExecutorBackend" in command and b"java" in command.split(b"\0")[0]:
            found.append(int(folder.name))

    def is_below(pid: int) -> bool:
        while pid > 1 and pid != os.getpid():
            pid = parents.get(pid, 0)
        return pid == os.getpid()

    return sorted(pid for pid in found if is_below(pid))


def kill_in_the_middle(context: SparkContext, killed: list[int]) -> None:
    """Kills an executor when a third of a stage's tasks have ended and some have not."""
    tracker = context.statusTracker()
    while True:
        for stage in tracker.getActiveStageIds():
            info = tracker.getStageInfo(stage)
            if not info or info.numTasks != PARTITIONS:
                continue  # It has ended, or reads the files.
            if PARTITIONS // 3 <= info.numCompletedTasks < PARTITIONS - 4:
                pid = executors()[-1]
                os.kill(pid, signal.SIGKILL)
                print(f"killed executor {pid} after {info.numCompletedTasks} of {info.numTasks} tasks")
                killed.append(pid)
                return
        time.sleep(0.01)


def check(folder: Path, count: int = 400_000) -> None:
    data = rows(count)
    lines = pyarrow.array([line for _, line in data])
    which = RULES.matches_many(lines).to_list()
    spans = RULES.finditer_many(lines).to_list()
    redacted = RULES.redact_many(lines).to_list()

    spark = session(2)
    table = pyarrow.table({"id": pyarrow.array(range(count)), "line": lines})
    spark.createDataFrame(table).write.parquet(str(folder / "rows"))
    # A shuffle before the search, whose output is lost with an executor.
    frame = spark.read.parquet(str(folder / "rows")).repartition(PARTITIONS)
    before = executors()
    if len(before) != 2:
        raise SystemExit(f"there are {len(before)} executors instead of 2")
    result = dragnet.scan(frame, "line", RULES, which="which", spans="spans", redacted="line").orderBy("id")
    killed: list[int] = []
    thread = Thread(target=kill_in_the_middle, args=(spark.sparkContext, killed), daemon=True)
    thread.start()
    found = result.toArrow()
    if not killed:
        raise SystemExit("the query was over before an executor was killed")
    expected = {
        "id": list(range(count)),
        "line": redacted,
        "which": which,
        "spans": [
            None if row is None else [dict(zip(("pattern", "start", "end"), span)) for span in row]
            for row in spans
        ],
    }
    for name, values in expected.items():
        if found.column(name).to_pylist() != values:
            raise SystemExit(f"column {name} is not that of one process")
    matching = dragnet.matching(frame, "line", RULES).count()
    if matching != sum(bool(row) for row in which):
        raise SystemExit(f"{matching} rows match")
    after = executors()
    if set(after) == set(before):
        raise SystemExit("no executor was replaced")
    print(f"{count} rows, equal to those of one process")
    spark.stop()


if __name__ == "__main__":
    check(Path(sys.argv[1]))
