"""The closed list of reasons: documented, complete, in one order."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.cli.errors import table_of_reasons
from schemas.errors import catalogue, error
from signing import reasons

ISSUE = [
    "tampered",
    "bad-signature-value",
    "no-signature",
    "malformed-signature",
    "alg-forbidden",
    "weak-key",
    "key-confusion",
    "no-key",
    "untrusted-chain",
    "self-signed",
    "expired",
    "not-yet-valid",
    "revoked",
    "revocation-unknown",
    "key-usage",
    "path-constraint",
    "sender-mismatch",
    "coverage",
    "wrapping",
    "duplicate-id",
    "transform-forbidden",
    "external-reference",
    "reference-missing",
    "dtd-forbidden",
    "xxe",
    "entity-expansion",
    "resource-limit",
    "decompression-bomb",
    "malformed-xml",
    "encoding",
    "schema",
    "attachment-integrity",
    "path-traversal",
    "active-content",
    "pdf-modified",
    "pdf-byterange",
    "malformed-pdf",
    "cms-malformed",
    "timestamp-invalid",
    "malformed-container",
]


def test_every_reason_that_verdicts_promise_is_in_the_list() -> None:
    assert set(ISSUE) - set(reasons.REASONS) == set()
    assert set(reasons.REASONS) - set(catalogue()) == set()
    assert set(reasons.OTHERS) - set(catalogue()) == set()
    assert set(reasons.OTHERS.values()) <= set(reasons.REASONS)


def test_the_document_has_the_table_of_the_list() -> None:
    text = Path(__file__).parents[2].joinpath("docs", "verification.md").read_text("utf-8")
    assert text.endswith(table_of_reasons()), "append: lgsp errors --reasons"


def test_the_order_does_not_depend_on_who_was_first() -> None:
    found = [error(code) for code in ("revocation-unknown", "expired", "empty-body", "tampered", "old-dialect", "expired")]
    expected = ("malformed-xml", "schema", "tampered", "expired", "revocation-unknown")
    assert reasons.codes(found) == expected == reasons.codes(reversed(found))


DOCTYPES = {
    "an external entity": (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', ("xxe",)),
    "a public one": (b'<!DOCTYPE a [<!ENTITY x PUBLIC "p" "http://h/">]><a/>', ("xxe",)),
    "a parameter entity": (b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://h/">%x;]><a/>', ("xxe",)),
    "an external DTD": (b'<!DOCTYPE a SYSTEM "http://h/a.dtd"><a/>', ("xxe",)),
    "in UTF-16": ('<!DOCTYPE a SYSTEM "http://h/a.dtd"><a/>'.encode("utf-16"), ("xxe",)),
    "many entities": (b'<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;">]><a>&z;</a>', ("entity-expansion",)),
    "none": (b"<!DOCTYPE a><a/>", ()),
}


@pytest.mark.parametrize(("raw", "expected"), DOCTYPES.values(), ids=DOCTYPES.keys())
def test_what_a_doctype_was_after_is_named(raw: bytes, expected: tuple[str, ...]) -> None:
    assert reasons.codes(reasons.of_doctype(raw)) == expected
