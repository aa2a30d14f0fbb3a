"""The module hyperscan, against python-hyperscan where it is installed."""

import doctest
import random
from typing import Any

import pytest

from dragnet_scan import hyperscan as ours

FLAGS = ours.HS_FLAG_SINGLEMATCH | ours.HS_FLAG_ALLOWEMPTY


def ids(module: Any, db: Any, data: bytes) -> list[int]:
    found: list[int] = []
    db.scan(data, match_event_handler=lambda id, start, end, flags, context: found.append(id))
    return sorted(found)


def test_docs_examples_run() -> None:
    result = doctest.testmod(ours)
    assert result.attempted >= 4 and result.failed == 0


def test_a_handler_gets_what_hyperscans_gets() -> None:
    db = ours.Database(mode=ours.HS_MODE_BLOCK)
    db.compile([b"b+", "a"], ids=[5, 3], elements=2, flags=[8, 8])
    calls: list[Any] = []
    db.scan(b"xab", lambda *arguments: calls.append(arguments), context="c")
    assert calls == [(5, 0, 3, 0, "c"), (3, 0, 2, 0, "c")]
    with pytest.raises(ours.ScanTerminated):
        db.scan(b"ab", lambda *arguments: True)


def test_what_differs_is_refused() -> None:
    db = ours.Database()
    for flags in (0, 8 | ours.HS_FLAG_SOM_LEFTMOST, 8 | ours.HS_FLAG_COMBINATION):
        with pytest.raises(ours.InvalidError):
            db.compile([b"a"], flags=flags)
    with pytest.raises(ours.InvalidError):
        db.compile([b"a"], flags=8, ext=[(1, 2, 3, 4, 5, 6)])
    with pytest.raises(ours.InvalidError):
        db.compile([b"a"], flags=[8, 8])
    with pytest.raises(ours.InvalidError):
        ours.Database(mode=ours.HS_MODE_STREAM)
    for expression in (b"(", b"a*", b"a$b", b"(?m)a$", rb"\b{start}"):
        with pytest.raises(ours.error):
            db.compile([expression], flags=8)


def test_ids_are_those_of_hyperscan() -> None:
    theirs = pytest.importorskip("hyperscan")
    draw = random.Random(1)
    atoms = ["a", "b", ".", "[ab]", "[^a]", r"\w", r"\s", r"\<", "[a[]", "[a&&b]", "[]a]", "a-", r"\n"]
    atoms += ["[[:alpha:]]", r"[\w--]", "(?:a|bc)", "(?i:B)"]
    ends = ["", "", "$", r"\Z", r"\z", r"\b"]
    compared = matching = 0
    for _ in range(150):
        expressions = [
            "".join(draw.choice(atoms) + draw.choice(["", "", "+", "?", "{2}"]) for _ in range(draw.randint(1, 4)))
            + draw.choice(ends)
            for _ in range(4)
        ]
        flags = [FLAGS | draw.choice([0, 1, 2, 4, 3]) for _ in expressions]
        their, our = theirs.Database(mode=theirs.HS_MODE_BLOCK), ours.Database(mode=ours.HS_MODE_BLOCK)
        try:
            their.compile(expressions=[e.encode() for e in expressions], flags=flags)
        except theirs.error:
            continue
        our.compile(expressions=[e.encode() for e in expressions], flags=flags)
        for _ in range(8):
            data = "".join(draw.choice("aabbcB [<&-\n") for _ in range(draw.randint(0, 8))).encode()
            expected = ids(theirs, their, data)
            assert ids(ours, our, data) == expected, (expressions, flags, data)
            compared += 1
            matching += bool(expected)
    assert compared > 500 and matching > 200


def test_literals() -> None:
    db = ours.Database()
    db.compile([b"a.b", rb"(\d"], flags=8 | ours.HS_FLAG_CASELESS, literal=True)
    assert ids(ours, db, rb"A.B") == [0]
    assert ids(ours, db, rb"(\D axb") == [1]
