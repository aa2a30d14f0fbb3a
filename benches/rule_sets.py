"""Public rule sets, and the texts that they were written for.

A `RuleSet` names the repositories, each at one commit, and how their files are read. `rules` yields
pairs of a name and a pattern in the crate's syntax, or of a name and the `LeftOut` that says why there
is none. `text` yields the lines to search, as text or as bytes. Texts come from the same projects as
the rules (their tests and examples) or are what the rules search in production.
"""

import ast
import base64
import json
import re
from dataclasses import dataclass
from typing import Callable
from xml.etree import ElementTree

import dialects
from dialects import LeftOut


@dataclass
class RuleSet:
    name: str
    repositories: list  # of `OWNER/NAME@COMMIT`, the first with the rules
    rules: Callable
    text: Callable
    licence: str
    also_over: str  # another set, whose text its rules meet as well, mostly without a match


def translated(pattern, flags="", **options):
    """The pattern in the crate's syntax, or the reason why there is none."""
    try:
        return dialects.translate(pattern, flags, **options)
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


# User agents.


def crawler_rules(trees):
    for entry in json.loads(trees[0].read("crawler-user-agents.json")):
        yield entry["pattern"], translated(entry["pattern"])


def crawler_text(trees):
    for entry in json.loads(trees[0].read("crawler-user-agents.json")):
        yield from entry["instances"]


def matomo_rules(trees):
    """The patterns of bots, clients, systems and brands, each in what the detector puts around it.

    Models are left out: they are only looked for once the brand is known.
    """
    for path, data in trees[0].files("regexes/", ".yml"):
        if "/hints/" in path:
            continue
        for number, line in enumerate(data.decode().splitlines(), 1):
            if re.match(r"(?:- |  )regex:", line):
                pattern = yaml_scalar(line)
                around = rf"(?:^|[^A-Z0-9_-]|[^A-Z0-9-]_|sprd-|MZ-)(?:{pattern})"
                yield f"{path}:{number}", translated(around, "i")


def matomo_text(trees):
    for _, data in trees[0].files("Tests/", ".yml"):
        for line in data.decode().splitlines():
            if re.match(r"\s*(?:- )?user_agent:", line):
                yield yaml_scalar(line) or ""


# Mail.

SPAM_RULE = re.compile(
    r"^\s*(?:body|rawbody|uri|full|header)\s+(?P<name>\w+)\s+(?P<header>[\w:-]+\s*=~\s*)?"
    r"(?:m(?P<open>[^\w\s])|/)(?P<rest>.*)$"
)


def spamassassin_rules(trees):
    for path, data in [*trees[0].files("rules/", ".cf"), *trees[0].files("rulesrc/", ".cf")]:
        for line in data.decode("utf-8", "replace").splitlines():
            found = SPAM_RULE.match(line)
            if not found:
                continue
            close = {"{": "}", "(": ")", "<": ">", "[": "]"}.get(found["open"], found["open"] or "/")
            end = re.match(rf"((?:[^\\]|\\.)*){re.escape(close)}([a-z]*)", found["rest"])
            if not end:
                continue
            pattern, flags = end.group(1), end.group(2)
            if re.search(r"<[A-Z][A-Z0-9]*>|<(?:inter|post|pre) ", pattern):
                # A template that a plug-in fills in.
                yield found["name"], LeftOut("template")
            else:
                yield found["name"], translated(pattern, flags)


def spamassassin_text(trees):
    for _, data in trees[0].files("t/data/"):
        if b"\0" not in data:
            yield from data.split(b"\n")


# Credentials.


def secrets_rules(trees):
    name = "?"
    for line in trees[0].read("db/rules-stable.yml").decode().splitlines():
        if re.match(r"\s*name:", line):
            name = yaml_scalar(line)
        elif re.match(r"\s*regex:", line):
            pattern = yaml_scalar(line)
            if pattern:
                yield name, translated(pattern)


GO_STRING = r"(?:`[^`]*`|\"(?:[^\"\\]|\\.)*\")"
GO_REGEX = re.compile(
    r"regexp\.MustCompile\(\s*"
    r"(?:detectors\.PrefixRegex\(\[\]string\{(?P<words>[^}]*)\}\)\s*\+\s*)?"
    rf"(?P<pattern>{GO_STRING})\s*,?\s*\)"
)


def go_string(text):
    return text[1:-1] if text[0] == "`" else json.loads(re.sub(r"\\x(..)", r"\\u00\1", text))


