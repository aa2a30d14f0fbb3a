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
- Expressions are Hyperscan's, without what depends on the version of Unicode: `\\p`, characters that are no
  ASCII with HS_FLAG_CASELESS and HS_FLAG_UTF8, and with HS_FLAG_UCP `\\w`, `\\d`, `\\s`, `\\b` and the like.
  Without `(?x)`, `\\c`, `\\Q`, `\\1` for an octal number, and `^` for all lines if the expression can match
  the empty buffer. All that is not supported is an error that names the expression.
- A database is not limited to one scan at a time, and needs no scratch space.

PatternSet does more: spans, many records at once, and threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ._native import PatternError, PatternSet
from ._pcre import Translation, Unsupported, translate, translate_literal

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

# The others change what is reported beyond which expressions match.
_KNOWN = 255

# Ids of Hyperscan are unsigned numbers of 32 bits.
_MAX_ID = 2**32 - 1


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
        if not all(0 <= id <= _MAX_ID for id in ids):
            raise InvalidError("an id that is not an unsigned number of 32 bits")
        patterns: list[Translation] = []
        for expression, its_flags in zip(expressions, flags):
            try:
                patterns.append(_pattern(expression, its_flags, literal))
            except Unsupported as failure:
                raise CompilerError(f"expression {len(patterns)} ({expression!r}): {failure}") from None
        try:
            new = PatternSet([p.regex for p in patterns], names=[str(id) for id in ids], unicode=False)
        except PatternError as failure:
            index, reason = failure.errors[0][0], failure.errors[0][4]
            raise CompilerError(f"expression {index} ({expressions[index]!r}): {reason}") from None
        for index in new.matches(b""):
            where = f"expression {index} ({expressions[index]!r})"
            if not flags[index] & HS_FLAG_ALLOWEMPTY:
                raise CompilerError(f"{where} matches the empty buffer; HS_FLAG_ALLOWEMPTY permits it")
            if patterns[index].starts_lines:
                raise CompilerError(f"{where} matches the empty buffer, and has ^ for all lines")
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


def _pattern(expression: str | bytes, flags: int, literal: bool) -> Translation:
    """The expression for dragnet."""
    if flags & ~_KNOWN:
        raise InvalidError(f"the flags {flags:#x} are not supported")
    if not flags & HS_FLAG_SINGLEMATCH:
        raise InvalidError("each expression needs HS_FLAG_SINGLEMATCH: dragnet reports no end offsets")
    utf8 = bool(flags & HS_FLAG_UTF8)
    try:
        data = expression.encode() if isinstance(expression, str) else bytes(expression)
        # Without HS_FLAG_UTF8, each byte is a character.
        text = data.decode("utf-8" if utf8 else "latin-1")
    except UnicodeError as failure:
        raise Unsupported(str(failure)) from None
    caseless = bool(flags & HS_FLAG_CASELESS)
    if literal:
        if flags & ~(HS_FLAG_CASELESS | HS_FLAG_MULTILINE | HS_FLAG_SINGLEMATCH):
            raise InvalidError("a literal has no flags but CASELESS, MULTILINE and SINGLEMATCH")
        return Translation(translate_literal(text, caseless=caseless), False)
    return translate(
        text,
        caseless=caseless,
        multiline=bool(flags & HS_FLAG_MULTILINE),
        dotall=bool(flags & HS_FLAG_DOTALL),
        utf8=utf8,
        ucp=bool(flags & HS_FLAG_UCP),
    )
