"""Searches columns of PySpark 4 with the functions of Spark's mapInArrow.

    from dragnet_scan import PatternSet
    from dragnet_scan import spark as dragnet

    rules = PatternSet([r"user=\\w+", r"\\bghp_\\w+"], names=["user", "token"])
    errors = dragnet.matching(logs, "line", PatternSet(["(?i)error", "timeout"]))
    safe = dragnet.scan(errors, "line", rules, which="rules", redacted="line")

The rows cross from the JVM to Python as columns of Arrow, which are searched in place. The rules are a
broadcast: each executor gets them once, and each of its Python processes compiles them once, for all of
its tasks. Each task uses one thread. This package must be installed on the executors, or be shipped with
spark-submit --archives.

A null matches nothing, and gives null. Offsets are in bytes of UTF-8. Broadcasts need a classic session:
Spark Connect has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from . import PatternSet

if TYPE_CHECKING:
    # With an underscore, as it is not there at run time.
    from pyspark.sql import DataFrame as _DataFrame

__all__ = ["matching", "scan"]

_Batches = Iterable[Any]
_Searcher = Callable[[PatternSet, _Batches], Iterator[Any]]


def matching(df: _DataFrame, column: str, rules: PatternSet) -> _DataFrame:
    """Returns the rows in which any pattern matches. column is one of strings or binary."""
    index = _index(df, column)

    def search(rules: PatternSet, batches: _Batches) -> Iterator[Any]:
        import pyarrow

        for batch in batches:
            yield batch.filter(pyarrow.array(rules.is_match_many(batch.column(index))))

    return _map(df, rules, search, df.schema)


def scan(
    df: _DataFrame,
    column: str,
    rules: PatternSet,
    *,
    which: str | None = None,
    spans: str | None = None,
    redacted: str | None = None,
    replacement: str | None = None,
) -> _DataFrame:
    """Returns the rows with columns of results, of the names that are given:

    which has the numbers of the patterns that match, ascending: array<int>.
    spans has pattern, start and end of each match: array<struct<pattern:int,start:int,end:int>>.
    redacted has the text with all matches replaced, by replacement or, without one, by
    [REDACTED:name]. Its type is that of column.

    A result replaces the column of its name, which may be column itself. One call with several names
    takes the rows to Python once.
    """
    from pyspark.sql.types import ArrayType, IntegerType, StructType

    names = [name for name in (which, spans, redacted) if name is not None]
    if not names or len(set(names)) < len(names):
        raise ValueError("scan() needs at least one of which, spans and redacted, with different names")
    index = _index(df, column)
    numbers = StructType()
    for name in ("pattern", "start", "end"):
        numbers.add(name, IntegerType(), False)
    types = {
        which: ArrayType(IntegerType(), False),
        spans: ArrayType(numbers, False),
        redacted: df.schema[index].dataType,
    }
    # The place of each result, after the last column if its name is new.
    places = list(df.columns)
    fields = list(df.schema.fields)
    for name in names:
        field = StructType().add(name, types[name]).fields[0]
        if name in places:
            fields[places.index(name)] = field
        else:
            places.append(name)
            fields.append(field)

    def search(rules: PatternSet, batches: _Batches) -> Iterator[Any]:
        import pyarrow

        # Spark has no unsigned numbers.
        int32 = pyarrow.int32()
        struct = pyarrow.struct([pyarrow.field(name, int32, False) for name in ("pattern", "start", "end")])

        def lists(found: Any, item: Any) -> Any:
            return pyarrow.array(found).cast(pyarrow.list_(pyarrow.field("element", item, False)))

        for batch in batches:
            text = batch.column(index)
            results = {}
            if which is not None:
                results[which] = lists(rules.matches_many(text), int32)
            if spans is not None:
                results[spans] = lists(rules.finditer_many(text), struct)
            if redacted is not None:
                results[redacted] = pyarrow.array(rules.redact_many(text, replacement=replacement))
            columns = batch.columns + [None] * (len(places) - batch.num_columns)
            for name, result in results.items():
                columns[places.index(name)] = result
            yield pyarrow.RecordBatch.from_arrays(columns, names=places)

    return _map(df, rules, search, StructType(fields))


def _index(df: _DataFrame, column: str) -> int:
    """The place of a column that can be searched."""
    from pyspark.sql.types import BinaryType, StringType

    if df.columns.count(column) != 1:
        raise ValueError(f"the columns {df.columns} have {column!r} {df.columns.count(column)} times")
    index: int = df.columns.index(column)
    data_type = df.schema[index].dataType
    if not isinstance(data_type, (StringType, BinaryType)):
        raise TypeError(f"column {column!r} is of type {data_type.simpleString()}, not string or binary")
    return index


def _map(df: _DataFrame, rules: PatternSet, search: _Searcher, schema: Any) -> _DataFrame:
    # A set is pickled as its patterns, and compiled when it is unpickled: when `value` is first read
    # in a process. Spark keeps the broadcasts of a process between its tasks.
    broadcast = df.sparkSession.sparkContext.broadcast(rules)
    return df.mapInArrow(lambda batches: search(broadcast.value, batches), schema)