def trufflehog_rules(trees):
    for path, data in trees[0].files("pkg/detectors/", ".go"):
        if path.endswith("_test.go"):
            continue
        for found in GO_REGEX.finditer(data.decode()):
            pattern = go_string(found["pattern"])
            if found["words"] is not None:
                # What `PrefixRegex` makes of its words.
                words = "|".join(map(go_string, re.findall(GO_STRING, found["words"])))
                pattern = rf"(?i:{words})(?:.|[\n\r]){{0,40}}?" + pattern
            yield path, translated(pattern)


def trufflehog_text(trees):
    for _, data in trees[-1].files("pkg/detectors/", ".go"):
        yield from data.split(b"\n")


# Personal data.


def presidio_rules(trees):
    folder = "presidio-analyzer/presidio_analyzer/predefined_recognizers/"
    for path, data in trees[0].files(folder, ".py"):
        for node in ast.walk(ast.parse(data)):
            is_pattern = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Pattern"
            if not is_pattern or len(node.args) < 2:
                continue
            try:
                name, pattern = map(ast.literal_eval, node.args[:2])
            except ValueError:
                continue
            yield f"{path}: {name}", translated(pattern, "ims")


def presidio_text(trees):
    """The strings of the tests, which are sentences and identifiers."""
    for folder in ("presidio-analyzer/tests/", "e2e-tests/", "presidio-anonymizer/tests/"):
        for path, data in trees[0].files(folder):
            if path.endswith((".txt", ".json", ".csv")):
                yield from data.split(b"\n")
            elif path.endswith(".py"):
                for node in ast.walk(ast.parse(data)):
                    if isinstance(node, ast.Constant) and isinstance(node.value, str):
                        yield from node.value.split("\n")
    for path, data in trees[0].files("docs/", ".md"):
        yield from data.split(b"\n")


# Logs.


def wazuh_rules(trees):
    for folder in ("decoders/", "rules/"):
        for path, data in trees[0].files(folder, ".xml"):
            # The files are lists of elements, with escapes that are no XML.
            for tag, attributes, pattern in re.findall(
                r"<(prematch|regex|match|program_name)((?:\s[^>]*)?)>([^<]*)</\1>", data.decode("latin-1")
            ):
                for entity, c in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
                    pattern = pattern.replace(entity, c)
                name = f"{path}: {tag}"
                if "pcre2" in attributes:
                    yield name, translated(pattern)
                elif tag == "match":
                    yield name, dialects.ossec_match(pattern)
                else:
                    yield name, ossec(pattern)


def ossec(pattern):
    try:
        return dialects.ossec(pattern)
    except LeftOut as reason:
        return reason


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


# Services, source, attacks.


def recog_rules(trees):
    for path, data in trees[0].files("xml/", ".xml"):
        for fingerprint in ElementTree.fromstring(data).iter("fingerprint"):
            flags = "".join(
                flag
                for name, flag in (("REG_ICASE", "i"), ("REG_DOT_NEWLINE", "s"), ("REG_MULTILINE", "s"))
                if name in fingerprint.get("flags", "")
            )
            name = fingerprint.findtext("description") or "?"
            yield f"{path}: {name}", translated(fingerprint.get("pattern"), flags, ruby=True)


def recog_text(trees):
    for _, data in trees[0].files("xml/", ".xml"):
        for example in ElementTree.fromstring(data).iter("example"):
            text = example.text or ""
            if example.get("_encoding") == "base64":
                yield from base64.b64decode(text).split(b"\n")
            else:
                yield from text.strip().split("\n")


def linguist_rules(trees):
    """The patterns of `heuristics.yml`. Ruby's `^` and `$` are those of lines."""
    in_list = False
    for line in trees[0].read("lib/linguist/heuristics.yml").decode().splitlines():
        if line.strip().startswith("#"):
            continue
        found = re.match(r"\s*(?:- )?(?:negative_)?(?:pattern|[\w-]+): *(.*)$", line)
        is_key = re.match(r"\s*(?:- )?(?:negative_)?pattern:", line)
        is_named = re.match(r"  [\w-]+: *(?:'|\"|$)", line)
        if is_key or is_named:
            in_list = not found.group(1)
            if not in_list and yaml_scalar(line):
                yield line.strip()[:40], translated(yaml_scalar(line), "m", ruby=True)
        elif in_list and re.match(r"\s*- ['\"]", line):
            pattern = yaml_scalar(":" + line.strip()[1:])
            yield line.strip()[:40], translated(pattern, "m", ruby=True)
        else:
            in_list = False


def linguist_text(trees):
    for _, data in trees[0].files("samples/"):
        if b"\0" not in data[:8192] and len(data) < 200_000:
            yield from data.split(b"\n")


