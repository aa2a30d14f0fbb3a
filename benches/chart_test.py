"""Tests of chart.py: python3 -m unittest discover -s benches -p '*_test.py'."""

import json
import math
import unittest
from xml.etree import ElementTree

import chart

SVG = "{http://www.w3.org/2000/svg}"


def rows(*measured):
    names = ["rules", "patterns", "corpus", "contender", "megabytes_per_second"]
    return [json.dumps(dict(zip(names, row))) for row in measured]


MEASURED = rows(
    ("a<b", 3, "logs", "pure", 999),
    ("a<b", 3, "logs", "pure", 800),
    ("a<b", 3, "logs", "hs_scan per record", 100),
    ("a<b", 3, "text", "pure", 200),
    ("a<b", 3, "text", "hs_scan per record", 100),
    ("a<b", 3, "logs", "RegexSet", 1),
    ("a<b", 3, "text", "RegexSet", 1),
    ("a<b", 3, "logs", "RegexSet, default cache", 1e-9),
)


def bars(lines, **options):
    races, patterns = chart.read(lines)
    root = ElementTree.fromstring(chart.draw(races, patterns, "hs_scan per record", **options))
    x_of = {}
    for text in root.iter(f"{SVG}text"):
        if text.get("text-anchor") == "middle":
            x_of[float(text.text.rstrip("x"))] = float(text.get("x"))
    found = {}
    for rect in root.iter(f"{SVG}rect"):
        left = float(rect.get("x"))
        found[rect[0].text.split(",")[0]] = (left, left + float(rect.get("width")))
    texts = [text.text for text in root.iter(f"{SVG}text")]
    return found, x_of, texts


class Chart(unittest.TestCase):
    def test_bar_lengths_are_logarithms_of_ratios(self):
        found, x_of, texts = bars(MEASURED)
        decade = x_of[10] - x_of[1]
        # The last of two measurements counts: the geometric mean of 8 and 2 is 4.
        self.assertAlmostEqual(found["pure"][0], x_of[1], delta=0.1)
        self.assertAlmostEqual(found["pure"][1] - x_of[1], decade * math.log10(4), delta=0.2)
        self.assertAlmostEqual(found["RegexSet"][0], x_of[0.01], delta=0.1)
        self.assertAlmostEqual(found["RegexSet"][1], x_of[1], delta=0.1)
        self.assertEqual(set(found), {"pure", "RegexSet"})
        self.assertIn("a<b: 3 rules", texts)
        self.assertIn("4x", texts)
        self.assertIn("0.01x", texts)

    def test_axis_ends_at_powers_of_ten(self):
        _, x_of, _ = bars(MEASURED)
        self.assertEqual((min(x_of), max(x_of)), (0.01, 10))

    def test_contender_may_miss_a_rule_set(self):
        lines = MEASURED + rows(
            ("other", 1, "logs", "pure", 50),
            ("other", 1, "logs", "hs_scan per record", 100),
        )
        _, _, texts = bars(lines)
        self.assertIn("other: 1 rule", texts)
        self.assertEqual(texts.count("RegexSet"), 1)

    def test_excluded_contender_is_not_drawn(self):
        found, x_of, texts = bars(MEASURED)
        self.assertNotIn("RegexSet, default cache", texts)
        self.assertEqual(min(x_of), 0.01)

    def test_invalid_lines_are_refused(self):
        for lines in [["{"], ["[]"], ['{"rules": "a"}'], ["7"]]:
            with self.assertRaisesRegex(ValueError, "line 1"):
                chart.read(lines)
        races, patterns = chart.read(rows(("a", 1, "logs", "pure", 1)))
        with self.assertRaisesRegex(ValueError, "hs_scan per record did not take part"):
            chart.draw(races, patterns, "hs_scan per record")


if __name__ == "__main__":
    unittest.main()
