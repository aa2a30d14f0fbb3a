"""The matches themselves: against re, and against the oracle of the Rust tests."""

from __future__ import annotations

import json
import os
import re
from typing import Any, AnyStr, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dragnet_scan import Match, PatternSet

try:
    import pyarrow as pa
except ImportError:
    pa = None

# What both syntaxes read in the same way. What is repeated can't match the empty string, since the two
# end empty loops differently, and has no loop in it, which takes re exponential time.
ATOMS = ["a", "b", "é", "🙂", "ab", ".", "[ab]", "[^a]", r"\w", r"\d", r"\s", r"\W", r"[a-cé]", "7"]
LOOKS = ["^", r"\b", r"\B", r"\A", "(?m:^)"]
LETTERS = "aabbcéÉ🙂7 \nB"

atoms = st.sampled_from(ATOMS)
repeated = st.tuples(atoms, st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "*?", "+?", "??"])).map("".join)
pieces = st.one_of(atoms, repeated, repeated, st.sampled_from(LOOKS))
sequences = st.lists(pieces, min_size=1, max_size=4).map("".join)
patterns = st.one_of(
    sequences,
    st.lists(sequences, min_size=2, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
    sequences.map(lambda inner: f"(?i:{inner})"),
    sequences.map(lambda inner: f"(?s:{inner})"),
)
# Not empty: before Python 3.14, \\B does not match in an empty string.
texts = st.text(alphabet=LETTERS, min_size=1, max_size=20)


def spans(regex: "re.Pattern[AnyStr]", text: AnyStr) -> Iterator[tuple[int, int]]:
    """The matches of regex, without empty ones that touch the match before, which re also finds."""
    at, last = 0, -1
    while at <= len(text):
        match = regex.search(text, at)
        if match is None:
            return
        start, end = match.span()
        if start == end == last:
            at += 1
            continue
        yield start, end
        at = last = end


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(patterns, min_size=1, max_size=6), st.lists(st.none() | texts, max_size=5))
def test_each_pattern_matches_as_in_re(regexes: list[str], records: list[str | None]) -> None:
    rules = PatternSet(regexes)
    compiled = [re.compile(regex) for regex in regexes]
    expected = [
        None
        if text is None
        else [(i, *span) for i, regex in enumerate(compiled) for span in spans(regex, text)]
        for text in records
    ]
    assert rules.finditer_many(records).to_list() == expected
    which = [None if row is None else sorted({m[0] for m in row}) for row in expected]
    assert rules.matches_many(records, threads=2).to_list() == which
    assert rules.is_match_many(records).to_list() == [None if row is None else row != [] for row in which]
    for text, row in zip(records, expected):
        if text is not None:
            assert [(m.pattern, *m.span()) for m in rules.finditer(text)] == row
            assert rules.is_match(text) == (row != [])


@settings(max_examples=150, deadline=None)
@given(patterns.filter(str.isascii), st.text(alphabet="aabbc7 \nB", min_size=1, max_size=20))
def test_bytes_match_as_in_re(regex: str, text: str) -> None:
    data = text.encode()
    expected = list(spans(re.compile(regex.encode()), data))
    assert [m.span() for m in PatternSet([regex], unicode=False).finditer(data)] == expected


@settings(max_examples=150, deadline=None)
@given(st.lists(sequences, min_size=1, max_size=4), texts)
def test_groups_are_those_of_re(parts: list[str], text: str) -> None:
    regex = "".join(f"({part})" for part in parts)
    compiled = re.compile(regex)
    found = list(PatternSet([regex]).captures(text))
    assert [m.span() for m in found] == list(spans(compiled, text))
    for m in found:
        expected = compiled.match(text, m.start())
        assert expected is not None
        assert m.groups() == expected.groups()
        assert [m.span(i) for i in range(len(parts) + 1)] == [expected.span(i) for i in range(len(parts) + 1)]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(sequences, min_size=1, max_size=3), min_size=1, max_size=3),
    st.lists(st.none() | texts, max_size=4),
    st.booleans(),
)
def test_groups_in_many_records_are_those_of_re(
    regexes: list[list[str]], records: list[str | None], takes_part: bool
) -> None:
    patterns = ["".join(f"({part})" + ("" if takes_part else "?") for part in parts) for parts in regexes]
    rules = PatternSet(patterns)
    expected = [
        None
        if text is None
        else [
            (number, [None if span == (-1, -1) else span for span in groups_at(regex, text, start)])
            for number, regex in enumerate(map(re.compile, patterns))
            for start, _ in spans(regex, text)
        ]
        for text in records
    ]
    assert rules.captures_many(records, threads=2).to_list() == expected
    # In bytes, which are other offsets.
    data = [None if text is None else text.encode() for text in records]
    in_bytes = [
        None
        if text is None
        else [(m.pattern, [None if s == (-1, -1) else s for s in all_spans(m)]) for m in rules.captures(text)]
        for text in data
    ]
    assert rules.captures_many(data).to_list() == in_bytes
    if pa is None:
        return
    column = rules.captures_many(pa.array(records, type=pa.string_view()))
    assert column.to_list() == in_bytes
    array = pa.array(column)
    array.validate(full=True)
    assert array.to_pylist() == [
        None
        if row is None
        else [
            {"pattern": n, "groups": [None if g is None else {"start": g[0], "end": g[1]} for g in groups]}
            for n, groups in row
        ]
        for row in in_bytes
    ]


