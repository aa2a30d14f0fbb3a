"""Tests of mechanisms.py: python3 -m unittest discover -s benches -p '*_test.py'."""

import json
import unittest

import mechanisms


def figures(*rows):
    names = ["rules", "corpus", "contender", "megabytes_per_second", "build_seconds", "pairs"]
    return mechanisms.read(json.dumps(dict(zip(names, row))) for row in rows)


class Mechanisms(unittest.TestCase):
    def test_all_switches_of_the_engine_are_found(self):
        source = (mechanisms.ROOT / "src/pure/mechanism.rs").read_text(encoding="utf-8")
        names = mechanisms.mechanisms()
        self.assertEqual(len(names), source.count("pub(super) const"))
        self.assertIn("bit-streams", names)

    def test_ratios_are_of_medians_and_their_mean_is_geometric(self):
        whole = figures(
            ("a", "x", "pure", 100, 1.0, 7),
            ("a", "x", "pure", 400, 1.0, 7),
            ("a", "x", "pure", 500, 1.0, 7),
            ("b", "x", "pure", 90, 1.0, 7),
        )
        without = figures(("a", "x", "pure", 100, 2.0, 7), ("b", "x", "pure", 90, 2.0, 7))
        rows = {way: rest for _, way, *rest in mechanisms.table(whole, {"teddy": without})}
        mean, least, most = rows["pure"]
        self.assertAlmostEqual(mean, 2.0)
        self.assertEqual((least, most), ((1.0, ("b", "x")), (4.0, ("a", "x"))))
        self.assertAlmostEqual(rows["build"][0], 2.0)
        self.assertNotIn("pure, spans", rows)

    def test_builds_with_other_matches_are_named(self):
        whole = figures(("a", "x", "pure", 1, 1.0, 7), ("b", "x", "pure", 1, 1.0, 7))
        other = figures(("a", "x", "pure", 1, 1.0, 7), ("b", "x", "pure", 1, 1.0, 8))
        found = list(mechanisms.different_answers(whole, {"teddy": other}))
        self.assertEqual(found, ["teddy: pure: b over x"])


if __name__ == "__main__":
    unittest.main()
