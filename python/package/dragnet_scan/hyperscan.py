"""Database.compile() and scan() of python-hyperscan in block mode, to try dragnet by changing an import.

>>> from dragnet_scan import hyperscan
>>> db = hyperscan.Database()
>>> db.compile(expressions=[b"fo+", b"bar$"], ids=[7, 9], flags=hyperscan.HS_FLAG_SINGLEMATCH)
>>> db.scan(b"foo bar", match_event_handler=lambda id, start, end, flags, context: print(id))
7
9

Hyperscan reports a match at each offset where one ends. dragnet does not compute these, but which
expressions match: what HS_FLAG_SINGLEMATCH asks for. So the ids are the same as Hyperscan's, and

- each expression needs HS_FLAG_SINGLEMATCH. Without it, compile() raises an error.
- `end` is the end of the expression's first match as re would find it, the leftmost one. Hyperscan's is
  the smallest offset where any match ends: 1 rather than 2 for `a+` in `aa`. `start` is 0 in both.
- The order of the calls is by id in the order of the expressions, not by end.
- HS_FLAG_PREFILTER changes nothing, since no expression is approximated. HS_FLAG_SOM_LEFTMOST,
  HS_FLAG_COMBINATION, HS_FLAG_QUIET, `ext`, chimera, and the modes other than HS_MODE_BLOCK are errors.
- Expressions are PCRE's, in the syntax that it shares with Rust's regex crate. What only one of the two
  has is an error, and so is `$` before anything but the end of an alternative.
- A database is not limited to one scan at a time, and needs no scratch space.

PatternSet does more: spans, many records at once, and threads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from ._native import PatternError, PatternSet

HS_FLAG_CASELESS = 1
HS_FLAG_DOTALL = 2
HS_FLAG_MULTILINE = 4
HS_FLAG_SINGLEMATCH = 8
HS_FLAG_ALLOWEMPTY = 16
HS_FLAG_UTF8 = 32
HS_FLAG_UCP = 64
HS_FLAG_PREFILTER = 128
HS_FLAG_SOM_LEFTMOST = 256
HS_FLAG_COMBINATION = 512
HS_FLAG_QUIET = 1024
HS_MODE_BLOCK = 1
HS_MODE_STREAM = 2
HS_MODE_VECTORED = 4

# Flags that change what is reported beyond which expressions match.
_REFUSED = HS_FLAG_SOM_LEFTMOST | HS_FLAG_COMBINATION | HS_FLAG_QUIET


class error(Exception):
    """Base class of the errors of this module."""


class InvalidError(error):
    """An argument that this module does not support."""


class CompilerError(error):
    """An expression that can't be compiled."""


class ScanTerminated(error):
    """The match event handler has ended the scan."""


HyperscanError = error


class Database:
    """Expressions that are searched for together, in blocks."""

    def __init__(self, scratch: object = None, mode: int = HS_MODE_BLOCK, chimera: bool = False) -> None:
        if mode not in (0, HS_MODE_BLOCK) or chimera:
            raise InvalidError("only HS_MODE_BLOCK is supported, without chimera")
        self.mode = HS_MODE_BLOCK
        self.chimera = False
        self.scratch = scratch
        self._ids: list[int] = []
        self._set = PatternSet([])

    def compile(
        self,
        expressions: Sequence[str | bytes],
        ids: Sequence[int] | None = None,
        elements: int | None = None,
        flags: Sequence[int] | int = 0,
        literal: bool = False,
        ext: object = None,
    ) -> None:
        """Compiles expressions, in place of those that the database has."""
        if ext is not None:
            raise InvalidError("extended parameters are not supported")
        count = len(expressions)
        ids = list(range(count)) if ids is None else list(ids)
        flags = [flags] * count if isinstance(flags, int) else list(flags)
        if len(ids) != count or len(flags) != count or elements not in (None, count):
            raise InvalidError("expressions, ids, elements and flags differ in number")
        patterns = [_pattern(e, f, literal) for e, f in zip(expressions, flags)]
        try:
            new = PatternSet(patterns, names=[str(id) for id in ids], unicode=False)
        except PatternError as failure:
            raise CompilerError(str(failure)) from None
        for index in new.matches(b""):
            if not flags[index] & HS_FLAG_ALLOWEMPTY:
                raise CompilerError(
                    f"expression {index} matches the empty buffer; HS_FLAG_ALLOWEMPTY permits it"
                )
        self._set, self._ids = new, ids

    def scan(
        self,
        data: str | bytes,
        match_event_handler: Callable[[int, int, int, int, Any], object],
        flags: int = 0,
        context: object = None,
        scratch: object = None,
    ) -> None:
        """Calls the handler once for each expression that matches. It ends the scan by a true value."""
        block = data.encode() if isinstance(data, str) else bytes(data)
        last = None
        for match in self._set.finditer(block):
            if match.pattern != last:
                last = match.pattern
                if match_event_handler(self._ids[last], 0, match.end(), 0, context):
                    raise ScanTerminated("the match event handler has ended the scan")