def snort_rules(trees):
    """The `pcre` options of Snort's community rules and Emerging Threats', also of rules that are
    switched off."""
    for path, data in trees[0].files("rules/", ".rules"):
        for line in data.decode("latin-1").splitlines():
            name = re.search(r"\bsid:\s*(\d+)", line)
            for pattern, flags in re.findall(r'pcre:\s*"!?/((?:[^"\\]|\\.)*)/([a-zA-Z]*)"', line):
                pattern = pattern.replace(r"\;", ";").replace(r"\"", '"')
                anchor = "^" if "A" in flags and not pattern.startswith("^") else ""
                yield name and name.group(1), translated(anchor + pattern, flags)


def attack_text(trees):
    """The requests that Nikto sends, and the payloads and user agents of fuzzdb."""
    for line in trees[1].read("program/databases/db_tests").decode("latin-1").splitlines():
        fields = re.findall(r'"((?:[^"\\]|\\.)*)"', line)
        if len(fields) > 4:
            yield f"{fields[4]} {fields[3]} HTTP/1.1"
    for folder in ("attack/", "discovery/UserAgent/", "discovery/predictable-filepaths/cms/"):
        for _, data in trees[2].files(folder, ".txt"):
            yield from data.split(b"\n")


LOGHUB = "logpai/loghub@dd61d0952749ee7963bde24220d1be5ede023033"
TRUFFLEHOG = "trufflesecurity/trufflehog@3ab759fef4bb5935d4fe9ac68b503d05346b8364"

ALL = [
    RuleSet(
        "crawlers",
        ["monperrus/crawler-user-agents@7c7f9f254f16fcbc7d0fcb60d0a188897c00b050"],
        crawler_rules,
        crawler_text,
        "MIT",
        "matomo",
    ),
    RuleSet(
        "matomo",
        ["matomo-org/device-detector@3856a28692d45317d3f15f6f81ca31a06067182a"],
        matomo_rules,
        matomo_text,
        "LGPL-3.0-or-later",
        "crawlers",
    ),
    RuleSet(
        "spamassassin",
        ["apache/spamassassin@f7fe7b82a2db63ee1406d74d88ce564b69881954"],
        spamassassin_rules,
        spamassassin_text,
        "Apache-2.0",
        "linguist",
    ),
    RuleSet(
        "secrets-db",
        ["mazen160/secrets-patterns-db@24984df1a3f78475132ed183cebce4452b601161", TRUFFLEHOG],
        secrets_rules,
        trufflehog_text,
        "CC-BY-4.0",
        "linguist",
    ),
    RuleSet("trufflehog", [TRUFFLEHOG], trufflehog_rules, trufflehog_text, "AGPL-3.0", "linguist"),
    RuleSet(
        "presidio",
        ["microsoft/presidio@0aa9f8e44275cb52c00fbbebe19168e934e1f076"],
        presidio_rules,
        presidio_text,
        "MIT",
        "wazuh",
    ),
    RuleSet(
        "wazuh",
        ["wazuh/wazuh-ruleset@908c90b74b49ed04ee53b0367b55bb28e3c628ee", LOGHUB],
        wazuh_rules,
        wazuh_text,
        "GPL-2.0",
        "grok",
    ),
    RuleSet(
        "fail2ban",
        ["fail2ban/fail2ban@deffcbcd1712a3a0cbd79c1da324096ebf36d306", LOGHUB],
        fail2ban_rules,
        fail2ban_text,
        "GPL-2.0-or-later",
        "wazuh",
    ),
    RuleSet(
        "grok",
        ["elastic/go-grok@0c41fc1652e18409ba5748a2e0f40afa8ea62ce7", LOGHUB],
        grok_rules,
        grok_text,
        "Apache-2.0",
        "wazuh",
    ),
    RuleSet(
        "recog",
        ["rapid7/recog@14fa1a7211e7fb5707c7a1b421a07d6c2cf4eec5"],
        recog_rules,
        recog_text,
        "BSD-2-Clause",
        "snort",
    ),
    RuleSet(
        "linguist",
        ["github-linguist/linguist@b45dbe9b2825a43285bcd035861be91cc0a7299e"],
        linguist_rules,
        linguist_text,
        "MIT",
        "trufflehog",
    ),
    RuleSet(
        "snort",
        [
            "kravietz/snort-config@7a4f1a95a12b95da1a61480fa64599196ebc0f57",
            "sullo/nikto@d5067406bc0902f8174cb5f8d595f637951974ce",
            "fuzzdb-project/fuzzdb@5656ab25dc6bb43bae32236fab775658a90d7380",
        ],
        snort_rules,
        attack_text,
        "GPL-2.0, BSD",
        "matomo",
    ),
]
