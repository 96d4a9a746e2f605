"""Packets that are signed here, verified by others: xmlsec1, signxml, openssl; and by our own verifier."""

from __future__ import annotations

import base64
import itertools
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import xmlsec
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier

from schemas.errors import Refused
from schemas.xml import parse
from signing import on_behalf
from signing.sign_xml import XADES, Properties, Shape, sign
from tests.signing.authority import Running, openssl, serving
from tests.signing.material import PACKET
from tests.signing.signers import NOW, credential, folder, world
from tests.vectors.case import run

DS = "{http://www.w3.org/2000/09/xmldsig#}"
MOMENT = datetime(2026, 11, 20, 1, 2, 3, 456789, tzinfo=UTC)
SHAPES = {
    f"{'exclusive' if exclusive else 'inclusive'}, {parent}, {prefix or 'no prefix'}, {'by id' if by_id else 'whole'}": Shape(
        exclusive=exclusive, parent=parent, prefix=prefix, reference_id=by_id
    )
    for exclusive, parent, prefix, by_id in itertools.product((True, False), ("header", "root"), ("ds", ""), (False, True))
}


@pytest.fixture(scope="module")
def tsa() -> Iterator[Running]:
    with serving(openssl(world().authority, folder())) as running:
        yield running


def check_by_xmlsec(raw: bytes, trusted: str) -> None:
    """Signature value, every reference, and the path to the CA."""
    root = etree.fromstring(raw)
    manager = xmlsec.KeysManager()
    manager.load_cert(trusted, xmlsec.constants.KeyDataFormatPem, xmlsec.constants.KeyDataTypeTrusted)
    context = xmlsec.SignatureContext(manager)  # type: ignore[call-arg]
    for element in root.iter("*"):
        if "Id" in element.attrib:
            context.register_id(element, "Id")
    context.verify(next(root.iter(f"{DS}Signature")))


