"""Tests of dialects.py: python3 -m unittest discover -s benches -p '*_test.py'."""

import unittest

from dialects import LeftOut, ossec, ossec_match, translate


class Translate(unittest.TestCase):
    def test_groups_no_longer_capture(self):
        self.assertEqual(translate(r"(a)(?:b)(?P<x>c)(?<y>d)(?#note)"), "(?:a)(?:b)(?:c)(?:d)")

    def test_flags_cover_all_alternatives(self):
        self.assertEqual(translate("a|b", "i"), "(?i)(?:a|b)")
        self.assertEqual(translate("a(?-i:b)(?s)c", "gUi"), "(?i)a(?-i:b)(?s)c")

    def test_extended_patterns_lose_their_blanks(self):
        self.assertEqual(translate("a b # note\n [ #]\\ c", "x"), r"ab[ \#] c")

    def test_ruby_has_other_meanings(self):
        self.assertEqual(translate(r"(?m:.)\h[\h]", ruby=True), "(?s:.)[0-9a-fA-F][0-9a-fA-F]")
        self.assertEqual(translate(r"(?m:.)\h"), r"(?m:.)[ \t]")

    def test_braces_that_repeat_nothing_are_literal(self):
        self.assertEqual(translate("a{2}b{3,}c{,4}?{x}{"), r"a{2}b{3,}c{0,4}?\{x\}\{")

    def test_escapes(self):
        cases = {
            r"\/\-\_\<\>\ \i\:": r"/\-_<> i:",
            r"\x3\x41\012\0\101": r"\x03\x41\x0a\x00\x41",
            r"\x{41}\Aa\Z\z\e\R": r"\x{41}\Aa\z\z\x1b(?:\r\n|[\n\x0b\x0c\r])",
            r"\bw\d\S\t": r"\bw\d\S\t",
        }
        for pattern, expected in cases.items():
            self.assertEqual(translate(pattern), expected, pattern)

    def test_classes(self):
        cases = {
            "[]a]": r"[\]a]",
            "[^]-a]": r"[^\]-a]",
            "[a-c-e]": r"[a-c\-e]",
            r"[\w-.]": r"[\w\-.]",
            r"[.-\w]": r"[.\-\w]",
            "[-a-]": r"[\-a\-]",
            "[[:alpha:]&&[x]": r"[[:alpha:]\&\&\[x]",
            r"[\b\x9\101\/]": r"[\x08\x09\x41/]",
            "[+--]": r"[+-\-]",
        }
        for pattern, expected in cases.items():
            self.assertEqual(translate(pattern), expected, pattern)

    def test_untranslatable_patterns_say_why(self):
        cases = {
            "a(?=b)": "look-around",
            "(?<!a)b": "look-around",
            r"(a)\1": "backreference",
            r"(?P<a>x)(?P=a)": "backreference",
            "(?>a)": "atomic group",
            "a*+": "possessive quantifier",
            "a{2}+": "possessive quantifier",
            "(?(1)a)": "conditional",
            "(a": "unbalanced group",
            "a)": "unbalanced group",
            "[a": "unbalanced class",
            r"\pL": "Unicode property",
            "[\u00e4]": "class with a character beyond ASCII",
        }
        for pattern, reason in cases.items():
            with self.assertRaisesRegex(LeftOut, reason, msg=pattern):
                translate(pattern)


class Ossec(unittest.TestCase):
    def test_only_escaped_classes_repeat(self):
        self.assertEqual(ossec(r"^a.+\d+(\.*) \$\("), r"(?i)^a\.\+[0-9]+(?:(?s-u:.)*) \$\(")

    def test_case_is_ignored_in_all_alternatives(self):
        self.assertEqual(ossec("a|b"), "(?i)(?:a|b)")

    def test_plain_texts_have_no_groups(self):
        self.assertEqual(ossec_match(r"^a(b|c\|d$"), r"(?i)(?:^a\(b|c\|d$)")


if __name__ == "__main__":
    unittest.main()
