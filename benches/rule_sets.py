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

from dialects import LeftOut
from formats import GO_STRING, go_string, translated, yaml_scalar
from log_rules import (
    fail2ban_rules,
    fail2ban_text,
    grok_rules,
    grok_text,
    lnav_rules,
    lnav_text,
    wazuh_rules,
    wazuh_text,
)
from page_rules import page_text, wappalyzer_rules


@dataclass
class RuleSet:
    name: str
    repositories: list  # of `OWNER/NAME@COMMIT`, the first with the rules
    rules: Callable
    text: Callable
    licence: str
    also_over: str  # another set, whose text its rules meet as well, mostly without a match


# Lists of words.

REBAR = "BurntSushi/rebar@09cfc23e2d254db6fbbff9a9ed0d8b869d65f99c"


def words_of(length):
    """The English words of this many letters, as the benchmark of regex engines has them."""

    def rules(trees):
        words = trees[0].read(f"benchmarks/regexes/dictionary/english/length-{length}.txt")
        for word in words.decode().split():
            yield word, translated(re.escape(word))

    return rules


def words_text(path):
    """A text of that benchmark: subtitles of films, or a novel."""
    return lambda trees: trees[0].read(f"benchmarks/haystacks/{path}").splitlines()


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


GO_REGEX = re.compile(
    r"regexp\.MustCompile\(\s*"
    r"(?:detectors\.PrefixRegex\(\[\]string\{(?P<words>[^}]*)\}\)\s*\+\s*)?"
    rf"(?P<pattern>{GO_STRING})\s*,?\s*\)"
)


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
    RuleSet(
        "wappalyzer",
        [
            "enthec/webappanalyzer@1b9eee8154c0f01e7888c5242cf6fbbc4a3fcea6",
            "mozilla/readability@ab4027a8b37669745016869a37a504727992b2ba",
        ],
        wappalyzer_rules,
        page_text,
        "GPL-3.0, Apache-2.0",
        "trufflehog",
    ),
    RuleSet(
        "lnav",
        ["tstack/lnav@bb0005f96c8dc486ee0b9005a4562be0ef61c878", LOGHUB],
        lnav_rules,
        lnav_text,
        "BSD-2-Clause",
        "fail2ban",
    ),
    RuleSet(
        "words10",
        [REBAR],
        words_of(10),
        words_text("opensubtitles/en-sampled.txt"),
        "MIT or Unlicense",
        "words15",
    ),
    RuleSet(
        "words15",
        [REBAR],
        words_of(15),
        words_text("sherlock.txt"),
        "MIT or Unlicense",
        "words10",
    ),
]
