"""Where the elements of a well-formed document stand in its text: for proposing changes of single places.

This reads no packet. Whoever changes a text by these spans has the result parsed anew, and believes only that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|<(?P<end>/)?(?P<name>[^\s/>\"'<]+)(?P<rest>(?:[^>\"']|\"[^\"]*\"|'[^']*')*)>", re.DOTALL
)


@dataclass(slots=True)
class Span:
    """One element: ``text[start:end]`` with its tags, ``text[inner:inner_end]`` without."""

    name: str  # as written, with prefix
    start: int
    inner: int
    inner_end: int = 0
    end: int = 0


def spans(text: str) -> list[Span]:
    """All elements in document order, as `iter` of a tree gives them. Of a text that is not well-formed, whatever is found."""
    found: list[Span] = []
    open_: list[Span] = []
    for token in _TOKEN.finditer(text):
        name = token["name"]
        if name is None or name.startswith(("!", "?")):
            continue
        if token["end"]:
            if open_:
                one = open_.pop()
                one.inner_end, one.end = token.start(), token.end()
            continue
        one = Span(name, token.start(), token.end(), token.end(), token.end())
        found.append(one)
        if not token["rest"].endswith("/"):
            open_.append(one)
    return found
