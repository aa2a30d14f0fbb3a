"""Many records: lists and objects of Arrow, threads, progress and signals."""

from __future__ import annotations

import _thread
import gc
import os
import signal
import threading
import time
import tracemalloc
from typing import Any, Callable

import pytest

from dragnet_scan import PatternSet

pa: Any = pytest.importorskip("pyarrow")

RULES = PatternSet(["error", r"\d+", "^$"])
ROWS = ["all is well", None, "an error é 404", "", "x" * 20 + " 7", "é5"] * 50
BYTES = [None if row is None else row.encode() for row in ROWS]
WHICH = [None if row is None else RULES.matches(row) for row in ROWS]
SPANS = [
    None if row is None else [(m.pattern, m.start(), m.end()) for m in RULES.finditer(row)]
    for row in BYTES
]


def columns() -> list[tuple[str, Any]]:
    """The same rows in each form that Arrow has for them."""
    made = []
    for name in ("string", "large_string", "string_view"):
        made.append((name, pa.array(ROWS, type=getattr(pa, name)())))
    for name in ("binary", "large_binary", "binary_view"):
        made.append((name, pa.array(BYTES, type=getattr(pa, name)())))
    array = made[0][1]
    made.append(("slice", pa.concat_arrays([array[7:20], array])[13:]))
    made.append(("chunks", pa.chunked_array([array[:5], array[5:5], array[5:]])))
    made.append(("table", pa.table({"line": pa.chunked_array([array[:5], array[5:]])})))
    made.append(("record batch", pa.record_batch({"line": array})))
    made.append(("slice of a record batch", pa.record_batch({"l": pa.concat_arrays([array[:3], array])})[3:]))
    return made


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("column", [pytest.param(c, id=name) for name, c in columns()])
def test_columns_of_pyarrow(column: Any, threads: int) -> None:
    assert RULES.matches_many(column, threads=threads).to_list() == WHICH
    assert RULES.finditer_many(column, threads=threads).to_list() == SPANS
    matching = [None if row is None else bool(row) for row in WHICH]
    assert RULES.is_match_many(column, threads=threads).to_list() == matching


@pytest.mark.parametrize("column", [pytest.param(c, id=name) for name, c in columns()])
def test_redacted_columns(column: Any) -> None:
    redacted = RULES.redact_many(column, replacement="<ü>", threads=2)
    rows = BYTES if "binary" in str(getattr(column, "type", "")) else ROWS
    expected = [None if row is None else RULES.redact(row, "<ü>") for row in rows]  # type: ignore
    assert redacted.to_list() == expected
    pa.array(redacted).validate(full=True)


def test_redaction() -> None:
    rules = PatternSet(["b+c?", "bc"], names=["b", None])
    assert rules.redact("ä bbc d bc") == "ä [REDACTED:b] d [REDACTED:b]"
    assert rules.redact("ä b".encode(), "é") == "ä é".encode()
    assert rules.redact("none") == "none"
    assert rules.redact_many([]).to_list() == []
    long = "abc" * 10_000
    assert rules.redact(long, "") == "a" * 10_000
    assert PatternSet([r"\xC3"], unicode=False).redact("aéb", "-") == "a-\ufffdb"


def test_lists() -> None:
    assert RULES.matches_many(ROWS).to_list() == WHICH
    assert RULES.matches_many(BYTES).to_list() == WHICH
    assert RULES.finditer_many(iter(BYTES)).to_list() == SPANS
    assert RULES.matches_many([]).to_list() == []
    assert RULES.matches_many([None, None]).to_list() == [None, None]
    with pytest.raises(TypeError, match="both str and bytes"):
        RULES.matches_many(["a", b"a"])  # type: ignore
    with pytest.raises(TypeError, match="expected str or bytes, not int"):
        RULES.matches_many([1])  # type: ignore
    for one in ("a", b"a"):
        with pytest.raises(TypeError, match="use the method without _many"):
            RULES.matches_many(one)  # type: ignore


def test_other_packages() -> None:
    polars = pytest.importorskip("polars")
    series = polars.Series("line", ROWS)
    assert RULES.matches_many(series).to_list() == WHICH
    assert RULES.matches_many(series.to_frame()).to_list() == WHICH
    found = polars.Series(RULES.matches_many(series))
    assert found.dtype == polars.List(polars.UInt32)
    assert found.to_list() == WHICH
    pandas = pytest.importorskip("pandas")
    assert RULES.matches_many(pandas.Series(ROWS, dtype="string[pyarrow]")).to_list() == WHICH
    duckdb = pytest.importorskip("duckdb")
    lines = pa.table({"line": ROWS})
    relation = duckdb.sql("select line from lines")
    assert RULES.matches_many(relation).to_list() == WHICH


def test_results_are_columns_of_arrow() -> None:
    found = pa.array(RULES.finditer_many(ROWS))
    field = pa.list_(pa.field("item", pa.struct([pa.field(n, pa.uint32(), False) for n in ("pattern", "start", "end")]), False))
    assert found.type == field
    found.validate(full=True)
    assert found.null_count == 50
    matching = pa.array(RULES.is_match_many(ROWS))
    matching.validate(full=True)
    assert matching.type == pa.bool_()
    column = RULES.matches_many(ROWS)
    assert pa.array(column).to_pylist() == column.to_list() == list(column) == WHICH
    assert column[-1] == WHICH[-1] and len(column) == len(WHICH)
    assert column[1:5] == WHICH[1:5]
    for index in (len(WHICH), -len(WHICH) - 1):
        with pytest.raises(IndexError):
            column[index]
    # The array lives longer than the column.
    array = pa.array(column)
    del column
    gc.collect()
    assert array.to_pylist() == WHICH


GROUPS = PatternSet([r"(\d)(\d+)?", r"(?P<word>\w+)"], report_groups=[0, 1])


