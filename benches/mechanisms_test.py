"""Tests of mechanisms.py: python3 -m unittest discover -s benches -p '*_test.py'."""

import json
import re
import unittest

import mechanisms


def figures(*rows):
    names = ["rules", "corpus", "contender", "pure_is", "spans_are", "build_seconds", "pairs", "expected"]
    return mechanisms.read(json.dumps(dict(zip(names, row))) for row in rows)


class Mechanisms(unittest.TestCase):
    def test_all_switches_of_the_engine_are_found(self):
        source = (mechanisms.ROOT / "src/pure/mechanism.rs").read_text(encoding="utf-8")
        names = mechanisms.mechanisms()
        self.assertEqual(len(names), len(re.findall(r"^    \w+ = ", source, re.MULTILINE)))
        self.assertIn("bit-streams", names)

    def test_ratios_are_of_their_way_and_their_mean_is_geometric(self):
        ratios, differences = figures(
            ("a", "x", "pure", 1, 1, 1.0, 7, 7),
            ("b", "x", "pure", 1, 1, 1.0, 7, 7),
            ("a", "x", "pure, SSSE3", 1.5, 9, 1.0, 7, 7),
            ("a", "x", "pure, without teddy", 1, 9, 2.0, 7, 7),
            ("b", "x", "pure, without teddy", 4, 9, 2.0, 7, 7),
            ("b", "x", "pure, spans, without teddy", 9, 3, 2.0, 7, 7),
        )
        rows = {(name, way): rest for name, way, *rest in mechanisms.table(ratios)}
        mean, least, most = rows["teddy", "pure"]
        self.assertAlmostEqual(mean, 2.0)
        self.assertEqual((least, most), ((1, ("a", "x")), (4, ("b", "x"))))
        self.assertAlmostEqual(rows["teddy", "pure, spans"][0], 3.0)
        self.assertAlmostEqual(rows["teddy", "build"][0], 2.0)
        self.assertAlmostEqual(rows["SSSE3", "pure"][0], 1.5)
        self.assertEqual(differences, [])

    def test_engines_with_other_matches_are_named(self):
        _, differences = figures(
            ("a", "x", "pure", 1, 1, 1.0, 7, 7),
            ("a", "x", "pure, without teddy", 1, 1, 1.0, 8, 7),
        )
        self.assertEqual(differences, ["pure, without teddy: a over x"])


if __name__ == "__main__":
    unittest.main()
