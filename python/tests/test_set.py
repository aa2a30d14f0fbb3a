"""The API for one string, and what a set promises."""

from __future__ import annotations

import copy
import doctest
import pickle
import re
import threading

import pytest

import dragnet_scan
from dragnet_scan import Match, PatternError, PatternSet


def test_docs_examples_run() -> None:
    result = doctest.testmod(dragnet_scan, extraglobs={})
    assert result.failed == 0
    assert result.attempted >= 8


def test_offsets_are_characters_of_str_and_bytes_of_bytes() -> None:
    rules = PatternSet(["é+", r"\w+", "z"], names=["accents", None, "z"])
    text = "a 🙂éé z"
    spans = [(m.pattern, m.span(), m.group()) for m in rules.finditer(text)]
    assert spans == [
        (0, (3, 5), "éé"),
        (1, (0, 1), "a"),
        (1, (3, 5), "éé"),
        (1, (6, 7), "z"),
        (2, (6, 7), "z"),
    ]
    assert all(text[m.start() : m.end()] == m.group() for m in rules.finditer(text))
    data = text.encode()
    assert [m.span() for m in rules.finditer(data) if m.pattern == 0] == [(6, 10)]
    assert all(data[m.start() : m.end()] == m.group() for m in rules.finditer(data))
    assert rules.finditer_many([text]).to_list() == [[(p, s, e) for p, (s, e), _ in spans]]
    assert [m.name for m in rules.finditer(text)] == ["accents", None, None, None, "z"]


def test_offsets_in_long_text() -> None:
    text = "xé🙂" * 1000
    rules = PatternSet(["🙂"])
    assert [m.start() for m in rules.finditer(text)] == list(range(2, 3000, 3))
    expected = [(0, start, start + 1) for start in range(2, 3000, 3)]
    assert rules.finditer_many([text])[0] == expected


def test_parts_of_characters_are_widened() -> None:
    rules = PatternSet([r"[\x80-\xFF]"], unicode=False)
    assert [m.span() for m in rules.finditer("aé")] == [(1, 2), (1, 2)]
    assert [m.span() for m in rules.finditer("aé".encode())] == [(1, 2), (2, 3)]
    # An empty match inside of a character is none.
    assert [m.span() for m in PatternSet([""]).finditer("é")] == [(0, 0), (1, 1)]
    assert PatternSet([""]).finditer_many(["é"]).to_list() == [[(0, 0, 0), (0, 1, 1)]]


def test_groups() -> None:
    rules = PatternSet([r"(?P<key>[a-zé]+)=(\d+)?(x)?", r"\d"], names=["pair", None])
    text = "🙂 é=x b=12"
    found = list(rules.captures(text))
    assert [(m.pattern, m.name, m.span()) for m in found] == [
        (0, "pair", (2, 5)),
        (0, "pair", (6, 10)),
        (1, None, (8, 9)),
        (1, None, (9, 10)),
    ]
    first, second = found[:2]
    assert first.groups() == ("é", None, "x")
    assert (first["key"], first[2], first.span("key"), first.span(2)) == ("é", None, (2, 3), (-1, -1))
    assert second.groupdict() == {"key": "b"}
    assert (second.start(2), second.end(2), second.group(2), second.group()) == (8, 10, "12", "b=12")
    assert [m.group(1) for m in rules.captures(text.encode()) if m.pattern == 0] == ["é".encode(), b"b"]
    assert found[2].groups() == ()
    for group in (4, "other"):
        with pytest.raises(IndexError, match="no such group"):
            first.group(group)
    with pytest.raises(IndexError, match="only captures"):
        next(rules.finditer(text)).group(1)
    assert list(rules.captures("")) == []


def test_unicode_is_a_choice() -> None:
    assert PatternSet([r"^\w$"]).is_match("é")
    assert not PatternSet([r"^\w$"], unicode=False).is_match("é")
    assert PatternSet([r"(?u)^\w$"], unicode=False).is_match("é")


def test_errors_name_each_pattern_and_position() -> None:
    with pytest.raises(PatternError) as info:
        PatternSet(["ok", "é(b", "[z-a]"], names=[None, "open", None])
    assert isinstance(info.value, ValueError)
    assert [error[:4] for error in info.value.errors] == [
        (1, "open", "é(b", (1, 2)),
        (2, None, "[z-a]", (1, 4)),
    ]
    assert str(info.value).startswith("pattern 1 (open): unclosed group")


@pytest.mark.parametrize("bad", [None, 1, ["a"], bytearray(b"a")])
def test_other_types_are_errors(bad: object) -> None:
    rules = PatternSet(["a"])
    for method in (rules.is_match, rules.matches, rules.finditer):
        with pytest.raises(TypeError, match="expected str or bytes"):
            method(bad)  # type: ignore


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="1 names for 2 patterns"):
        PatternSet(["a", "b"], names=["a"])
    with pytest.raises(ValueError, match="at least 1"):
        PatternSet(["a"]).is_match_many(["a"], threads=0)
    with pytest.raises(UnicodeEncodeError):
        PatternSet(["a"]).is_match("\ud800")
    with pytest.raises(UnicodeEncodeError):
        PatternSet(["a"]).is_match_many(["\ud800"])


def test_a_set_can_be_copied_and_pickled() -> None:
    rules = PatternSet([r"\w", "b"], names=["word", None], unicode=False)
    for other in (copy.copy(rules), copy.deepcopy(rules), pickle.loads(pickle.dumps(rules))):
        assert (other.patterns, other.names) == (rules.patterns, rules.names)
        assert other.matches("b") == [0, 1]
        assert not other.is_match("é")


def test_an_empty_set_matches_nothing() -> None:
    rules = PatternSet([])
    assert len(rules) == 0
    assert rules.matches("a") == []
    assert rules.finditer_many(["a", None]).to_list() == [[], None]


def test_four_threads_share_one_set() -> None:
    rules = PatternSet([rf"word({i})\b" for i in range(100)])
    texts = [f"word{i % 100} and word{i % 7}" for i in range(500)]
    expected = [sorted({i % 100, i % 7}) for i in range(500)]
    groups = [
        [(m.pattern, [m.span(0), m.span(1)]) for m in rules.captures(text)] for text in texts
    ]
    assert groups[0] == [(0, [(0, 5), (4, 5)]), (0, [(10, 15), (14, 15)])]
    failures: list[int] = []

    def search() -> None:
        for _ in range(5):
            if [rules.matches(text) for text in texts] != expected:
                failures.append(1)
            if rules.matches_many(texts, threads=2).to_list() != expected:
                failures.append(2)
            if rules.captures_many(texts, threads=2).to_list() != groups:
                failures.append(3)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_repr() -> None:
    match = next(PatternSet(["b"], names=["it's"]).finditer(b"ab"))
    assert isinstance(match, Match)
    annotated: Match[bytes] = match
    assert annotated.string == b"ab"
    assert re.search(r"pattern=0, name=\"it's\", span=\(1, 2\), match=b'b'", repr(match))
