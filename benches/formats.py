"""What the readers of rule sets share: strings of YAML and Go, and translated patterns."""

import json
import re

import dialects
from dialects import LeftOut


def translated(pattern, flags="", **options):
    """The pattern in the crate's syntax, or the reason why there is none."""
    try:
        return dialects.translate(pattern, flags, **options)
    except LeftOut as reason:
        return reason


def ossec(pattern):
    try:
        return dialects.ossec(pattern)
    except LeftOut as reason:
        return reason


def yaml_scalar(line):
    """The value of a line `key: value` of YAML, if it is a scalar on this line."""
    value = line.split(":", 1)[1].strip()
    if value.startswith("'"):
        found = re.match(r"'((?:[^']|'')*)'", value)
        return found.group(1).replace("''", "'") if found else None
    if value.startswith('"'):
        found = re.match(r'"(?:[^"\\]|\\.)*"', value)
        # The escapes of YAML that occur are those of JSON, and `\x`.
        text = re.sub(r"\\x(..)", r"\\u00\1", found.group()) if found else "null"
        return json.loads(text)
    return value or None


GO_STRING = r"(?:`[^`]*`|\"(?:[^\"\\]|\\.)*\")"


def go_string(text):
    return text[1:-1] if text[0] == "`" else json.loads(re.sub(r"\\x(..)", r"\\u00\1", text))