@pytest.mark.parametrize("name", ["person", "elliptic"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
@pytest.mark.parametrize("properties", [None, Properties(MOMENT, ("on_behalf_of H32.01", "Văn thư <&>"))], ids=["XMLDSig", "XAdES"])
def test_others_verify_what_is_signed_here(shape: Shape, name: str, properties: Properties | None) -> None:
    signed = sign(PACKET, credential(getattr(world(), name)), shape=shape, properties=properties)
    check_by_xmlsec(signed, world().ca.certificate_path)
    changed = signed.replace("Khánh Hòa".encode(), "Khánh Hoà".encode(), 1)
    with pytest.raises(xmlsec.Error):
        check_by_xmlsec(changed, world().ca.certificate_path)


@pytest.mark.skipif(not shutil.which("xmlsec1"), reason="xmlsec1 is not installed")
def test_the_command_xmlsec1_verifies_a_time_stamped_one(tsa: Running, tmp_path: Path) -> None:
    signed = sign(PACKET, credential(world().person), properties=Properties(MOMENT), authority=tsa.client())
    (tmp_path / "packet.xml").write_bytes(signed)
    ids = ("--id-attr:Id", f"{XADES}:SignedProperties")
    command = ("xmlsec1", "--verify", "--enabled-key-data", "x509", "--trusted-pem", world().ca.certificate_path, *ids)
    done = subprocess.run([*command, tmp_path / "packet.xml"], capture_output=True, check=False)
    assert (done.returncode, b"(ok/all): 2/2" in done.stderr) == (0, True), done.stderr


@pytest.mark.parametrize("name", ["person", "elliptic"])
def test_signxml_takes_it_for_xades(name: str) -> None:
    signer = getattr(world(), name)
    signed = sign(PACKET, credential(signer), properties=Properties(MOMENT))
    wanted = XAdESSignatureConfiguration(expect_references=2)
    found = XAdESVerifier().verify(signed, x509_cert=signer.certificate, expect_config=wanted)
    assert {one.signed_xml.tag for one in found if one.signed_xml is not None} >= {f"{{{XADES}}}SignedProperties"}


def test_the_signed_properties_say_what_baseline_asks_for() -> None:
    root = etree.fromstring(sign(PACKET, credential(world().person), properties=Properties(MOMENT)))
    texts = {etree.QName(one).localname: one.text for one in root.iter(f"{{{XADES}}}*")}
    assert (texts["SigningTime"], texts["MimeType"]) == ("2026-11-20T01:02:03Z", "text/xml")
    reference = next(one for one in root.iter(f"{DS}Reference") if one.get("Type"))
    properties = next(root.iter(f"{{{XADES}}}SignedProperties"))
    about = next(root.iter(f"{{{XADES}}}DataObjectFormat")).get("ObjectReference")
    target = next(root.iter(f"{{{XADES}}}QualifyingProperties")).get("Target")
    signature = next(root.iter(f"{DS}Signature"))
    assert (reference.get("URI"), target) == (f"#{properties.get('Id')}", f"#{signature.get('Id')}")
    assert about in {f"#{one.get('Id')}" for one in root.iter(f"{DS}Reference")}
    path = [etree.QName(one).localname for one in signature.iterancestors()]
    assert path == ["edXMLHeader", "edXMLEnvelope", "edXML"]


def test_the_time_stamp_is_over_the_canonical_signature_value(tsa: Running, tmp_path: Path) -> None:
    root = etree.fromstring(sign(PACKET, credential(world().elliptic), properties=Properties(MOMENT), authority=tsa.client()))
    value = next(root.iter(f"{DS}SignatureValue"))
    (tmp_path / "value").write_bytes(etree.tostring(value, method="c14n", exclusive=True))
    (tmp_path / "token").write_bytes(base64.b64decode(next(root.iter(f"{{{XADES}}}EncapsulatedTimeStamp")).text or ""))
    files = ("-data", tmp_path / "value", "-in", tmp_path / "token", "-token_in", "-CAfile", world().ca.certificate_path)
    assert b"OK" in run("openssl", "ts", "-verify", *files)
    assert tsa.asked[-1][0] == "application/timestamp-query"


@pytest.mark.parametrize("encoding", ["UTF-8", "windows-1258", "US-ASCII"])
def test_every_other_byte_stays_as_it_was(encoding: str) -> None:
    text = PACKET.decode().replace("UTF-8", encoding)
    raw = text.encode(encoding, "xmlcharrefreplace")
    signed = sign(raw, credential(world().elliptic), properties=Properties(MOMENT, ("Văn thư",)))
    at, end = signed.index(b"<ds:Signature "), signed.index(b"</ds:Signature>") + len(b"</ds:Signature>")
    assert signed[:at] + signed[end:] == raw
    assert b"V&#259;n th&#432;" in signed[at:end]
    check_by_xmlsec(signed, world().ca.certificate_path)


def parseable(text: str) -> bool:
    """XML 1.0 can carry it."""
    return not any(ch in "\ufffe\uffff" or ord(ch) & 0xFFFE == 0xFFFE for ch in text)


@settings(max_examples=25, deadline=None)
@given(role=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(parseable))
def test_no_role_breaks_out_of_its_element(role: str) -> None:
    root = etree.fromstring(sign(PACKET, credential(world().elliptic), properties=Properties(MOMENT, (role,))))
    assert [one.text for one in root.iter(f"{{{XADES}}}ClaimedRole")] == [role]


@pytest.mark.parametrize("raw", [sign(PACKET, credential(world().elliptic))], ids=["signed already"])
def test_what_is_signed_is_not_signed_again(raw: bytes) -> None:
    with pytest.raises(Refused) as caught:
        sign(raw, credential(world().person))
    assert caught.value.code == "cannot-sign"


def test_a_signature_on_behalf_of_somebody_is_marked_and_no_other_is() -> None:
    def marks(*roles: str) -> list[str]:
        signed = sign(PACKET, credential(world().elliptic), properties=Properties(NOW, roles))
        return [one.code for one in on_behalf.marks(parse(signed))]

    assert marks(on_behalf.role("H32.01")) == ["on-behalf-of"]
    assert marks() == marks("Chánh Văn phòng") == marks("not on_behalf_of anybody") == []