@pytest.mark.parametrize("column", [pytest.param(c, id=name) for name, c in columns()])
def test_groups_in_columns(column: Any) -> None:
    expected = [
        None
        if row is None
        else [
            (m.pattern, [None if m.start(i) < 0 else m.span(i) for i in range(len(m.groups()) + 1)])
            for m in GROUPS.captures(row)
        ]
        for row in BYTES
    ]
    found = GROUPS.captures_many(column, threads=2)
    assert found.to_list() == expected
    pa.array(found).validate(full=True)


def test_the_type_of_groups_is_the_same_for_no_records() -> None:
    group = pa.struct([pa.field("start", pa.uint32(), False), pa.field("end", pa.uint32(), False)])
    groups = pa.field("groups", pa.list_(pa.field("item", group)), False)
    match = pa.struct([pa.field("pattern", pa.uint32(), False), groups])
    expected = pa.list_(pa.field("item", match, False))
    for records in (ROWS, [], [None], pa.chunked_array([], type=pa.string())):
        assert pa.array(GROUPS.captures_many(records)).type == expected


def test_groups_in_polars() -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"line": ["ab 12", None]})
    found = polars.Series("m", GROUPS.captures_many(frame))
    first = found.explode().drop_nulls().struct.field("groups").list.get(1).struct.field("start")
    assert first.to_list() == [3, 0, 3]


@pytest.mark.parametrize("method", ["captures", "captures_many"])
def test_groups_of_many_matches_take_linear_time(method: str) -> None:
    """Also of a pattern that reports a group, whose whole matches are searched for from the start."""
    rules = PatternSet([r"k=(\w+)", r"(\w)="], report_groups=[1, 1])

    def seconds(count: int) -> float:
        text = "k=v " * count
        start = time.process_time()
        found: Any = list(rules.captures(text)) if method == "captures" else rules.captures_many([text])[0]
        assert len(found) == 2 * count
        return time.process_time() - start

    assert seconds(80_000) < 16 * max(min(seconds(20_000) for _ in range(3)), 0.02)


def big() -> Any:
    """A column that takes a second or so."""
    return pa.array(["some words and a number 12345 in a line of text"] * 3_000_000)


SLOW = PatternSet([r"\w+\s+\w+", r"[a-z]+\d|\w+$"] * 3)


def test_progress_counts_up_to_all_records() -> None:
    calls: list[tuple[int, int]] = []
    column = big()[:600_000]
    SLOW.finditer_many(column, threads=2, progress=lambda *call: calls.append(call))
    assert calls == sorted(calls)
    assert calls[-1] == (600_000, 600_000)
    assert RULES.matches_many([], progress=lambda *call: calls.append(call)).to_list() == []
    assert calls[-1] == (0, 0)


def test_an_exception_of_progress_stops_the_scan() -> None:
    class Stop(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        SLOW.finditer_many(big(), progress=stop)
    assert SLOW.is_match("a b")


def test_the_calling_thread_waits_after_a_failure() -> None:
    """One record of many matches can't be stopped, and the calling thread sleeps until its end."""
    rules = PatternSet([r"(a)(b)?"], report_groups=[1])
    records = ["a" * 3_000_000]
    before = 0.0

    def fail(done: int, total: int) -> None:
        nonlocal before
        before = time.thread_time()
        raise ZeroDivisionError

    start = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        rules.captures_many(pa.array(records), progress=fail)
    used, waited = time.thread_time() - before, time.monotonic() - start
    assert used < 0.05 + waited / 5


def test_keyboard_interrupt_stops_the_scan() -> None:
    column = big()
    start = time.monotonic()
    # A shell ignores the signal in processes that it starts in the background.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            threading.Timer(0.1, _thread.interrupt_main).start()
            for _ in range(100):
                SLOW.finditer_many(column, threads=2)
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - start < 30
    assert SLOW.is_match("a b")


def test_other_threads_run_during_a_scan() -> None:
    column = big()
    ticks = 0
    is_done = threading.Event()

    def scan() -> None:
        SLOW.matches_many(column)
        is_done.set()

    threading.Thread(target=scan).start()
    while not is_done.wait(0.001):
        ticks += 1
    assert ticks > 10


def rss() -> int:
    """Memory of this process in KiB."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def grows(run: Callable[[], object], rounds: int) -> tuple[int, int]:
    """By how much memory grows in the second half of many rounds: Python's, and all, in KiB."""
    for _ in range(rounds // 2):
        run()
    gc.collect()
    tracemalloc.start()
    python, all_memory = tracemalloc.get_traced_memory()[0], rss()
    for _ in range(rounds):
        run()
    gc.collect()
    grown = (tracemalloc.get_traced_memory()[0] - python) // 1024
    tracemalloc.stop()
    return grown, rss() - all_memory


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="memory is read from /proc")
def test_nothing_leaks() -> None:
    """A million rows in each form, and errors. A leak of a byte for each row would be seen."""
    column = pa.array(ROWS * 34)
    view = pa.array(ROWS * 34, type=pa.string_view())
    numbers = pa.array([1, 2, 3])
    polars = pytest.importorskip("polars")
    series = polars.Series(ROWS * 34)

    def run() -> None:
        for records in (column, view, series, ROWS, pa.table({"a": column})):
            pa.array(RULES.finditer_many(records, threads=2))
            pa.array(GROUPS.captures_many(records[:1000], threads=2))
            RULES.matches_many(records)
        for _ in RULES.finditer("some é text 123 with an error"):
            pass
        with pytest.raises(TypeError):
            RULES.matches_many(numbers)
        with pytest.raises(ValueError):
            PatternSet(["("])

    python, everything = grows(run, 30)
    assert python < 100
    assert everything < 5_000
