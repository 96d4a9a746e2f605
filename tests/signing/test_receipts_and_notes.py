"""What the hub signs itself: receipts and notes. Byte for byte, or not at all."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Refused
from signing.note import NoteSigner, NoteVerifier, open_note, sign_note
from signing.sign import RECEIPT_DOMAIN, Ed25519Signer, sign_packet, sign_receipt, verify_receipt

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
KNOWN = {"k1": KEY.public_key()}
PAYLOAD = {"message_id": "0b0c", "index": 7, "at": "2026-11-21T03:04:05.000006Z", "from": "Cơ quan"}
RECEIPT = sign_receipt(PAYLOAD, KEY, "k1")

# The example in the documentation of golang.org/x/mod/sumdb/note
GOPHER_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GOPHER_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GOPHER_LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"


def test_a_receipt_says_what_was_signed() -> None:
    assert verify_receipt(RECEIPT, KNOWN) == json.loads(RECEIPT)
    assert {**PAYLOAD, "key_id": "k1"}.items() <= verify_receipt(RECEIPT, KNOWN).items()
    assert Ed25519Signer("k1", KEY).sign_receipt(PAYLOAD) == RECEIPT


def test_a_receipt_can_be_checked_with_nothing_but_the_specification() -> None:
    body = json.loads(RECEIPT)
    signature = base64.b64decode(body.pop("signature"))
    plain = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    KEY.public_key().verify(signature, b"lgsp-hub receipt v1\n" + plain)
    assert RECEIPT_DOMAIN == b"lgsp-hub receipt v1\n"


BAD_RECEIPTS = {
    "empty": b"",
    "not JSON": b"{",
    "not UTF-8": b"\xff",
    "a list": b"[]",
    "no signature": b"{}",
    "a space more": RECEIPT.replace(b":7", b": 7"),
    "a number written otherwise": RECEIPT.replace(b":7", b":7.0"),
    "another index": RECEIPT.replace(b":7", b":8"),
    "a member more": RECEIPT.replace(b'"index"', b'"a":1,"index"'),
    "a member twice": RECEIPT.replace(b'"index":7', b'"index":7,"index":7'),
    "another key id": RECEIPT.replace(b"k1", b"k2"),
    "another key": sign_receipt(PAYLOAD, OTHER, "k1"),
    "the key of someone unknown": sign_receipt(PAYLOAD, OTHER, "k9"),
    "a signature without the receipts' domain": RECEIPT.replace(
        json.loads(RECEIPT)["signature"].encode(),
        base64.b64encode(KEY.sign(json.dumps({**PAYLOAD, "key_id": "k1"}, sort_keys=True, separators=(",", ":")).encode())),
    ),
    "no base64": RECEIPT.replace(json.loads(RECEIPT)["signature"].encode(), b"@@@"),
    "nested without end": b"[" * 60_000,
    "a huge number": b'{"n":1e400}',
    "huge": b'{"a":"' + b"x" * 70_000 + b'"}',
}


@pytest.mark.parametrize("body", BAD_RECEIPTS.values(), ids=BAD_RECEIPTS.keys())
def test_a_receipt_that_is_not_the_hubs_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as caught:
        verify_receipt(body, KNOWN)
    assert caught.value.code == "receipt-invalid"


@given(place=st.integers(0, len(RECEIPT) - 1), byte=st.integers(0, 255))
def test_any_other_byte_makes_a_receipt_worthless(place: int, byte: int) -> None:
    changed = RECEIPT[:place] + bytes([byte]) + RECEIPT[place + 1 :]
    if changed != RECEIPT:
        with pytest.raises(Refused):
            verify_receipt(changed, KNOWN)


def test_no_known_key_means_no_receipt_is_believed() -> None:
    with pytest.raises(Refused):
        verify_receipt(RECEIPT, {})


def test_the_published_note_is_read() -> None:
    verifier = NoteVerifier.of(GOPHER_KEY)
    assert verifier.text == GOPHER_KEY
    assert open_note(GOPHER_TEXT + "\n" + GOPHER_LINE, [verifier]) == (GOPHER_TEXT, ("PeterNeumann",))


LOG, WITNESS = NoteSigner("hub.example/log", KEY), NoteSigner("witness.example/w1", OTHER)
VERIFIERS = [NoteVerifier.of(LOG.verifier_key), NoteVerifier.of(WITNESS.verifier_key)]
NOTE = sign_note("hub.example/log\n7\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n", [LOG, WITNESS])


def test_a_note_names_those_who_signed_it() -> None:
    assert open_note(NOTE, VERIFIERS)[1] == ("hub.example/log", "witness.example/w1")
    assert open_note(NOTE.encode(), VERIFIERS[:1])[1] == ("hub.example/log",)  # the witness's key is unknown here
    assert open_note(NOTE + NOTE.rpartition("\n\n")[2], VERIFIERS)[1] == ("hub.example/log", "witness.example/w1")  # once each


def test_a_text_may_hold_empty_lines() -> None:
    text = "a\n\n— b c\n\nđ\n"
    assert open_note(sign_note(text, [LOG]), VERIFIERS)[0] == text


BAD_NOTES = {
    "another text": NOTE.replace("\n7\n", "\n8\n"),
    "no signature": "text\n\n",
    "no empty line": "text\n— a b\n",
    "cut in the last line": NOTE[:-1],
    "a hyphen for the dash": NOTE.replace("—", "-"),
    "a wrong signature of a known key": NOTE.replace(NOTE.splitlines()[-1][-20:], "A" * 19 + "="),
    "a control character": NOTE.replace("7", "7\x00"),
    "carriage returns": NOTE.replace("\n", "\r\n"),
    "only unknown keys": sign_note("x\n", [NoteSigner("someone.else", OTHER)]),
    "a namesake": sign_note("x\n", [NoteSigner(LOG.name, OTHER)]),
    "too many signatures": "x\n\n" + "— a AAAAAAAAAA==\n" * 101,
    "an empty note": "",
}


@pytest.mark.parametrize("note", BAD_NOTES.values(), ids=BAD_NOTES.keys())
def test_a_note_that_is_not_as_it_was_signed_is_refused(note: str) -> None:
    with pytest.raises(Refused) as caught:
        open_note(note, VERIFIERS)
    assert caught.value.code == "note-invalid"


def test_bytes_that_are_not_text_are_refused() -> None:
    with pytest.raises(Refused):
        open_note(b"\xff\n\n", VERIFIERS)


BAD_KEYS = ["", "a+b", "name+00000000+" + GOPHER_KEY.rpartition("+")[2], GOPHER_KEY.replace("PeterNeumann", "Peter"), GOPHER_KEY[:-4]]


@pytest.mark.parametrize("text", BAD_KEYS)
def test_a_verifier_key_that_does_not_fit_itself_is_refused(text: str) -> None:
    with pytest.raises(Refused) as caught:
        NoteVerifier.of(text)
    assert caught.value.code == "note-invalid"


@pytest.mark.parametrize("text", ["no newline", "tab\there\n", "cr\r\n"])
def test_a_text_that_no_note_can_carry_is_a_programmers_mistake(text: str) -> None:
    with pytest.raises(RuntimeError):
        sign_note(text, [LOG])


UNSIGNABLE = {
    "no header": (b"<edXML/>", "header"),
    "two headers": (b"<a><edXMLHeader></edXMLHeader><edXMLHeader></edXMLHeader></a>", "header"),
    "a header in a comment": (b"<edXML><!-- <edXMLHeader></edXMLHeader> --></edXML>", "header"),
    "a header in the wrong place": (b"<edXML><edXMLHeader></edXMLHeader></edXML>", "header"),
    "no end tag": (b"<edXML/>", "root"),
    "another encoding": ("<edXML><edXMLEnvelope><edXMLHeader></edXMLHeader></edXMLEnvelope></edXML>".encode("utf-16"), "header"),
}


@pytest.mark.parametrize(("raw", "parent"), UNSIGNABLE.values(), ids=UNSIGNABLE.keys())
def test_what_has_no_place_for_a_signature_cannot_be_signed(raw: bytes, parent: str) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec

    with pytest.raises(Refused) as caught:
        sign_packet(raw, ec.generate_private_key(ec.SECP256R1()), [], parent=parent)
    assert caught.value.code in ("cannot-sign", "wrapping", "malformed-xml")
