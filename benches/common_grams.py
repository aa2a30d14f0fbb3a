#!/usr/bin/env python3
"""Prints the frequent grams of texts, for `src/pure/literal/common_grams.txt`.

    python3 benches/common_grams.py KIND... > src/pure/literal/common_grams.txt

Each KIND is one kind of text: glob patterns of files, separated by commas, of which up to 2 MB are read,
20,000 bytes of each, in an order that only depends on the names. All kinds have the same weight. The table in
the repository was made of Rust sources, C sources and headers, Python's library, READMEs with change logs and
licences, and configuration with web files.

A gram is three bytes with bit 5 set, which makes upper case lower case. A line is minus the rounded binary
logarithm of a frequency, and the grams that have it, one after the other. `S` stands for the space.
"""

import collections
import glob
import math
import random
import sys

# A guess: the rarer the gram, the less a wrong estimate costs.
MIN_FREQUENCY = 1e-4
BYTES_OF_KIND, BYTES_OF_FILE = 2 << 20, 20_000
GRAMS_IN_LINE = 32


def text_of(kind):
    paths = sorted({path for pattern in kind.split(",") for path in glob.glob(pattern, recursive=True)})
    random.Random(1).shuffle(paths)
    text = b""
    for path in paths:
        try:
            with open(path, "rb") as file:
                part = file.read(BYTES_OF_FILE)
        except OSError:
            continue
        if b"\0" not in part:
            text += part
        if len(text) > BYTES_OF_KIND:
            break
    return bytes(byte | 0x20 for byte in text)


def main(kinds):
    frequencies = collections.Counter()
    for kind in kinds:
        text = text_of(kind)
        for gram, count in collections.Counter(text[i : i + 3] for i in range(len(text) - 2)).items():
            frequencies[gram] += count / len(text) / len(kinds)
    classes = collections.defaultdict(list)
    for gram, frequency in frequencies.items():
        if frequency >= MIN_FREQUENCY and gram.isascii():
            classes[round(-math.log2(frequency))].append(gram)
    for bits, grams in sorted(classes.items()):
        names = [gram.decode().replace(" ", "S").replace("\x7f", "_") for gram in sorted(grams)]
        for start in range(0, len(names), GRAMS_IN_LINE):
            print(bits, "".join(names[start : start + GRAMS_IN_LINE]))


if __name__ == "__main__":
    main(sys.argv[1:])
