"""The module hyperscan, against python-hyperscan where it is installed."""

from __future__ import annotations

import doctest
import random
import time
from typing import Any

import pytest

from dragnet_scan import hyperscan as ours
from dragnet_scan._pcre import _POSIX, translate

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
    for flags in (0, 8 | ours.HS_FLAG_SOM_LEFTMOST, 8 | ours.HS_FLAG_COMBINATION, 8 | 2048):
        with pytest.raises(ours.InvalidError):
            db.compile([b"a"], flags=flags)
    with pytest.raises(ours.InvalidError):
        db.compile([b"a"], flags=8, ext=[(1, 2, 3, 4, 5, 6)])
    with pytest.raises(ours.InvalidError):
        db.compile([b"a"], flags=[8, 8])
    with pytest.raises(ours.InvalidError):
        ours.Database(mode=ours.HS_MODE_STREAM)
    with pytest.raises(ours.InvalidError):
        db.compile([b"a"], flags=8 | ours.HS_FLAG_UTF8, literal=True)


# Each with flags beside HS_FLAG_SINGLEMATCH.
REFUSED = [
    (b"(", 0), (b"a)", 0), (b"[a", 0), (b"[]", 0), (b"*", 0), (b"a|+", 0), (b"a**", 0), (b"a++", 0),
    (b"a{2}{2}", 0), (b"^*", 0), (rb"\b+", 0), (b"(?i)*", 0), (b"a*", 0), (b"a$b", 0), (b"(a$)b", 0),
    (b"(a$)?b", 0), (rb"(?:a\Z|b)c", 0), (b"a$$", 0), (b"(?m)^$", 0), (b"(?m)(^)?a", 0), (rb"\n^", 4),
    (b"(?x)[ a]", 0), (b"(?=a)", 0), (b"(?<!a)b", 0), (b"(?>a)", 0), (b"(?U)a", 0), (b"(*UTF8)a", 0),
    (rb"\p{L}", 0), (rb"\P{L}", 32), (rb"\w", 64), (rb"[\s]", 96), (rb"\d", 96), (rb"a\b", 96),
    (b"[[:alpha:]]", 96), (b"[[.a.]]", 0), (b"[[:other:]]", 0), ("é".encode(), 33), ("[a-é]".encode(), 33),
    (b"\xff", 32), (rb"\x{100}", 0), (rb"\x{110000}", 32), (rb"\x{D800}", 32), (rb"\1", 0), (rb"\12", 0),
    (rb"\cA", 0), (rb"\Qa", 0), (rb"\R", 0), (rb"\K", 0), (rb"\y", 0), (b"a\\", 0), (b"a\0b", 0),
    (rb"[a-\d]", 0), (b"[z-a]", 0), (rb"[\w---]", 0), (rb"[^\x00-\xff]", 0), (b"(" * 300 + b")" * 300, 0),
    (b"a{5,2}", 0), (b"(?:a{1000}){1000}", 0),
]  # fmt: skip


@pytest.mark.parametrize("expression, flags", REFUSED)
def test_errors_name_the_expression(expression: bytes, flags: int) -> None:
    db = ours.Database()
    with pytest.raises(ours.CompilerError) as info:
        db.compile([b"a", expression], flags=[8, 8 | flags])
    assert str(info.value).startswith(f"expression 1 ({expression!r}")


def test_translation_takes_linear_time() -> None:
    def seconds(count: int) -> float:
        start = time.process_time()
        translate(r"ab?[^c]\d(?:x|y)" * count, caseless=True, multiline=False, dotall=False, utf8=False, ucp=False)
        return time.process_time() - start

    assert seconds(8_000) < 8 * max(min(seconds(2_000) for _ in range(3)), 0.05)


def in_hyperscan(theirs: Any, expression: bytes, flags: int) -> Any:
    db = theirs.Database(mode=theirs.HS_MODE_BLOCK)
    db.compile(expressions=[expression], flags=FLAGS | flags)
    return db


