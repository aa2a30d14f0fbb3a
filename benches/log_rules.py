"""Rules that search log lines: Wazuh, fail2ban and grok, with log lines of many systems."""

import json
import re

import dialects
from formats import GO_STRING, go_string, ossec, translated


def wazuh_rules(trees):
    for folder in ("decoders/", "rules/"):
        for path, data in trees[0].files(folder, ".xml"):
            # The files are lists of elements, with escapes that are no XML.
            text = re.sub(r"<!--.*?-->", "", data.decode("latin-1"), flags=re.S)
            for _, rule in re.findall(r"<(rule|decoder)\b(.*?)</\1>", text, re.S):
                # The texts of equal elements of a rule are one pattern.
                parts = {}
                tags = r"<(prematch|regex|match|program_name)((?:\s[^>]*)?)>([^<]*)</\1>"
                for tag, attributes, part in re.findall(tags, rule):
                    is_pcre = "pcre2" in attributes
                    parts[tag, is_pcre] = parts.get((tag, is_pcre), "") + part
                for (tag, is_pcre), pattern in parts.items():
                    for entity, c in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
                        pattern = pattern.replace(entity, c)
                    name = f"{path}: {tag}"
                    if is_pcre:
                        yield name, translated(pattern)
                    elif tag == "match":
                        yield name, dialects.ossec_match(pattern)
                    else:
                        yield name, ossec(pattern)


def wazuh_text(trees):
    for _, data in trees[0].files("rules/log-entries/"):
        yield from data.split(b"\n")
    for _, data in trees[0].files("tools/rules-testing/tests/", ".ini"):
        for line in data.split(b"\n"):
            found = re.match(rb"log \d+ (?:pass|fail)\s*=\s*(.*)", line)
            if found:
                yield found.group(1)
    for _, data in trees[0].files("decoders/", ".xml"):
        # Examples in comments.
        for line in data.split(b"\n"):
            if line.startswith(b"  -  "):
                yield line[5:]
    yield from loghub_text(trees)


def loghub_text(trees):
    for _, data in trees[-1].files("", "_2k.log"):
        yield from data.split(b"\n")


def fail2ban_rules(trees):
    common = configuration(trees[0].read("config/filter.d/common.conf"))
    for path, data in trees[0].files("config/filter.d/", ".conf"):
        settings = {**common, **configuration(data)}
        for key in ("prefregex", "failregex", "ignoreregex"):
            for pattern in fill_in(settings.get(key, ""), settings).split("\n"):
                if pattern.strip():
                    yield f"{path}: {key}", translated(host_tags(pattern.strip()))


def configuration(data):
    """The settings of a filter, of all its sections; those of a log type as `lt_file/KEY`."""
    settings, section, key = {}, "", None
    for line in data.decode().splitlines():
        line = line.rstrip()
        if not line or line.lstrip().startswith(("#", ";")):
            continue
        if line.startswith("["):
            section = line.strip("[]")
            section = f"{section}/" if section.startswith("lt_") else ""
        elif line[0].isspace():
            settings[key] += "\n" + line.strip()
        elif "=" in line:
            key, value = line.split("=", 1)
            key = section + key.strip()
            settings[key] = value.strip()
    return settings


def fill_in(text, settings):
    """Replaces `%(NAME)s` and `<NAME>`, innermost first, until nothing changes."""
    settings = {**settings, "logtype": "file"}

    def value(found):
        return settings.get(found.group(1), found.group())

    for _ in range(20):
        changed = re.sub(r"%\(([^()]+)\)s", value, text)
        changed = re.sub(r"<([\w/.-]+)>", value, changed)
        if changed == text:
            break
        text = changed
    return text


IP4 = r"(?:\d{1,3}\.){3}\d{1,3}"
ADDRESS = rf"(?:(?:::f{{4,6}}:)?{IP4}|\[?(?:[0-9a-fA-F]{{1,4}}::?|:){{1,7}}(?:[0-9a-fA-F]{{1,4}}|:)\]?)"
HOST_NAME = r"[\w\-.^_]*\w"
HOST_TAGS = {
    "HOST": f"(?:{ADDRESS}|{HOST_NAME})",
    "ADDR": ADDRESS,
    "IP4": IP4,
    "DNS": HOST_NAME,
    "SKIPLINES": "",
}


def host_tags(pattern):
    """What fail2ban puts for its tags: an address or a name for the host, groups for fields."""
    for tag, text in HOST_TAGS.items():
        pattern = pattern.replace(f"<{tag}>", text).replace(f"<F-{tag}/>", text)
    pattern = re.sub(r"<F-[A-Z0-9_]+/>", r"\\S+", pattern)
    pattern = re.sub(r"<F-[A-Z0-9_]+>", "(?:", pattern)
    return re.sub(r"</F-[A-Z0-9_]+>", ")", pattern)


DATE = re.compile(
    rb"^(?:\w{3} [ \d]\d|\d{4}-\d\d-\d\d|\d\d/\d\d/\d\d)[ T][\d:.,]+(?:Z|[+-]\d\d:?\d\d)? ?"
)


def fail2ban_text(trees):
    for _, data in trees[0].files("fail2ban/tests/files/logs/"):
        for line in data.split(b"\n"):
            if not line.startswith(b"#"):
                # The date is cut out before the filters run.
                yield DATE.sub(b"", line)
    for line in loghub_text(trees):
        yield DATE.sub(b"", line)


def grok_rules(trees):
    """The patterns for whole messages, with those that they name filled in."""
    vocabulary, messages = {}, []
    for path, data in trees[0].files("patterns/", ".go"):
        for key, value in re.findall(rf'^\s*"(\w+)":\s*({GO_STRING})', data.decode(), re.M):
            vocabulary[key] = go_string(value)
            if not path.endswith("default.go"):
                messages.append(key)
    for key in messages:
        pattern = vocabulary[key]
        if "%{" not in pattern:
            # A word of the vocabulary, which nobody searches for alone.
            continue
        for _ in range(20):
            pattern = re.sub(
                r"%\{(\w+)[^}]*\}", lambda m: f"(?:{vocabulary.get(m.group(1), '(?=unknown)')})", pattern
            )
        yield key, translated(pattern)


def grok_text(trees):
    for _, data in trees[0].files("patterns_test/", ".go"):
        for text in re.findall(GO_STRING, data.decode()):
            if len(text) > 40:
                try:
                    yield from go_string(text).split("\n")
                except ValueError:
                    pass
    yield from loghub_text(trees)


def lnav_rules(trees):
    """The patterns of lnav's formats. Possessive quantifiers, which most of them have, are read as
    greedy ones: they save its engine from trying in vain and rarely change what matches."""
    for path, data in trees[0].files("src/formats/", ".json"):
        for name, log_format in json.loads(data).items():
            if isinstance(log_format, dict):
                for key, entry in log_format.get("regex", {}).items():
                    yield f"{path}: {name} {key}", translated(re.sub(r"(?<=[^\\][*+?}])\+", "", entry["pattern"]))


def lnav_text(trees):
    """The sample lines of the formats, the logs of the tests, and those of Loghub."""
    for _, data in trees[0].files("src/formats/", ".json"):
        for log_format in json.loads(data).values():
            if isinstance(log_format, dict):
                for sample in log_format.get("sample", []):
                    yield from sample["line"].split("\n")
    for _, data in trees[0].files("test/logfile_"):
        if b"\0" not in data:
            yield from data.split(b"\n")
    yield from loghub_text(trees)
