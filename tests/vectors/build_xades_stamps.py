"""Time-stamps in XAdES that name what they are over (Include, EN 319 132-1 §5.1.4.4), and those that name something else."""

from __future__ import annotations

from collections.abc import Iterator

from tests.vectors.build_xades import (
    LATER,
    MOMENT,
    REFS,
    Making,
    archive_content,
    canonical,
    extended,
    plain,
    stamp,
    valued,
)
from tests.vectors.build_xml import LETTER
from tests.vectors.case import Case
from tests.vectors.identities import World
from tests.vectors.sign_xml import DS, EXC, exclusive, with_xmlsec

# The Object that templates hold besides the properties, as a Reference to it digests it.
OBJECT_SIGNED = (
    f'<ds:Object xmlns:ds="{DS}" Id="o" MimeType="text/xml"><ds:SignatureProperty Target="#s">nội dung</ds:SignatureProperty></ds:Object>'
).encode()


def honest(world: World) -> Iterator[tuple[str, Case]]:
    """The level that each has, and the case."""
    good = plain(world)
    named = signed_with_ids(good)
    over_value = stamp("SignatureTimeStamp", canonical(named, EXC, "//ds:SignatureValue"), world.authority, MOMENT, inside=_include("#v"))
    bt = extended(named, over_value)
    yield "B-T", Case("B-T that names the value", bt, stamped=True)
    refs = extended(bt, REFS.replace("<x:CompleteRevocationRefs/>", '<x:CompleteRevocationRefs Id="crl"/>'))
    both = canonical(refs, EXC, "//ds:SignatureValue", "//x:CompleteRevocationRefs")
    named_both = stamp("SigAndRefsTimeStamp", both, world.authority, MOMENT, inside=_include("#v") + _include("#crl"))
    yield "B-T", Case("the legacy form X, which names what it is over", extended(refs, named_both), stamped=True)
    bare = stamp("SignatureTimeStamp", b"x", world.authority, MOMENT, inside=_include("#elsewhere"))
    yield "B-B", Case("a time-stamp over what is not here", extended(named, bare), notes=("timestamp-invalid",))
    for what, content, inside in (
        (
            "of two References, the other way round",
            OBJECT_SIGNED + exclusive(LETTER % ""),
            _include("#r2", "true") + _include("#r1", "true"),
        ),
        ("of one Reference", exclusive(LETTER % ""), _include("#r1", "true")),
    ):
        some = stamp("IndividualDataObjectsTimeStamp", content, world.authority, MOMENT, inside=inside)
        yield "B-B", Case(f"time-stamp over the data {what}", good.but(data_more=some, second=True).sign())
    blt = valued(bt, world)
    text = blt.decode().replace("<x:CertificateValues>", '<x:CertificateValues Id="cv">', 1).encode()
    content = archive_content(text)
    rest = canonical(text, EXC, "//x:UnsignedSignatureProperties/*")
    at = content.index(rest)
    content = content[:at] + canonical(text, EXC, "//x:CertificateValues") + content[at + len(rest) :]
    spread = stamp("ArchiveTimeStamp", content, world.authority, LATER, prefix="y", inside=_include("#cv"))
    yield "B-LTA", Case("an archive time-stamp that names its evidence", extended(text, spread), stamped=True)


def _include(uri: str, referenced: str = "") -> str:
    return f'<x:Include URI="{uri}"{f" referencedData={chr(34)}{referenced}{chr(34)}" if referenced else ""}/>'


def signed_with_ids(making: Making) -> bytes:
    """Its SignatureValue has an Id."""
    return with_xmlsec((LETTER % making.template()).replace("<ds:SignatureValue>", '<ds:SignatureValue Id="v">', 1), making.signer)


def defects(world: World) -> Iterator[Case]:
    """One wrong thing in each."""
    good = plain(world)

    def case(name: str, data: bytes, *codes: str, integrity: str = "ok") -> Case:
        return Case(name, data, None, codes, integrity)

    named = signed_with_ids(good)
    for what, uri in (("by an id that is another's", "#s"), ("of the certificate", "#k")):
        at = named.decode().replace("<ds:KeyInfo>", '<ds:KeyInfo Id="k">').encode()
        wrong = stamp("SignatureTimeStamp", canonical(at, EXC, "//ds:KeyInfo"), world.authority, MOMENT, inside=_include(uri))
        yield case(f"a signature time-stamp over something {what}", extended(at, wrong), "timestamp-invalid")
    late = stamp("SignatureTimeStamp", b"another value", world.authority, MOMENT, inside=_include("#v"))
    yield case("a time-stamp that names the value and is over another", extended(named, late), "timestamp-invalid")
    swapped = stamp(
        "IndividualDataObjectsTimeStamp",
        exclusive(LETTER % "") + OBJECT_SIGNED,
        world.authority,
        MOMENT,
        inside=_include("#r2", "true") + _include("#r1", "true"),
    )
    yield case("a time-stamp over data in another order", good.but(data_more=swapped, second=True).sign(), "timestamp-invalid")
