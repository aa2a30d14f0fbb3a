"""Compares the answers that oracle_answers prints with those of Python's re.

Reads from standard input. Prints each difference and the number of pairs of a pattern and a record
that were compared. The exit status is 1 if there are differences, or if nothing was compared.
"""

import json
import re
import sys
import warnings

# `[[` and the like, which a later Python may read as set operations.
warnings.simplefilter("error", FutureWarning)

MAX_SHOWN = 20


def matches(regex, record):
    """The groups of the matches of regex in record, as the regex crate iterates over them.

    Python's own finditer also reports an empty match that touches the match before.
    """
    found = []
    at = 0
    last_end = None
    while at <= len(record):
        match = regex.search(record, at)
        if match is None:
            break
        start, end = match.span()
        if start == end and last_end == end:
            at += 1
        else:
            found.append([list(match.span(group)) for group in range(regex.groups + 1)])
            at = last_end = end
    return found


def main():
    pairs = matching = differences = 0
    for line in sys.stdin:
        case = json.loads(line)
        regex = re.compile(case["python"].encode("latin-1"))
        for text, expected in case["records"]:
            # Before Python 3.14, `\B` does not match in an empty string.
            if not text and r"\B" in case["python"]:
                continue
            found = matches(regex, text.encode("latin-1"))
            pairs += 1
            matching += bool(found)
            if found != expected:
                differences += 1
                if differences <= MAX_SHOWN:
                    print(f"{case['regex']!r} in {text!r}: oracle {expected}, Python {found}")
    print(f"{pairs} pairs, {matching} with matches, {differences} differences")
    return differences > 0 or matching == 0


if __name__ == "__main__":
    sys.exit(main())