def _pattern(expression: str | bytes, flags: int, literal: bool) -> str:
    """The expression for dragnet."""
    if flags & _REFUSED:
        raise InvalidError(
            "HS_FLAG_SOM_LEFTMOST, HS_FLAG_COMBINATION and HS_FLAG_QUIET are not supported"
        )
    if not flags & HS_FLAG_SINGLEMATCH:
        raise InvalidError("each expression needs HS_FLAG_SINGLEMATCH: dragnet reports no end offsets")
    text = expression.decode("utf-8") if isinstance(expression, bytes) else expression
    is_multiline = bool(flags & HS_FLAG_MULTILINE)
    text = re.sub(r"[^\w\s]", r"\\\g<0>", text, flags=re.ASCII) if literal else _syntax(text, is_multiline)
    letters = (
        ("i" if flags & HS_FLAG_CASELESS else "")
        + ("s" if flags & HS_FLAG_DOTALL else "")
        + ("m" if is_multiline else "")
        + ("u" if flags & (HS_FLAG_UTF8 | HS_FLAG_UCP) else "")
    )
    return f"(?{letters}:{text})" if letters else text


def _syntax(text: str, is_multiline: bool) -> str:
    """Writes what PCRE and the regex crate read differently so that both mean the same."""
    out: list[str] = []
    at = 0
    in_class = False
    inline_multiline = re.search(r"\(\?[a-z]*m", text) is not None
    while at < len(text):
        c, rest = text[at], text[at + 1 :]
        at += 1
        if c == "\\":
            escaped = rest[:1]
            at += 1
            if escaped in "<>" and escaped:
                # Word boundaries in the regex crate, the characters in PCRE.
                out.append(escaped)
            elif escaped in "bB" and escaped and rest[1:2] == "{":
                raise CompilerError(f"not supported: \\{rest[:2]}")
            elif escaped == "Z" and not in_class:
                out.append(r"(?:\n?\z)")
            else:
                out.append(c + escaped)
        elif in_class:
            posix = re.match(r"\[:\^?[a-z]+:\]", c + rest)
            if posix:
                out.append(posix.group())
                at += posix.end() - 1
            elif c == "]":
                out.append(c)
                in_class = False
            elif c == "[" or (c in "&~" and rest[:1] == c) or (c == "-" and rest[:1] == "-"):
                # Classes in classes and operations on them in the regex crate.
                out.append("\\" + c)
            else:
                out.append(c)
        elif c == "[":
            start = re.match(r"\^?\]?", rest)
            assert start is not None
            out.append(c + start.group().replace("]", r"\]"))
            at += start.end()
            in_class = True
        elif c == "$" and not is_multiline:
            # PCRE's also matches before a last line feed.
            if inline_multiline or (rest and rest[0] not in "|)"):
                raise CompilerError("not supported: $ in this place")
            out.append(r"(?:\n?\z)")
        else:
            out.append(c)
    return "".join(out)
