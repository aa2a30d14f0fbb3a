"""Arguments out of range: an answer or an exception that says what is wrong, never an abort."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from dragnet_scan import Column, Match, PatternError, PatternSet, hyperscan

RULES = PatternSet([r"(?P<word>a)b?", "c"], names=["word", None])
TEXT = "ab c"
NUMBERS = [-1, 0, 2**31, 2**61, 2**63, 2**64]
SURROGATE = "a\ud800"
MANY = ["is_match_many", "matches_many", "finditer_many", "captures_many", "redact_many"]


@pytest.mark.parametrize("threads", NUMBERS)
@pytest.mark.parametrize("method", MANY)
def test_threads(method: str, threads: int) -> None:
    scan: Any = getattr(RULES, method)
    if threads < 1:
        with pytest.raises(ValueError, match="threads must be at least 1"):
            scan([TEXT], threads=threads)
    else:
        assert scan([TEXT, None], threads=threads).to_list() == scan([TEXT, None]).to_list()
        assert scan([], threads=threads).to_list() == []


@pytest.mark.parametrize("threads", [1.5, "1", None])
def test_threads_of_other_types(threads: Any) -> None:
    with pytest.raises(TypeError):
        RULES.matches_many([TEXT], threads=threads)


def test_progress_must_be_a_function() -> None:
    with pytest.raises(TypeError, match="progress must be a function, not int"):
        RULES.matches_many([TEXT], progress=1)  # type: ignore


@pytest.mark.parametrize("number", NUMBERS)
def test_groups_of_a_match(number: int) -> None:
    match = next(RULES.captures(TEXT))
    for method in (match.start, match.end, match.span, match.group, match.__getitem__):
        if number == 0:
            method(number)
        else:
            with pytest.raises(IndexError, match="no such group"):
                method(number)


def test_names_of_groups() -> None:
    match = next(RULES.captures(TEXT))
    assert match["word"] == "a"
    for name in ("", "other", SURROGATE):
        with pytest.raises(IndexError, match="no such group"):
            match.group(name)
    for other in (1.5, None, b"word"):
        with pytest.raises(TypeError, match="number or name of a group"):
            match.group(other)  # type: ignore


@pytest.mark.parametrize("number", NUMBERS)
def test_groups_to_report(number: int) -> None:
    if number == 0:
        assert PatternSet(["a"], report_groups=[number]).report_groups == [0]
    elif number < 0:
        with pytest.raises(ValueError, match="negative"):
            PatternSet(["a"], report_groups=[number])
    else:
        with pytest.raises(PatternError, match=r"^pattern 0 \(n\)"):
            PatternSet(["(a)"], names=["n"], report_groups=[number])


def test_groups_to_report_are_one_for_each_pattern() -> None:
    with pytest.raises(ValueError, match="1 report_groups for 2 patterns"):
        PatternSet(["a", "b"], report_groups=[0])
    with pytest.raises(TypeError):
        PatternSet(["a"], report_groups=["0"])  # type: ignore


@pytest.mark.parametrize("number", NUMBERS)
def test_indices_of_a_column(number: int) -> None:
    column = RULES.matches_many([TEXT])
    if number in (0, -1):
        assert column[number] == [0, 1]
    else:
        with pytest.raises(IndexError):
            column[number]
    for other in NUMBERS:
        assert column[number:other] == [[0, 1]][number:other]
        if number != 0:
            assert column[other::number] == [[0, 1]][other::number]
            assert column[:other:number] == [[0, 1]][:other:number]


@pytest.mark.parametrize("method", ["is_match", "matches", "finditer", "captures", "redact"])
def test_surrogates_in_a_string(method: str) -> None:
    with pytest.raises(UnicodeEncodeError):
        getattr(RULES, method)(SURROGATE)


@pytest.mark.parametrize("method", MANY)
def test_surrogates_in_a_list(method: str) -> None:
    with pytest.raises(UnicodeEncodeError):
        getattr(RULES, method)(["ok", SURROGATE])


def test_surrogates_in_other_arguments() -> None:
    with pytest.raises(UnicodeEncodeError):
        PatternSet(["ok", SURROGATE])
    with pytest.raises(UnicodeEncodeError):
        PatternSet(["ok"], names=[SURROGATE])
    with pytest.raises(UnicodeEncodeError):
        RULES.redact(TEXT, SURROGATE)
    with pytest.raises(UnicodeEncodeError):
        RULES.redact_many([TEXT], replacement=SURROGATE)


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_of_the_module_hyperscan(number: int) -> None:
    db = hyperscan.Database()
    if 0 <= number < 2**32:
        db.compile([b"a"], ids=[number], flags=8)
        found: list[int] = []
        db.scan(b"a", lambda id, start, end, flags, context: found.append(id))
        assert found == [number]
    else:
        with pytest.raises(hyperscan.InvalidError):
            db.compile([b"a"], ids=[number], flags=8)
    for arguments in ({"flags": number}, {"flags": [number]}, {"flags": 8, "elements": number}):
        with pytest.raises(hyperscan.InvalidError):
            db.compile([b"a"], **arguments)
    if number != 0:
        with pytest.raises(hyperscan.InvalidError):
            hyperscan.Database(mode=number)


def test_surrogates_in_the_module_hyperscan() -> None:
    db = hyperscan.Database()
    with pytest.raises(hyperscan.CompilerError, match="expression 1 "):
        db.compile(["a", SURROGATE], flags=8)
    db.compile(["a"], flags=8)
    with pytest.raises(UnicodeEncodeError):
        db.scan(SURROGATE, lambda *arguments: None)


def test_classes_take_a_type() -> None:
    assert get_args(Match[bytes]) == (bytes,)
    assert get_args(Column[bool]) == (bool,)