SETS = [rf"\{c}" for c in "wWdDsShHvV"]
SETS += [f"[[:{no}{name}:]]" for name in _POSIX for no in ("", "^")]
SETS += ["(?i)[[:upper:]]", "(?i)[^[:lower:]]", "(?i)k", "(?i)[^s]", ".", "(?s).", r"[^\n]", r"\x{e9}", r"[\W\d]"]


@pytest.mark.parametrize("utf8", [0, ours.HS_FLAG_UTF8])
@pytest.mark.parametrize("regex", SETS)
def test_sets_have_the_members_of_hyperscans(regex: str, utf8: int) -> None:
    theirs = pytest.importorskip("hyperscan")
    expression = rf"^(?:{regex})\z".encode()
    their, our = in_hyperscan(theirs, expression, utf8), in_hyperscan(ours, expression, utf8)
    if utf8:
        texts = [chr(c).encode() for c in range(0x3100) if c < 0x400 or c % 7 == 0 or 0x1FF0 < c < 0x2150]
    else:
        texts = [bytes([c]) for c in range(256)]
    for data in texts:
        assert ids(ours, our, data) == ids(theirs, their, data), data


ATOMS = """a b k S . [ab] [^a] \\w \\W \\s \\S \\d \\v \\V \\h \\< [a[] [a&&b] []a] a- \\n \\x{e9} \\xE9 \\012 \\0
[[:alpha:]] [^[:lower:]] [\\w--] [\\W\\d] (?:a|bc) (?i:B) (?-i:k) (?s:.) [a-c-e] [+--] [--a] { } ] a{,2} é [é] [^é]
(?#c) (?P<n>a) () (a|) \\b \\B [\\b] (?x) [Z-b] [\\x80-\\xff] && -- # ' / \\- ( ) | (?i) (?s) (?m) ^ $ \\z \\Z""".split()
REPEATS = [""] * 8 + ["+", "?", "*", "{2}", "{1,2}", "+?"]
LETTERS = "abckKSsB [&-\n\né\u212aſ1_.{}]\x0b\x85\xa0\u2028<2#\0"


def test_ids_are_those_of_hyperscan() -> None:
    theirs = pytest.importorskip("hyperscan")
    draw = random.Random(1)

    def sequence(depth: int) -> str:
        parts = []
        for _ in range(draw.randint(1, 4)):
            is_group = depth < 2 and draw.random() < 0.12
            group = draw.choice(["(", "(?:", "(?i:", "(?m:", "(?s-i:"]) + sequence(depth + 1) + ")" if is_group else ""
            parts.append((group or draw.choice(ATOMS)) + draw.choice(REPEATS))
        return "".join(parts)

    compared = matching = refused = 0
    for _ in range(1000):
        start, end = draw.choice(["", "", "^", "(?m)"]), draw.choice(["", "", "$", r"\Z", r"\b", "|a$"])
        expression = (start + sequence(0) + end).encode()
        flags = draw.choice([0, 1, 2, 4, 3, 5]) | draw.choice([0, 0, 32, 32, 96])
        try:
            their = in_hyperscan(theirs, expression, flags)
        except theirs.error:
            continue
        try:
            our = in_hyperscan(ours, expression, flags)
        except ours.CompilerError:
            refused += 1
            continue
        for _ in range(6):
            text = "".join(draw.choice(LETTERS) for _ in range(draw.randint(0, 7)))
            data = text.encode() if flags & 32 else text.encode("latin-1", "replace")
            expected = ids(theirs, their, data)
            assert ids(ours, our, data) == expected, (expression, flags, data)
            compared += 1
            matching += bool(expected)
    assert compared > 1_500 and matching > 300 and refused < compared // 6


def test_literals() -> None:
    db = ours.Database()
    db.compile([b"a.b", rb"(\d"], flags=8 | ours.HS_FLAG_CASELESS, literal=True)
    assert ids(ours, db, rb"A.B") == [0]
    assert ids(ours, db, rb"(\D axb") == [1]
