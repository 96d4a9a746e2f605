"""Signed Office documents (ECMA-376 part 2 §10): recognised and told, not verified.

Their XML signature is over a manifest of the document's parts, some of them by a transform of their own that leaves relationships out. What
needs no such transform is compared, so that a changed text is seen; the signature's value is not checked, and integrity stays unknown.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urlsplit

import pybase64

from schemas.errors import Refused, Violation, error, warning
from schemas.xml import Element, parse, text_of
from signing import cms_value
from signing.algorithms import DSIG
from signing.archive import open_archive
from signing.asic_manifest import DIGESTS
from signing.finding import Coverage, Finding, Given, Integrity, Used

_FOLDER = "_xmlsignatures/"
MAX_BYTES = 4 * 1024 * 1024


def examine_ooxml(data: bytes, given: Given) -> tuple[Finding, ...]:
    """One finding for each signature part; none where nobody signed. Raises `Refused` as `open_archive` does."""
    files = open_archive(data, given.limits).files
    return tuple(_finding(name, files) for name in files if name.startswith(_FOLDER) and name.endswith(".xml"))


def _finding(name: str, files: Mapping[str, bytes]) -> Finding:
    try:
        root = parse(files[name], max_bytes=MAX_BYTES).root
    except Refused as fault:
        reason = error(fault.code, path=name, got=fault.got, expected=fault.expected)
        return Finding("ooxml", name, Integrity.FAILED, Coverage.UNKNOWN, b"", violations=(reason,))
    certificates = tuple(_certificates(root))
    references = [one for one in root.iter(f"{{{DSIG}}}Reference") if (one.get("URI") or "").startswith("/")]
    faults = tuple(_faults(references, files))
    note = warning(
        "transform-forbidden", path=name, got="signature value and relationships: not checked", expected="a PDF, CMS or ASiC signature"
    )
    return Finding(
        kind="ooxml",
        name=name,
        integrity=Integrity.FAILED if faults else Integrity.UNKNOWN,
        coverage=Coverage.UNKNOWN,
        signer=certificates[0] if certificates else b"",
        certificates=certificates,
        algorithms=tuple(dict.fromkeys(Used("hash", _digest_name(one), "file") for one in references)),
        violations=faults,
        notes=(note,),
        covers=tuple(dict.fromkeys(_part(one) for one in references)),
        details=("a signed Office document: recognised, not verified",),
    )


def _certificates(root: Element) -> Iterator[bytes]:
    for element in root.iter(f"{{{DSIG}}}X509Certificate"):
        try:
            yield pybase64.b64decode("".join(text_of(element).split()).encode("ascii"), validate=True)
        except ValueError:
            continue


def _faults(references: list[Element], files: Mapping[str, bytes]) -> Iterator[Violation]:
    for one in references:
        if next(one.iter(f"{{{DSIG}}}Transform"), None) is not None:
            continue
        part = _part(one)
        if part not in files:
            yield error("reference-missing", path=part, got="nothing", expected="a part of the document")
            continue
        octets = cms_value.digest(_digest_name(one), (files[part],))
        value = next(one.iter(f"{{{DSIG}}}DigestValue"), None)
        said = "".join(text_of(value).split()) if value is not None else ""
        if octets is not None and not hmac.compare_digest(pybase64.b64encode(octets), said.encode()):
            yield error("attachment-integrity", path=part, got=pybase64.b64encode(octets).decode(), expected=said)


def _part(reference: Element) -> str:
    return unquote(urlsplit(reference.get("URI") or "").path).removeprefix("/")


def _digest_name(reference: Element) -> str:
    method = next(reference.iter(f"{{{DSIG}}}DigestMethod"), None)
    uri = (method.get("Algorithm") or "") if method is not None else ""
    return DIGESTS.get(uri, uri)