def groups_at(regex: "re.Pattern[str]", text: str, start: int) -> list[tuple[int, int]]:
    match = regex.match(text, start)
    assert match is not None
    return [match.span(i) for i in range(regex.groups + 1)]


def all_spans(match: "Match[AnyStr]") -> list[tuple[int, int]]:
    return [match.span(i) for i in range(len(match.groups()) + 1)]


@settings(max_examples=150, deadline=None)
@given(st.lists(sequences, min_size=1, max_size=3), st.integers(0, 3), texts)
def test_a_reported_group_is_that_of_re(parts: list[str], group: int, text: str) -> None:
    regex = "".join(f"({part})?" for part in parts)
    group %= len(parts) + 1
    rules = PatternSet([regex, "a"], report_groups=[group, 0])
    compiled = re.compile(regex)
    whole = list(spans(compiled, text))
    reported: list[tuple[int, int]] = []
    for start, end in whole:
        span = groups_at(compiled, text, start)[group]
        span = (start, end) if span == (-1, -1) else span
        # An empty group that ends one match and starts the next one is reported once.
        if not reported or span != reported[-1]:
            reported.append(span)
    assert [m.span() for m in rules.finditer(text) if m.pattern == 0] == reported
    in_many = rules.finditer_many([text])[0] or []
    assert [m[1:] for m in in_many if m[0] == 0] == reported
    # The groups are those of whole matches, whichever is reported.
    everything = PatternSet([regex, "a"])
    assert [all_spans(m) for m in rules.captures(text)] == [all_spans(m) for m in everything.captures(text)]
    assert rules.captures_many([text]).to_list() == everything.captures_many([text]).to_list()
    assert rules.matches(text) == everything.matches(text)
    hidden: set[int] = set()
    for start, end in reported:
        hidden.update(range(start, end))
    alone = PatternSet([regex], report_groups=[group])
    assert alone.redact(text, "") == "".join(c for i, c in enumerate(text) if i not in hidden)


@settings(max_examples=100, deadline=None)
@given(st.lists(patterns, min_size=1, max_size=4), texts)
def test_redaction_hides_what_matches(regexes: list[str], text: str) -> None:
    hidden = [False] * len(text)
    rules = PatternSet(regexes)
    for m in rules.finditer(text):
        hidden[m.start() : m.end()] = [True] * (m.end() - m.start())
    kept = "".join(c for c, is_hidden in zip(text, hidden) if not is_hidden)
    assert rules.redact(text, "") == kept
    assert rules.redact_many([text, None], replacement="").to_list() == [kept, None]


def test_against_the_oracle() -> None:
    """Compares with the output of the example oracle_answers of dragnet-testkit."""
    path = os.environ.get("DRAGNET_ORACLE_ANSWERS")
    if path is None:
        pytest.skip("DRAGNET_ORACLE_ANSWERS names no file")
    with open(path) as lines:
        cases = [json.loads(line) for line in lines]
    assert len(cases) > 100
    together = PatternSet([case["regex"] for case in cases], unicode=False)
    matching = 0
    for number, case in enumerate(cases):
        alone = PatternSet([case["regex"]], unicode=False)
        records = [text.encode("latin-1") for text, _ in case["records"]]
        # For each record, for each match, the span of each group.
        expected = [[list(map(tuple, groups)) for groups in found] for _, found in case["records"]]
        spans_only = [[groups[0] for groups in found] for found in expected]
        for record, wanted, whole in zip(records, expected, spans_only):
            assert [m.span() for m in alone.finditer(record)] == whole, (case["regex"], record)
            groups = [[m.span(i) for i in range(len(m.groups()) + 1)] for m in alone.captures(record)]
            assert groups == wanted, (case["regex"], record)
        in_many = [
            [[span or (-1, -1) for span in groups] for _, groups in row or []]
            for row in alone.captures_many(records).to_list()
        ]
        assert in_many == expected, case["regex"]
        found = together.finditer_many(records).to_list()
        mine = [[m[1:] for m in row or [] if m[0] == number] for row in found]
        assert mine == spans_only, case["regex"]
        matching += any(expected)
    assert matching > len(cases) // 4
