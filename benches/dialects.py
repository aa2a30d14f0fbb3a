"""Translates regular expressions of other engines into the syntax of the `regex` crate.

`translate` reads Perl's syntax and that of its relatives (PCRE, Python, Ruby, RE2), `ossec` the one
of OSSEC and Wazuh. What the crate can't express raises `LeftOut` with the reason: the benchmarks
leave such a rule out and count it. Nothing is approximated, except that groups no longer capture and
that `\\Z` and `$` mean the very end, which is the same for lines without their line break.
"""

import re

LITERAL_ESCAPES = {"e": r"\x1b", "h": r"[ \t]", "R": r"(?:\r\n|[\n\x0b\x0c\r])", "N": r"[^\n]", "Z": r"\z"}
IN_CLASS_ESCAPES = {"b": r"\x08", "e": r"\x1b", "h": r" \t"}
# The escapes that mean the same in the crate, in a class and outside.
SHARED_ESCAPES = set("dDsSwWtnrfv")
QUANTIFIER = re.compile(r"\{\d*(?:,\d*)?\}")


class LeftOut(Exception):
    """A pattern that the crate can't express, with the reason."""


def translate(pattern, flags="", ruby=False):
    """Returns the pattern in the crate's syntax, with `flags` (of i, m, s, x) for all of it."""
    parser = Parser(pattern, ruby, "x" in flags)
    text = parser.parse()
    flags = "".join(sorted(set(flags) & set("ims")))
    if flags:
        text = f"(?{flags})" + (f"(?:{text})" if "|" in text else text)
    return text


class Parser:
    def __init__(self, pattern, ruby, extended):
        self.pattern = pattern
        self.at = 0
        self.ruby = ruby
        self.extended = extended
        self.depth = 0

    def parse(self):
        out = []
        while self.at < len(self.pattern):
            out.append(self.item())
        if self.depth:
            raise LeftOut("unbalanced group")
        return "".join(out)

    def rest(self):
        return self.pattern[self.at :]

    def item(self):
        c = self.pattern[self.at]
        if c == "\\":
            return self.escape()
        if c == "[":
            return self.char_class()
        if c == "(":
            return self.group()
        self.at += 1
        if c == ")":
            self.depth -= 1
            if self.depth < 0:
                raise LeftOut("unbalanced group")
            return c
        if c in "*+?":
            return self.quantifier(c)
        if c == "{":
            return self.braces()
        if c == "}":
            return r"\}"
        if self.extended and c.isspace():
            return ""
        if self.extended and c == "#":
            end = self.pattern.find("\n", self.at)
            self.at = len(self.pattern) if end < 0 else end
            return ""
        return c

    def quantifier(self, text):
        following = self.pattern[self.at : self.at + 1]
        if following == "+":
            raise LeftOut("possessive quantifier")
        if following == "?":
            self.at += 1
            return text + "?"
        return text

    def braces(self):
        found = QUANTIFIER.match(self.pattern, self.at - 1)
        if not found or found.group() in ("{}", "{,}"):
            return r"\{"
        self.at = found.end()
        text = found.group()
        return self.quantifier(text.replace("{,", "{0,"))

    def group(self):
        rest = self.rest()
        self.depth += 1
        if not rest.startswith("(?"):
            if rest.startswith("(*"):
                raise LeftOut("verb")
            self.at += 1
            return "(?:"
        if rest.startswith("(?#"):
            end = self.pattern.find(")", self.at)
            if end < 0:
                raise LeftOut("unbalanced group")
            self.at = end + 1
            self.depth -= 1
            return ""
        for start, reason in [
            ("(?=", "look-around"),
            ("(?!", "look-around"),
            ("(?<=", "look-around"),
            ("(?<!", "look-around"),
            ("(?>", "atomic group"),
            ("(?(", "conditional"),
            ("(?|", "branch reset"),
            ("(?P=", "backreference"),
            ("(?P>", "recursion"),
            ("(?&", "recursion"),
            ("(?R", "recursion"),
        ]:
            if rest.startswith(start):
                raise LeftOut(reason)
        named = re.match(r"\(\?(?:P?<\w+>|'\w+')", rest)
        if named:
            self.at += named.end()
            return "(?:"
        flags = re.match(r"\(\?(\^?[a-zA-Z]*(?:-[a-zA-Z]*)?)([:)])", rest)
        if not flags or re.search(r"[^imsx^-]", flags.group(1)) or "x" in flags.group(1):
            raise LeftOut(f"group {rest[:4]}")
        self.at += flags.end()
        text = flags.group(1).replace("^", "").rstrip("-")
        if self.ruby:
            # `m` of Ruby is `s` elsewhere; `m` of the others is always on in Ruby.
            text = text.replace("m", "s")
        if flags.group(2) == ")":
            self.depth -= 1
            return f"(?{text})" if text else ""
        return f"(?{text}:"

    def number(self, digits, base, most):
        """Reads at most `most` digits after the escape and returns the byte as `\\xHH`."""
        found = re.match(f"[{digits}]{{1,{most}}}", self.rest())
        text = found.group() if found else ""
        self.at += len(text)
        return rf"\x{int(text or '0', base) & 0xFF:02x}"

    def escape(self):
        following = self.pattern[self.at + 1 : self.at + 2]
        if not following:
            raise LeftOut("backslash at the end")
        self.at += 2
        c = following
        if c == "x":
            if self.rest().startswith("{"):
                end = self.pattern.find("}", self.at)
                text = self.pattern[self.at + 1 : end]
                self.at = end + 1
                return rf"\x{{{text}}}"
            return self.number("0-9a-fA-F", 16, 2)
        if c == "0" or (c.isdigit() and re.match(r"[0-7]{2}", self.rest())):
            self.at -= 0 if c == "0" else 1
            return self.number("0-7", 8, 3 if c != "0" else 2)
        if c.isdigit() or c in "gk":
            raise LeftOut("backreference")
        if c in "pP":
            # Unicode is off in rule files.
            raise LeftOut("Unicode property")
        if c in "GKXCQEc":
            raise LeftOut(f"escape \\{c}")
        if c in SHARED_ESCAPES:
            return "\\" + c
        if c in "bBA":
            return "\\" + c
        if c == "z":
            return r"\z"
        if c == "h" and self.ruby:
            return "[0-9a-fA-F]"
        if c in LITERAL_ESCAPES:
            return LITERAL_ESCAPES[c]
        return literal(c)

    def char_class(self):
        self.at += 1
        out = ["["]
        if self.rest().startswith("^"):
            out.append("^")
            self.at += 1
        first = True
        # Whether the last item is one byte that does not end a range: it may start one.
        may_start, in_range = False, False
        while True:
            rest = self.rest()
            if not rest:
                raise LeftOut("unbalanced class")
            if rest[0] == "]" and not first:
                self.at += 1
                out.append("]")
                return "".join(out)
            first = False
            if rest[0] == "-" and may_start and not re.match(r"-(?:\]|\\[dDwWsSh]|\[:|$)", rest):
                self.at += 1
                out.append("-")
                may_start, in_range = False, True
                continue
            item, is_set = self.class_item(rest)
            out.append(item)
            may_start, in_range = not is_set and not in_range, False

    def class_item(self, rest):
        """Returns the next item of a class, and whether it is a set of bytes."""
        posix = re.match(r"\[:\^?[a-z]+:\]", rest)
        if posix:
            self.at += posix.end()
            return posix.group(), True
        if rest[0] == "\\":
            return self.class_escape(), rest[1:2] in tuple("dDwWsSh")
        self.at += 1
        if ord(rest[0]) > 0x7F:
            raise LeftOut("class with a character beyond ASCII")
        return ("\\" if rest[0] in "[]&~^#-" else "") + rest[0], False

    def class_escape(self):
        c = self.pattern[self.at + 1 : self.at + 2]
        if not c:
            raise LeftOut("backslash at the end")
        self.at += 2
        if c == "x" and not self.rest().startswith("{"):
            found = re.match(r"[0-9a-fA-F]{1,2}", self.rest())
            text = found.group() if found else "0"
            self.at += len(text) if found else 0
            return rf"\x{int(text, 16):02x}"
        if c == "x":
            end = self.pattern.find("}", self.at)
            value = int(self.pattern[self.at + 1 : end] or "0", 16)
            self.at = end + 1
            if value > 0xFF:
                raise LeftOut("class with a character beyond ASCII")
            return rf"\x{value:02x}"
        if c.isdigit():
            self.at -= 1
            found = re.match(r"[0-7]{1,3}", self.rest())
            if not found:
                raise LeftOut("backreference")
            self.at += found.end()
            return rf"\x{int(found.group(), 8):02x}"
        if c in "pP":
            # Unicode is off in rule files.
            raise LeftOut("Unicode property")
        if c == "h" and self.ruby:
            return "0-9a-fA-F"
        if c in IN_CLASS_ESCAPES:
            return IN_CLASS_ESCAPES[c]
        if c in SHARED_ESCAPES:
            return "\\" + c
        return literal(c)


