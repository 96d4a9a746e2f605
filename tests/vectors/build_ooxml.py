"""Signed Office documents: a package as Word writes it, signed over its parts and relationships; and one function's worth of each defect.

The relationship transform is written out by hand here, as text, so that the verifier's is held to something else than itself.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence

from tests.vectors.build_asic import packed
from tests.vectors.case import Case, changed
from tests.vectors.identities import World
from tests.vectors.sign_xml import C14N, by_hand, exclusive, reference, rsa_made, signature, x509

PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
SIGNED = f"{PACKAGE}/digital-signature"
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_RELS = "application/vnd.openxmlformats-package.relationships+xml"
TYPES = (
    f'<?xml version="1.0"?><Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="{_RELS}"/>'
    f'<Default Extension="xml" ContentType="application/xml"/><Default Extension="png" ContentType="image/png"/>'
    f'<Override PartName="/word/document.xml" ContentType="{_WORD}.document.main+xml"/></Types>'
).encode()
NO_OTHER: Mapping[str, bytes] = {}
DOCUMENT = "<w:document xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'>Quyết định</w:document>".encode()


def _relationships(*rows: tuple[str, str, str]) -> bytes:
    inside = "\n  ".join(f'<Relationship Target="{target}" Id="{name}" Type="{kind}"/>' for name, kind, target in rows)
    return f'<?xml version="1.0"?>\n<Relationships xmlns="{PACKAGE}/relationships">\n  {inside}\n</Relationships>\n'.encode()


FILES: Mapping[str, bytes] = {
    "[Content_Types].xml": TYPES,
    "_rels/.rels": _relationships(
        ("rId3", f"{OFFICE}/extended-properties", "docProps/app.xml"),
        ("rId1", f"{OFFICE}/officeDocument", "word/document.xml"),
        ("rId9", f"{SIGNED}/origin", "_xmlsignatures/origin.sigs"),
    ),
    "word/document.xml": DOCUMENT,
    "word/_rels/document.xml.rels": _relationships(
        ("rId2", f"{OFFICE}/image", "media/dấu.png"), ("rId10", f"{OFFICE}/styles", "styles.xml")
    ),
    "word/media/dấu.png": b"\x89PNG",
    "word/styles.xml": b"<styles/>",
    "docProps/app.xml": b"<app/>",
    "_xmlsignatures/origin.sigs": b"",
}
_TRANSFORMED = {
    "_rels/.rels": [("rId1", f"{OFFICE}/officeDocument", "word/document.xml")],
    "word/_rels/document.xml.rels": [("rId10", f"{OFFICE}/styles", "styles.xml"), ("rId2", f"{OFFICE}/image", "media/dấu.png")],
}
_PARTS = {
    "word/document.xml": f"{_WORD}.document.main+xml",
    "word/media/d%E1%BA%A5u.png": "image/png",
    "word/styles.xml": "application/xml",
}
_OCTETS = {**FILES, "word/media/d%E1%BA%A5u.png": FILES["word/media/dấu.png"]}


def _digest(octets: bytes) -> str:
    return base64.b64encode(hashlib.sha256(octets).digest()).decode()


def _written_out(name: str) -> bytes:
    """The relationships of a part that are signed, as the transform and C14N leave them."""
    rows = "".join(
        f'<Relationship Id="{one}" Target="{target}" TargetMode="Internal" Type="{kind}"></Relationship>'
        for one, kind, target in _TRANSFORMED[name]
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{rows}</Relationships>'.encode()


def signed(
    world: World, *, without: str = "", by_type: bool = False, content_type: str = "", more: Sequence[tuple[str, str, bytes]] = ()
) -> bytes:
    """The signature part. `without` is left out of the manifest, `more` stands in it: name, content type, octets."""
    references = [reference(f"/{name}?ContentType={kind}", (), said=_digest(octets)) for name, kind, octets in more]
    for name, kind in _PARTS.items():
        if name != without:
            references.append(reference(f"/{name}?ContentType={content_type or kind}", (), said=_digest(_OCTETS[name])))
    for name, rows in _TRANSFORMED.items():
        chosen = "".join(
            f'<m:RelationshipsGroupReference SourceType="{kind}"/>' if by_type else f'<m:RelationshipReference SourceId="{one}"/>'
            for one, kind, _ in rows
        )
        raw = f'<ds:Transform Algorithm="{PACKAGE}/RelationshipTransform">{chosen}</ds:Transform><ds:Transform Algorithm="{C14N}"/>'
        references.append(reference(f"/{name}?ContentType={_RELS}", (), said=_digest(_written_out(name)), raw=raw))
    when = "<m:SignatureTime><m:Format>YYYY-MM-DDThh:mm:ssTZD</m:Format><m:Value>2026-11-20T01:02:03Z</m:Value></m:SignatureTime>"
    properties = f'<ds:SignatureProperties><ds:SignatureProperty Id="t" Target="#s">{when}</ds:SignatureProperty></ds:SignatureProperties>'
    manifest = f"<ds:Manifest>{''.join(references)}</ds:Manifest>"
    package = f'<ds:Object Id="idPackageObject" xmlns:m="{SIGNED}">{manifest}{properties}</ds:Object>'
    kind = ' Type="http://www.w3.org/2000/09/xmldsig#Object"'
    document = signature(reference("#idPackageObject", (C14N,), more=kind), more=' Id="s"', objects=package, key_info=x509(world.person))
    octets = exclusive(document, "//ds:Object")  # the inclusive form is the same here but for the namespace that it inherits
    octets = octets.replace(f' xmlns:m="{SIGNED}"'.encode(), b"").replace(
        b'<ds:Object xmlns:ds="http://www.w3.org/2000/09/xmldsig#"',
        f'<ds:Object xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:m="{SIGNED}"'.encode(),
        1,
    )
    return by_hand(document, rsa_made(world.person), parts=[octets])


def package(world: World, part: bytes | None = None, **more: bytes) -> bytes:
    """The whole, `more` by names with two underscores for a slash and three for a dot."""
    files = {**FILES, "_xmlsignatures/sig1.xml": part if part is not None else signed(world)}
    files.update({name.replace("___", ".").replace("__", "/"): octets for name, octets in more.items()})
    return packed(files)


def with_data(
    world: World, to: str = f'Id="rId1" Type="{OFFICE}/customXmlProps" Target="itemProps1.xml"', other: Mapping[str, bytes] = NO_OTHER
) -> bytes:
    """With custom XML, whose properties and the relationship to them Office leaves out. `to` is that relationship."""
    relationships = f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship {to}/></Relationships>'.encode()
    parts = {"customXml/item1.xml": b"<b/>", "customXml/itemProps1.xml": b"<p/>", "customXml/_rels/item1.xml.rels": relationships}
    signed_data = signed(world, more=(("customXml/item1.xml", "application/xml", b"<b/>"),))
    return packed({**FILES, **parts, **other, "_xmlsignatures/sig1.xml": signed_data})


def honest(world: World) -> Iterator[Case]:
    """As Office signs."""
    yield Case("custom XML, whose properties nobody signs", with_data(world))
    yield Case("relationships by id", package(world))
    yield Case("relationships by type", package(world, signed(world, by_type=True)))
    yield Case("properties changed, which Office lets be", package(world, docProps__app___xml=b"<app>2</app>"))


def defects(world: World) -> Iterator[Case]:
    """One wrong thing in each."""
    rels, part = FILES["word/_rels/document.xml.rels"], signed(world)

    def case(name: str, data: bytes, *codes: str, integrity: str = "ok") -> Case:
        return Case(name, data, None, codes, integrity)

    yield case("a part changed", package(world, word__document___xml=DOCUMENT + b" "), "attachment-integrity", integrity="failed")
    target = changed(rels, b"styles.xml", b"stylez.xml")
    files = {**FILES, "_xmlsignatures/sig1.xml": part}
    yield case(
        "a relationship changed", packed({**files, "word/_rels/document.xml.rels": target}), "attachment-integrity", integrity="failed"
    )
    added = changed(
        rels, b"\n</Relationships>", f'<Relationship Id="rId11" Type="{OFFICE}/attachedTemplate" Target="x"/></Relationships>'.encode()
    )
    yield case("a relationship added", packed({**files, "word/_rels/document.xml.rels": added}), "coverage")
    changed_data = with_data(world, other={"customXml/item1.xml": b"<b>x</b>"})
    yield case("custom XML changed", changed_data, "attachment-integrity", integrity="failed")
    yield case("custom XML added", with_data(world, other={"customXml/item2.xml": b"<b/>"}), "coverage")
    outside = f'Id="rId1" Type="{OFFICE}/customXmlProps" Target="http://evil.example/itemProps1.xml" TargetMode="External"'
    yield case("properties of custom XML from elsewhere", with_data(world, outside), "coverage")
    template = f'Id="rId1" Type="{OFFICE}/attachedTemplate" Target="itemProps1.xml"'
    yield case("custom XML with a template", with_data(world, template), "coverage")
    yield case("a part added", packed({**files, "word/evil.xml": b"<evil/>"}), "coverage")
    yield case("a part that was left out", package(world, signed(world, without="word/styles.xml")), "coverage")
    yield case(
        "a part missing", packed({name: one for name, one in files.items() if "png" not in name}), "reference-missing", integrity="unknown"
    )
    other = TYPES.replace(b"document.main+xml", b"template.main+xml")
    yield case(
        "another content type", packed({**files, "[Content_Types].xml": other}), "attachment-integrity", "coverage", integrity="unknown"
    )
    yield case(
        "no content types", packed({**files, "[Content_Types].xml": b"<x/>"}), "attachment-integrity", "coverage", integrity="unknown"
    )
    value = changed(part, b"rId10", b"rId11")
    yield case("the manifest changed", package(world, value), "tampered", "attachment-integrity", integrity="failed")
    at = part.index(b"<ds:SignatureValue>") + 20
    yield case(
        "the value changed",
        package(world, part[:at] + (b"A" if part[at : at + 1] != b"A" else b"B") + part[at + 1 :]),
        "bad-signature-value",
        integrity="failed",
    )
    doubled = changed(rels, b'Id="rId2"', b'Id="rId10"')
    yield case(
        "two relationships of one id",
        packed({**files, "word/_rels/document.xml.rels": doubled}),
        "malformed-container",
        integrity="unknown",
    )
    yield case("not XML", package(world, b"<a"), "malformed-xml", integrity="failed")
