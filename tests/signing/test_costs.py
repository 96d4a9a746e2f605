"""What a signature may cost before anybody trusts its key: every hostile one is judged within a second and says why."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest

from schemas.agency import AgencyCode
from schemas.errors import Refused
from schemas.message import VerdictStatus
from schemas.xml import parse
from signing import verify
from signing.algorithms import DEFAULT_CANONICALIZATION, ENVELOPED, EXC_C14N
from signing.context import Context, Demand
from signing.trust import TrustStore
from tests.signing.material import AT, PACKET, SENDER, Forger, policy, reasons

MAX_SECONDS = 1.0
Write = Callable[[Forger], bytes]


def declarations(count: int, before: str = "p") -> str:
    return "".join(f' xmlns:{before}{n}="urn:{n}"' for n in range(count))


def on_the_root(count: int, raw: bytes = PACKET) -> bytes:
    return raw.replace(b"<edXML ", f"<edXML{declarations(count)} ".encode(), 1)


def with_elements(count: int, raw: bytes = PACKET) -> bytes:
    return raw.replace(b"</edXML:To>", b"<edXML:x/>" * count + b"</edXML:To>", 1)


def inclusive(forger: Forger) -> Forger:
    transforms = f'<ds:Transform Algorithm="{ENVELOPED}"/><ds:Transform Algorithm="{DEFAULT_CANONICALIZATION}"/>'
    return forger.but(transforms=transforms, c14n=EXC_C14N)


def in_signed_info(text: str, raw: bytes) -> bytes:
    return raw.replace(b"</ds:SignedInfo>", text.encode() + b"</ds:SignedInfo>", 1)


REFERENCE = '<ds:Reference URI=""><ds:DigestMethod Algorithm="urn:x"/><ds:DigestValue>AAAA</ds:DigestValue></ds:Reference>'

# What is written → the deciding reason
HOSTILE: dict[str, tuple[Write, str]] = {
    "64 declarations above SignedInfo": (lambda forger: on_the_root(64, forger.sign(PACKET)), "resource-limit"),
    "990 declarations above an inclusive SignedInfo": (
        lambda forger: on_the_root(990, forger.but(c14n=DEFAULT_CANONICALIZATION).sign(PACKET)),
        "resource-limit",
    ),
    "990 declarations inside SignedInfo": (
        lambda forger: in_signed_info("".join(f"<ds:a{declarations(1, f'p{n}')}/>" for n in range(990)), forger.sign(PACKET)),
        "resource-limit",
    ),
    "a SignedInfo of 20 MB": (lambda forger: in_signed_info(" " * 20_000_000, forger.sign(PACKET)), "resource-limit"),
    "a SignedInfo of 20 MB in a comment": (
        lambda forger: in_signed_info(f"<!--{' ' * 1_000_000}-->" * 20, forger.sign(PACKET)),
        "resource-limit",
    ),
    "a SignedInfo of 20 MB in an attribute": (
        lambda forger: in_signed_info("".join(f'<ds:x a="{" " * 1_000_000}"/>' for _ in range(20)), forger.sign(PACKET)),
        "resource-limit",
    ),
    "40,000 References": (lambda forger: in_signed_info(REFERENCE * 40_000, forger.sign(PACKET)), "resource-limit"),
    "190,000 elements in SignedInfo": (lambda forger: in_signed_info("<ds:x/>" * 190_000, forger.sign(PACKET)), "resource-limit"),
    "a good signature by 50 declarations over 50,000 elements": (
        lambda forger: inclusive(forger).sign(on_the_root(50, with_elements(50_000))),
        "resource-limit",
    ),
    "declarations where SignedInfo does not see them, over 2,000 elements": (
        lambda forger: inclusive(forger).sign(
            PACKET.replace(b"</edXML>", f"<e{declarations(900)}>{'<f/>' * 2_000}</e></edXML>".encode()),
        ),
        "resource-limit",
    ),
}


@pytest.mark.parametrize(("write", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_a_dear_signature_is_refused_at_once(write: Write, reason: str, forger: Forger, trust: TrustStore) -> None:
    tree = parse(write(forger))
    start = time.process_time()
    verdict = verify.judge(tree, AgencyCode.of(SENDER), policy(), Context(trust, AT, demand=Demand.NONE))
    assert time.process_time() - start < MAX_SECONDS
    assert verdict.status is VerdictStatus.INVALID
    assert verdict.reasons[0] == reason


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_20_000_declarations_reach_no_signature_in_any_encoding(encoding: str, forger: Forger) -> None:
    text = re.sub(r"^<\?xml[^>]*\?>", "", on_the_root(20_000, forger.sign(PACKET)).decode())
    start = time.process_time()
    with pytest.raises(Refused) as refused:
        parse(text.strip().encode(encoding))
    assert time.process_time() - start < MAX_SECONDS
    assert refused.value.code == "resource-limit"


def test_what_an_honest_toolkit_declares_is_taken(forger: Forger, trust: TrustStore) -> None:
    for one in (forger, inclusive(forger)):
        assert "resource-limit" not in reasons(one.sign(on_the_root(50)), trust)
    assert reasons(forger.sign(on_the_root(50)), trust) == ()