def literal(c):
    """A character that stands for itself, escaped if it has to be."""
    if c.isalnum() or c in "<>\"'/ \t\n_,:;=@!%`" or ord(c) > 0x7F:
        return c
    return "\\" + c


# https://documentation.wazuh.com/current/user-manual/ruleset/ruleset-xml-syntax/regex.html
OSSEC_CLASSES = {
    "w": r"[A-Za-z0-9@_-]",
    "d": r"[0-9]",
    "s": r"[ ]",
    "t": r"\t",
    "p": r"[()*+,\-.:;<=>?\[\]!\"'#$%&|{}]",
    "W": r"[^A-Za-z0-9@_-]",
    "D": r"[^0-9]",
    "S": r"[^ ]",
    ".": r"(?s-u:.)",
}


def ossec(pattern):
    """Translates the syntax of OSSEC, which ignores case and knows neither classes nor `?`."""
    out = []
    at = 0
    while at < len(pattern):
        c = pattern[at]
        at += 1
        if c == "\\":
            c = pattern[at : at + 1]
            at += 1
            if not c:
                raise LeftOut("backslash at the end")
            out.append(OSSEC_CLASSES.get(c) or literal(c))
            # Only an escaped class can be repeated.
            if c in OSSEC_CLASSES and pattern[at : at + 1] in ("+", "*"):
                out.append(pattern[at])
                at += 1
        elif c == "(":
            out.append("(?:")
        elif c in ")|^$":
            out.append(c)
        else:
            out.append(literal(c))
    text = "".join(out)
    return f"(?i)(?:{text})" if "|" in text else f"(?i){text}"


def ossec_match(pattern):
    """Translates OSSEC's plain texts: alternatives with `^` and `$`, without other operators."""
    alternatives = []
    for part in re.split(r"(?<!\\)\|", pattern):
        start, end = part.startswith("^"), part.endswith("$") and not part.endswith(r"\$")
        part = part[start : len(part) - end]
        text = "".join(map(literal, re.sub(r"\\([|^$])", r"\1", part)))
        alternatives.append("^" * start + text + "$" * end)
    return f"(?i)(?:{'|'.join(alternatives)})" if len(alternatives) > 1 else f"(?i){alternatives[0]}"
