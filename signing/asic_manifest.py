"""ASiCManifest and ASiCArchiveManifest (ETSI EN 319 162-1 §A.4): which signature is over which files, and whether their digests fit."""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import pybase64

from schemas.errors import Refused, Violation, error
from schemas.xml import Element, parse, text_of
from signing import cms_value
from signing.algorithms import DSIG
from signing.finding import Used

ASIC = "http://uri.etsi.org/02918/v1.2.1#"
MAX_BYTES = 4 * 1024 * 1024
MAX_REFERENCES = 10_000
DIGESTS = {
    "http://www.w3.org/2000/09/xmldsig#sha1": "sha1",
    "http://www.w3.org/2001/04/xmldsig-more#sha224": "sha224",
    "http://www.w3.org/2001/04/xmlenc#sha256": "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
    "http://www.w3.org/2007/05/xmldsig-more#sha3-224": "sha3-224",
    "http://www.w3.org/2007/05/xmldsig-more#sha3-256": "sha3-256",
    "http://www.w3.org/2007/05/xmldsig-more#sha3-384": "sha3-384",
    "http://www.w3.org/2007/05/xmldsig-more#sha3-512": "sha3-512",
}


@dataclass(frozen=True, slots=True)
class Reference:
    """One file with the digest that it had."""

    name: str
    digest_method: str  # identifier
    digest: bytes


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as read; `octets` is what is signed."""

    name: str
    signature: str  # the entry that signs it
    references: tuple[Reference, ...]
    octets: bytes = field(repr=False)


def read_manifest(name: str, octets: bytes) -> Manifest:
    """The manifest in the entry `name`.

    Raises `Refused`: `malformed-container`, `path-traversal`, `external-reference`, or what the XML parser raises.
    """
    root = parse(octets, max_bytes=MAX_BYTES).root
    signatures = list(root.iterchildren(f"{{{ASIC}}}SigReference"))
    references = list(root.iterchildren(f"{{{ASIC}}}DataObjectReference"))
    if root.tag != f"{{{ASIC}}}ASiCManifest" or len(signatures) != 1 or not 0 < len(references) <= MAX_REFERENCES:
        raise Refused("malformed-container", got=f"{name}: {root.tag!r}", expected="an ASiCManifest with one SigReference, and references")
    found = tuple(_reference(name, one) for one in references)
    if len({one.name for one in found}) != len(found):
        raise Refused("malformed-container", got=f"{name} names one file twice", expected="each once")
    return Manifest(name, _target(name, signatures[0]), found, octets)


def _reference(where: str, element: Element) -> Reference:
    methods, values = (list(element.iterchildren(f"{{{DSIG}}}{tag}")) for tag in ("DigestMethod", "DigestValue"))
    if len(methods) != 1 or len(values) != 1:
        raise Refused("malformed-container", got=f"{where}: a reference without its digest", expected="DigestMethod and DigestValue")
    text = "".join(text_of(values[0]).split())
    try:
        digest = pybase64.b64decode(text.encode("ascii"), validate=True)
    except ValueError as fault:
        raise Refused("malformed-container", got=f"{where}: {text}", expected="a digest in base64") from fault
    return Reference(_target(where, element), methods[0].get("Algorithm") or "", digest)


def _target(where: str, element: Element) -> str:
    """The entry that a URI names, relative to the container's root (§A.4.2.1.1)."""
    uri = element.get("URI") or ""
    try:
        parts = urlsplit(uri)
    except ValueError as fault:
        raise Refused("malformed-container", got=f"{where}: {uri}", expected="a relative URI") from fault
    if parts.scheme or parts.netloc:
        raise Refused("external-reference", got=f"{where}: {uri}", expected="a file of the container")
    name = unicodedata.normalize("NFC", unquote(parts.path)).removeprefix("/")
    if not name or parts.query or parts.fragment or "\\" in name or ".." in name.split("/"):
        raise Refused("path-traversal", got=f"{where}: {uri}", expected="a file of the container")
    return name


def check_digests(manifest: Manifest, files: Mapping[str, bytes]) -> tuple[tuple[Used, ...], tuple[Violation, ...]]:
    """The algorithms that the manifest rests on, and what is wrong: `reference-missing`, `alg-forbidden`, `attachment-integrity`."""
    names = (DIGESTS.get(one.digest_method, one.digest_method) for one in manifest.references)
    return tuple(dict.fromkeys(Used("hash", name, "file") for name in names)), tuple(_faults(manifest, files))


def _faults(manifest: Manifest, files: Mapping[str, bytes]) -> Iterator[Violation]:
    for one in manifest.references:
        content = files.get(one.name)
        if content is None or one.name == manifest.name:
            yield error("reference-missing", path=manifest.name, got=one.name, expected="a file of the container")
            continue
        octets = cms_value.digest(DIGESTS.get(one.digest_method, ""), (content,))
        if octets is not None and not hmac.compare_digest(octets, one.digest):
            yield error("attachment-integrity", path=one.name, got=octets.hex(), expected=one.digest.hex())
