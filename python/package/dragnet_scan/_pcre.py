"""Translates expressions in the syntax of PCRE, as Hyperscan reads it, to that of Rust's regex crate.

The two syntaxes look alike and differ in many places: the members of \\v, classes in classes, white space
in classes with (?x), and bytes that are no ASCII, to name some. So the translator does not edit the text.
It parses the expression, resolves every character, escape and class to a set of numbers, folds the case of
sets itself, and writes the result with explicit ranges, for example `(?i)k\\d` as `[Kk][0-9]` (with the
characters as numbers). Only concatenation, alternation, repetition and assertions are left to the regex
crate, which has them in common with PCRE. What the parser does not know, it refuses.

The sets are Hyperscan's, as tests/test_hyperscan.py finds them by scans for each byte and character.
Members of \\w, \\d and \\s of Unicode, of \\p{..}, and the case of characters that are no ASCII depend on the
version of Unicode, which is not the same for both libraries. They are refused.

A translation matches the same records, but not at the same offsets: `$` without HS_FLAG_MULTILINE, which
also matches before a last line feed, consumes that line feed.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# Ranges of numbers of bytes or, with utf8, of characters: first and last.
_Ranges = list[tuple[int, int]]

_LOWER, _UPPER, _DIGIT = (0x61, 0x7A), (0x41, 0x5A), (0x30, 0x39)

_POSIX: dict[str, _Ranges] = {
    "alnum": [_DIGIT, _UPPER, _LOWER],
    "alpha": [_UPPER, _LOWER],
    "ascii": [(0, 0x7F)],
    "blank": [(9, 9), (0x20, 0x20)],
    "cntrl": [(0, 0x1F), (0x7F, 0x7F)],
    "digit": [_DIGIT],
    "graph": [(0x21, 0x7E)],
    "lower": [_LOWER],
    "print": [(0x20, 0x7E)],
    "punct": [(0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)],
    "space": [(9, 0xD), (0x20, 0x20)],
    "upper": [_UPPER],
    "word": [_DIGIT, _UPPER, (0x5F, 0x5F), _LOWER],
    "xdigit": [_DIGIT, (0x41, 0x46), (0x61, 0x66)],
}

# The sets of escapes. Those of h and v have more members among characters than among bytes.
_ESCAPED_SETS: dict[str, _Ranges] = {
    "d": _POSIX["digit"],
    "h": [(9, 9), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x180E, 0x180E), (0x2000, 0x200A),
          (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000)],
    "s": _POSIX["space"],
    "v": [(0xA, 0xD), (0x85, 0x85), (0x2028, 0x2029)],
    "w": _POSIX["word"],
}  # fmt: skip

_ESCAPED_CODES = {"a": 7, "e": 0x1B, "f": 0xC, "n": 0xA, "r": 0xD, "t": 9}

# Groups in one another. The regex crate has a limit of 250 for all that nests.
_MAX_DEPTH = 100

_GROUP = re.compile(r"\((?:\?(?::|P?<[A-Za-z_]\w*>|'[A-Za-z_]\w*'))?(?![?*])", re.ASCII)
_FLAGS = re.compile(r"\(\?(?=[ims-])([ims]*)(-[ims]+)?([:)])")
_COMMENT = re.compile(r"\(\?#[^)]*\)")
_REPEAT = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})", re.ASCII)
_HEX = re.compile(r"x(?:\{([0-9A-Fa-f]{1,6})\}|(?!\{)([0-9A-Fa-f]{0,2}))")
_OCTAL = re.compile(r"(0[0-7]{0,2})")
_POSIX_CLASS = re.compile(r"\[:(\^?)([a-z]+):\]")


class Unsupported(Exception):
    """What the translator does not know, or what would match other records."""


class Translation(NamedTuple):
    regex: str
    # Has a ^ for all lines. PCRE's does not match at the end of a record, after its last line feed. That of
    # the regex crate does, which makes a difference if the expression can match the empty string.
    starts_lines: bool


class _Flags(NamedTuple):
    """The flags i, m and s of the place in the expression."""

    i: bool
    m: bool
    s: bool


class _Part(NamedTuple):
    """The translation of a part of the expression."""

    regex: str
    # Whether a repetition may follow.
    can_repeat: bool = True
    # Whether the part matches the start of lines, or the end of the record by consuming a line feed.
    starts_lines: bool = False
    ends_record: bool = False


def translate(
    text: str, *, caseless: bool, multiline: bool, dotall: bool, utf8: bool, ucp: bool
) -> Translation:
    """Translates an expression. Each character of text is a byte unless utf8 is set."""
    parser = _Parser(text, utf8, ucp)
    part = parser.alternatives(_Flags(caseless, multiline, dotall))
    if parser.at < len(text):
        raise parser.unsupported("a closing parenthesis without an opening one")
    return Translation(f"(?u:{part.regex})" if utf8 else part.regex, part.starts_lines)


def translate_literal(text: str, *, caseless: bool) -> str:
    """Translates a string of bytes."""
    parser = _Parser(text, False, False)
    flags = _Flags(caseless, False, False)
    return "".join(parser.one_of(parser.fold(ord(c), ord(c), flags)) for c in text)


class _Parser:
    def __init__(self, text: str, utf8: bool, ucp: bool) -> None:
        self.text = text
        self.at = 0
        self.utf8 = utf8
        self.ucp = ucp
        self.depth = 0
        self.last = 0x10FFFF if utf8 else 0xFF

    def unsupported(self, reason: str) -> Unsupported:
        return Unsupported(f"not supported: {reason}, at offset {self.at}")

    def take(self, start: str) -> bool:
        """Whether the rest of the text has this start, which is skipped then."""
        found = self.text.startswith(start, self.at)
        self.at += len(start) if found else 0
        return found

    def take_match(self, regex: re.Pattern[str]) -> re.Match[str] | None:
        """The match of regex here, which is skipped then."""
        found = regex.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def alternatives(self, flags: _Flags) -> _Part:
        """Parses until the end of the group."""
        done: list[str] = []
        parts: list[_Part] = []
        starts_lines = ends_record = is_at_end = False
        is_at_start = True
        while True:
            if self.at == len(self.text) or self.text[self.at] in "|)":
                done.append("".join(part.regex for part in parts))
                parts, is_at_start, is_at_end = [], True, False
                if self.take("|"):
                    continue
                return _Part("|".join(done), True, starts_lines, ends_record)
            if self.take_match(_COMMENT):
                continue
            if count := self.take_match(_REPEAT):
                self.repeat(parts, count.group())
                continue
            if found := self.take_match(_FLAGS):
                inner = flags._replace(**dict.fromkeys(found.group(1), True))
                inner = inner._replace(**dict.fromkeys((found.group(2) or "")[1:], False))
                if found.group(3) == ")":
                    # Until the end of the group, also in its next alternatives.
                    flags = inner
                    parts.append(_Part("", can_repeat=False))
                    continue
                part = self.group(inner)
            elif self.take_match(_GROUP):
                part = self.group(flags)
            else:
                part = self.atom(flags)
            if is_at_end:
                raise self.unsupported("$ or \\Z before the end of the expression")
            if part.starts_lines and not is_at_start:
                raise self.unsupported("^ with HS_FLAG_MULTILINE after the start of the expression")
            parts.append(part)
            is_at_start, is_at_end = False, part.ends_record
            starts_lines |= part.starts_lines
            ends_record |= part.ends_record

    def group(self, flags: _Flags) -> _Part:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise self.unsupported(f"more than {_MAX_DEPTH} groups in one another")
        part = self.alternatives(flags)
        self.depth -= 1
        if not self.take(")"):
            raise self.unsupported("a group without an end")
        return part._replace(regex=f"(?:{part.regex})")

    def repeat(self, parts: list[_Part], count: str) -> None:
        """Repeats the last part."""
        if not parts or not parts[-1].can_repeat:
            raise self.unsupported(f"{count} after nothing that it could repeat")
        part = parts.pop()
        if part.starts_lines or part.ends_record:
            raise self.unsupported(f"{count} after a group with ^ or $")
        # Which way is preferred makes no difference.
        self.take("?")
        parts.append(_Part(part.regex + count, can_repeat=False))

    def atom(self, flags: _Flags) -> _Part:
        c = self.text[self.at]
        if c == "^":
            self.at += 1
            regex = "(?m:^)" if flags.m else r"\A"
            return _Part(regex, can_repeat=False, starts_lines=flags.m)
        if c == "$":
            self.at += 1
            if flags.m:
                return _Part("(?m:$)", can_repeat=False)
            return _Part(r"(?:\n?\z)", can_repeat=False, ends_record=True)
        if c == ".":
            self.at += 1
            return _Part(self.one_of([(0, 0x10FFFF)] if flags.s else self.complement([(0xA, 0xA)])))
        if self.take("["):
            return _Part(self.one_of(self.members(flags)))
        if c == "\\":
            assertion = self.assertion()
            if assertion is not None:
                return assertion
        elif c == "(":
            raise self.unsupported("this group")
        item = self.item(flags)
        return _Part(self.one_of(self.fold(item, item, flags) if isinstance(item, int) else item))

    def assertion(self) -> _Part | None:
        """An assertion that is written as an escape."""
        regexes = {"A": r"\A", "z": r"\z", "Z": r"(?:\n?\z)", "b": r"(?-u:\b)", "B": r"(?-u:\B)"}
        letter = self.text[self.at + 1 : self.at + 2]
        if letter not in regexes:
            return None
        if self.ucp and letter in "bB":
            raise self.unsupported(f"\\{letter} with HS_FLAG_UCP")
        self.at += 2
        return _Part(regexes[letter], can_repeat=False, ends_record=letter == "Z")

    def members(self, flags: _Flags) -> _Ranges:
        """Parses a class after its opening bracket."""
        negated = self.take("^")
        found: _Ranges = []
        is_first = True
        while is_first or not self.take("]"):
            is_first = False
            item = self.item(flags, in_class=True)
            if isinstance(item, int):
                if not self.take_dash():
                    found += self.fold(item, item, flags)
                    continue
                end = self.item(flags, in_class=True)
                if not isinstance(end, int) or end < item:
                    raise self.unsupported("a range in a class that does not end with a later character")
                found += self.fold(item, end, flags)
            else:
                found += item
            # After a set or a range it is a character.
            if self.take_dash():
                found.append((0x2D, 0x2D))
                if self.text.startswith("-", self.at) and not self.text.startswith("-]", self.at):
                    raise self.unsupported("several - in a row in a class")
        return self.complement(found) if negated else found

    def take_dash(self) -> bool:
        """Whether a - follows that is not the last character of its class. It is skipped then."""
        return not self.text.startswith("-]", self.at) and self.take("-")

    def item(self, flags: _Flags, in_class: bool = False) -> int | _Ranges:
        """Parses a character, or a set that has a name or an escape."""
        if self.at == len(self.text):
            raise self.unsupported("a class without an end")
        if in_class and self.text.startswith(("[:", "[.", "[="), self.at):
            posix = self.take_match(_POSIX_CLASS)
            if posix is None or posix.group(2) not in _POSIX:
                raise self.unsupported("this class in a class")
            name = posix.group(2)
            if flags.i and name in ("upper", "lower"):
                name = "alpha"
            return self.named(_POSIX[name], bool(posix.group(1)), f"[:{name}:]")
        c = self.text[self.at]
        if c == "\0":
            raise self.unsupported("a NUL character, with which an expression of Hyperscan ends")
        self.at += 1
        if c != "\\":
            return ord(c)
        if found := self.take_match(_HEX) or self.take_match(_OCTAL):
            digits = found.group(1) or found.group(2) or "0"
            number = int(digits, 8 if found.re is _OCTAL else 16)
            if number > self.last or (self.utf8 and 0xD800 <= number <= 0xDFFF):
                raise self.unsupported(f"the number {number:#x} of a {'character' if self.utf8 else 'byte'}")
            return number
        escaped = self.text[self.at : self.at + 1]
        self.at += 1
        if escaped == "b" and in_class:
            return 8
        if escaped in _ESCAPED_CODES:
            return _ESCAPED_CODES[escaped]
        if escaped.lower() in _ESCAPED_SETS:
            return self.named(_ESCAPED_SETS[escaped.lower()], escaped.isupper(), f"\\{escaped}")
        if not re.match(r"[^\w\s\0]|_| ", escaped, re.ASCII) or not escaped.isascii():
            raise self.unsupported(f"\\{escaped}")
        return ord(escaped)

    def named(self, ranges: _Ranges, negated: bool, name: str) -> _Ranges:
        """A set that has a name, or what is not in it."""
        if self.ucp and name[1:] not in ("h", "H", "v", "V"):
            raise self.unsupported(f"{name} with HS_FLAG_UCP")
        return self.complement(ranges) if negated else ranges

    def fold(self, first: int, last: int, flags: _Flags) -> _Ranges:
        """A range of characters, with their other cases if case makes no difference."""
        ranges = [(first, last)]
        if not flags.i:
            return ranges
        if self.utf8 and last >= 0x80:
            raise self.unsupported("a character that is no ASCII with HS_FLAG_CASELESS and HS_FLAG_UTF8")
        for (low, high), distance in ((_LOWER, -0x20), (_UPPER, 0x20)):
            letters = (max(first, low), min(last, high))
            if letters[0] <= letters[1]:
                ranges.append((letters[0] + distance, letters[1] + distance))
        # The Kelvin sign and the long s.
        for letter, other in ((0x6B, 0x212A), (0x73, 0x17F)):
            if self.utf8 and any(low <= letter <= high for low, high in ranges):
                ranges.append((other, other))
        return ranges

    def complement(self, ranges: _Ranges) -> _Ranges:
        found: _Ranges = []
        at = 0
        for first, last in sorted(ranges):
            if at < first:
                found.append((at, first - 1))
            at = max(at, last + 1)
        return [*found, (at, 0x10FFFF)]

    def one_of(self, ranges: _Ranges) -> str:
        """The class of the regex crate for these members."""
        members = [(first, min(last, self.last)) for first, last in ranges]
        members = [r for r in members if r[0] <= r[1] and not 0xD800 <= r[0] <= r[1] <= 0xDFFF]
        if not members:
            raise self.unsupported("a class without members")
        digits = "\\x{{{:X}}}" if self.utf8 else "\\x{:02X}"
        if len(members) == 1 and members[0][0] == members[0][1]:
            return digits.format(members[0][0])
        # A bound of a range can't be a surrogate. There are none in UTF-8.
        return "[" + "".join(
            digits.format(0xE000 if 0xD800 <= first <= 0xDFFF else first)
            + "-" + digits.format(0xD7FF if 0xD800 <= last <= 0xDFFF else last)
            for first, last in members
        ) + "]"
