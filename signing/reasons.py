"""The words in which verdicts are given: a closed list, each with the step of `verify` that says it, the most telling first.

The order is the whole rule of priority: `Verdict.reason` is that of a verdict's reasons which stands first here, and `reasons` follow in
this order, so the same faults give the same answer however they were found. What hostile input is about comes before what is merely wrong
with it, what was changed before who signed, who signed before when; what is only missing comes last. `docs/verification.md` is this list
in Vietnamese and English with its remedies, and a test holds it to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import IntEnum

from schemas.errors import Violation, error


class Step(IntEnum):
    """The steps of the one procedure (`verify`)."""

    FIND = 1
    PARSE = 2
    ALGORITHMS = 3
    INTEGRITY = 4
    COVERAGE = 5
    KEY = 6
    PATH = 7
    REVOCATION = 8
    TIME = 9
    SENDER = 10
    LEGAL_VALUE = 11


REASONS: Mapping[str, Step] = {
    "xxe": Step.PARSE,
    "entity-expansion": Step.PARSE,
    "dtd-forbidden": Step.PARSE,
    "decompression-bomb": Step.PARSE,
    "path-traversal": Step.PARSE,
    "resource-limit": Step.PARSE,
    "encoding": Step.PARSE,
    "malformed-xml": Step.PARSE,
    "malformed-pdf": Step.PARSE,
    "malformed-container": Step.PARSE,
    "cms-malformed": Step.PARSE,
    "duplicate-id": Step.FIND,
    "wrapping": Step.FIND,
    "schema": Step.PARSE,
    "malformed-signature": Step.PARSE,
    "external-reference": Step.COVERAGE,
    "transform-forbidden": Step.ALGORITHMS,
    "alg-forbidden": Step.ALGORITHMS,
    "weak-key": Step.ALGORITHMS,
    "pdf-byterange": Step.COVERAGE,
    "tampered": Step.INTEGRITY,
    "attachment-integrity": Step.INTEGRITY,
    "bad-signature-value": Step.INTEGRITY,
    "pdf-modified": Step.COVERAGE,
    "active-content": Step.COVERAGE,
    "reference-missing": Step.COVERAGE,
    "coverage": Step.COVERAGE,
    "key-confusion": Step.KEY,
    "no-key": Step.KEY,
    "timestamp-invalid": Step.TIME,
    "revoked": Step.REVOCATION,
    "self-signed": Step.PATH,
    "untrusted-chain": Step.PATH,
    "key-usage": Step.PATH,
    "path-constraint": Step.PATH,
    "not-yet-valid": Step.TIME,
    "expired": Step.TIME,
    "sender-mismatch": Step.SENDER,
    "on-behalf-of": Step.SENDER,
    "no-signature": Step.FIND,
    "decorative-signature": Step.FIND,
    "revocation-unknown": Step.REVOCATION,
}
RANKS = {code: rank for rank, code in enumerate(REASONS)}

# What readers of packets and archives say in words of their own.
OTHERS: Mapping[str, str] = {
    "empty-body": "malformed-xml",
    "undeclared-prefix": "malformed-xml",
    "too-large": "resource-limit",
    "too-many-attachments": "resource-limit",
    "attachment-too-large": "decompression-bomb",
    "attachment-archive": "malformed-container",
    "attachment-unsafe-name": "path-traversal",
    "attachment-encoding": "attachment-integrity",
    "attachment-empty": "attachment-integrity",
    "attachment-placeholder": "attachment-integrity",
    "attachment-destroyed": "attachment-integrity",
    "reference-without-attachment": "reference-missing",
    "doubled-content-id": "duplicate-id",
}
_EXTERNAL = re.compile(r"<!(?:ENTITY\s+[^>]*?|DOCTYPE\s+[^\[>]*?)\b(?:SYSTEM|PUBLIC)\s", re.S)
_ENTITY = re.compile(r"<!ENTITY\s")
_HEAD = 256 * 1024  # of a document with a DOCTYPE; it is refused either way


def of(code: str) -> str:
    """The word for `code`; an error that is none of these is about the packet's structure."""
    return code if code in REASONS else OTHERS.get(code, "schema")


def ranked(violations: Iterable[Violation]) -> tuple[Violation, ...]:
    """In order of telling, each once, said in these words."""
    found = tuple(violations)
    if not found:
        return ()
    said = (one if one.code in REASONS else replace(one, code=of(one.code)) for one in found)
    return tuple(sorted(dict.fromkeys(said), key=lambda one: RANKS[one.code]))


def codes(violations: Iterable[Violation]) -> tuple[str, ...]:
    """The reasons, each once, the most telling first."""
    return tuple(dict.fromkeys(one.code for one in ranked(violations)))


def of_doctype(data: bytes) -> tuple[Violation, ...]:
    """What a document that was refused for its DOCTYPE was after, where it can be seen: `xxe`, `entity-expansion`. Nothing is expanded."""
    head = data[:_HEAD]
    text = head.replace(b"\0", b"").decode("latin-1")  # also of UTF-16, which is all that is needed to look for these
    if _EXTERNAL.search(text):
        return (error("xxe", path="/", line=1, got="an external entity or DTD", expected="no DOCTYPE"),)
    if _ENTITY.search(text):
        return (error("entity-expansion", path="/", line=1, got=f"{len(_ENTITY.findall(text))} entities", expected="no DOCTYPE"),)
    return ()
