"""What holds for any change, not only for those that we thought of."""

from __future__ import annotations

import re
from copy import deepcopy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from hub.demo.pki import Identity
from schemas.errors import Refused
from schemas.message import VerdictStatus
from schemas.xml import canonical, parse
from signing import integrity, xmldsig
from signing.algorithms import CANONICALIZATIONS, DSIG, EXC_C14N
from signing.cms_value import Method
from signing.integrity import Plan
from signing.sign import sign_packet
from signing.trust import TrustStore
from tests.signing.material import ELLIPTIC, PACKET, verdict

QUICK = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
HEADER_END = b"</edXML:edXMLHeader>"


def content(raw: bytes) -> bytes:
    """What a packet says: its canonical form, the signature left out."""
    root = parse(raw).root
    for signature in list(root.iter(f"{{{DSIG}}}Signature")):
        before, parent = signature.getprevious(), signature.getparent()
        assert parent is not None
        if before is not None:
            before.tail = (before.tail or "") + (signature.tail or "")
        else:
            parent.text = (parent.text or "") + (signature.tail or "")
        parent.remove(signature)
    return canonical(root, exclusive=False, whole_document=True)


@QUICK
@given(data=st.data())
def test_any_change_of_one_byte_is_refused_or_changes_nothing_that_is_said(
    data: st.DataObject, elliptic: Identity, trust: TrustStore
) -> None:
    signed = sign_packet(PACKET, elliptic.key, elliptic.chain)
    place = data.draw(st.integers(0, len(signed) - 1))
    changed = signed[:place] + bytes([data.draw(st.integers(0, 255))]) + signed[place + 1 :]
    try:
        found = verdict(changed, trust)
    except Refused:
        return  # no longer XML that the hub takes
    if found.status is VerdictStatus.VALID:
        assert content(changed) == content(signed)
        assert found.signatures[0].certificate_sha256 == elliptic.sha256


@QUICK
@given(data=st.data())
def test_any_piece_cut_out_or_doubled_is_refused_or_changes_nothing_that_is_said(
    data: st.DataObject, elliptic: Identity, trust: TrustStore
) -> None:
    signed = sign_packet(PACKET, elliptic.key, elliptic.chain, prefix="")
    tags = [m.start() for m in re.finditer(rb"[<>]", signed)]
    start, end = sorted((data.draw(st.sampled_from(tags)), data.draw(st.sampled_from(tags))))
    piece = signed[start:end]
    changed = signed[:start] + data.draw(st.sampled_from([b"", piece + piece, b"<!--" + piece + b"-->"])) + signed[end:]
    try:
        found = verdict(changed, trust)
    except Refused:
        return
    if found.status is VerdictStatus.VALID:
        assert content(changed) == content(signed)


NAMES = st.sampled_from(["a", "ds:Signature", "Signature", "b:c", "ds:SignatureValue"])
TEXTS = st.text("ab<&>\"' \t\nệ]", max_size=6)


@st.composite
def trees(draw: st.DrawFn, depth: int = 3) -> etree._Element:
    """Elements whose names and text look like a signature's."""
    spaces = {None: "urn:default", "ds": draw(st.sampled_from(["urn:other", "urn:default"])), "b": "urn:b"}
    prefix, _, local = draw(NAMES).rpartition(":")
    element = etree.Element(f"{{{spaces[prefix or None]}}}{local}", nsmap=spaces, attrib={"at": draw(TEXTS)})
    element.text = draw(TEXTS)
    for child in draw(st.lists(trees(depth - 1) if depth else st.nothing(), max_size=3)) if depth else []:
        element.append(child)
        child.tail = draw(TEXTS)
    if draw(st.booleans()):
        element.append(etree.ProcessingInstruction("p", draw(st.sampled_from(["<ds:Signature >", "</ds:Signature>", "</Signature>", "x"]))))
        element.append(etree.Comment(draw(st.sampled_from(["</ds:Signature>", "<Signature>"]))))
    return element


@QUICK
@given(tree=trees(), prefix=st.sampled_from(["ds", None]), exclusive=st.booleans(), at=st.integers(0, 5), tail=TEXTS)
def test_cutting_the_signature_out_of_canonical_bytes_is_leaving_it_out_of_the_tree(
    tree: etree._Element, prefix: str | None, exclusive: bool, at: int, tail: str
) -> None:
    signature = etree.Element(xmldsig.SIGNATURE, nsmap={prefix: DSIG})
    etree.SubElement(signature, f"{{{DSIG}}}SignatureValue").text = "AA=="
    signature.tail = tail
    places = list(tree.iter("*"))
    host = places[at % len(places)]
    host.insert(at % (len(host) + 1), signature)
    root = parse(etree.tostring(tree, encoding="UTF-8")).root
    form = CANONICALIZATIONS[EXC_C14N] if exclusive else next(c for c in CANONICALIZATIONS.values() if not c.exclusive)
    plan = Plan(Method("rsa-pkcs1", "sha256"), "sha256", form, ())
    before = etree.tostring(root)
    found = integrity.enveloped_octets(root, next(root.iter(xmldsig.SIGNATURE)), plan, whole_document=True)
    assert etree.tostring(root) == before  # the shared tree stays as it is
    copy = deepcopy(root)
    bare = next(copy.iter(xmldsig.SIGNATURE))
    parent = bare.getparent()
    assert parent is not None
    marker = etree.Comment("left out with all comments")
    marker.tail = bare.tail
    parent.replace(bare, marker)
    assert b"".join(found) == canonical(copy, exclusive=exclusive, whole_document=True)


@pytest.mark.parametrize("prefix", ["ds", ""])
def test_a_placeholder_of_the_same_name_beside_the_real_signature_is_content(prefix: str, elliptic: Identity, trust: TrustStore) -> None:
    """Two elements with one literal name: the cut would be in doubt, the copy is not."""
    dummy = b'<ds:Signature xmlns:ds="http://www.mic.gov.vn/TBT/QCVN_102_2016">x</ds:Signature><Signature>x</Signature>'
    signed = sign_packet(PACKET.replace(HEADER_END, dummy + HEADER_END), elliptic.key, elliptic.chain, prefix=prefix)
    assert verdict(signed, trust).status is VerdictStatus.VALID
    assert verdict(signed.replace(b">x<", b">y<", 1), trust).reasons == ("tampered",)
    assert verdict(signed.replace(ELLIPTIC.encode(), b"H1"), trust).reasons == ("tampered",)
