"""The fingerprints of web technologies that Wappalyzer's successors look for in pages."""

import json

from formats import translated

# The fields whose patterns are searched for in the source of a page.
FIELDS = ("html", "scripts", "scriptSrc", "css", "text")


def wappalyzer_rules(trees):
    for _, data in trees[0].files("src/technologies/", ".json"):
        for name, technology in json.loads(data).items():
            for field in FIELDS:
                patterns = technology.get(field, [])
                for pattern in [patterns] if isinstance(patterns, str) else patterns:
                    # What follows says which version or confidence a match stands for.
                    yield f"{name}: {field}", translated(pattern.split(r"\;")[0], "i")


def page_text(trees):
    """The pages that Mozilla's reader view is tested with."""
    for path, data in trees[1].files("test/test-pages/", ".html"):
        if path.endswith("/source.html"):
            yield from data.split(b"\n")
