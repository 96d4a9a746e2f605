"""The whole procedure over every vector of every form: no forgery is valid, no honest file is refused, and the reason is the right one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from schemas.edxml.packing import File
from schemas.message import LegalValue, VerdictStatus
from signing.container import Kind
from signing.trust import TrustStore
from tests import packets
from tests.signing.judged_files import crl, judged
from tests.signing.signed_files import JUDGED_AT, world
from tests.signing.test_xades import DEFECTS as XADES_DEFECTS
from tests.signing.test_xades import HONEST as XADES
from tests.signing.test_xml_signature import DEFECTS as XML_DEFECTS
from tests.signing.test_xml_signature import HONEST as XML
from tests.vectors import build_asic, build_cms, build_pdf, build_tsr, sign_pdf
from tests.vectors.build_xml import CONTENT
from tests.vectors.case import Case
from tests.vectors.forge_cms import Forger, token

VALID, INVALID, OPEN = VerdictStatus.VALID, VerdictStatus.INVALID, VerdictStatus.INDETERMINATE

# Vectors that know nothing of paths, and whose signers this world's CA did not issue, or not yet then.
OTHERS = {"p384", "p521", "Ed25519", "a digest by SHA-3"}
OF_2016 = {"SHA-1 with a time-stamp of then", "SHA-1 digests, proven to be old"} | {
    name for name in build_pdf.honest_builders() if "of 2016" in name
}
ELSEWHERE = {"nobody has the certificate", "ASiC-E with XAdES, handed on"}  # there is more at hand here; another reader stands in there


def _cases() -> dict[str, tuple[Kind, Callable[[], Case]]]:
    found: dict[str, tuple[Kind, Callable[[], Case]]] = {}
    for kind, cases in (
        (Kind.CMS, build_cms.cases(world())),
        (Kind.TSR, build_tsr.cases(world())),
        (Kind.ASIC, build_asic.cases(world())),
        (Kind.XML, [*XML.values(), *XML_DEFECTS.values(), *(case for _, case in XADES.values()), *XADES_DEFECTS.values()]),
    ):
        found |= {f"{kind}: {case.name}": (kind, partial(_same, case)) for case in cases if case.name not in ELSEWHERE}
    for name, build in build_pdf.honest_builders().items():
        found[f"pdf: {name}"] = (Kind.PDF, partial(build, world()))
    for defect in build_pdf.DEFECTS:
        found[f"pdf: {defect.__name__.replace('_', ' ')}"] = (Kind.PDF, partial(defect, world()))
    return found


def _same(case: Case) -> Case:
    return case


CASES = _cases()


@pytest.mark.parametrize(("kind", "build"), CASES.values(), ids=CASES.keys())
def test_a_vector_has_the_verdict_that_it_ought_to_have(kind: Kind, build: Callable[[], Case]) -> None:
    case = build()
    found = judged(case.data, case.content, kind).verdict
    if case.name.startswith(tuple(OTHERS)) and not case.reasons:
        assert found.reasons == ("self-signed",)
    elif case.name in OF_2016:
        assert found.reasons == ("not-yet-valid",)
    elif case.name == build_pdf.STAMPED_ONLY:
        assert (found.reasons, found.legal_value) == (("no-signature",), LegalValue.FOR_INFORMATION)
        assert [(one.kind, one.status) for one in found.signatures] == [("pdf-timestamp", VALID)]
    elif not case.reasons and case.findings:
        assert (found.status, found.reasons) == (VALID, ())
    else:
        assert found.status is not VALID
        assert set(found.reasons) & set(case.reasons or ("no-signature",))
    assert found.as_json()["accepted"] == (found.status is VALID)


ATTACHED = {  # what an unsigned packet carries → verdict, the deciding reason, legal value
    "a signed PDF": (["signed.pdf"], (VALID, "", LegalValue.ORIGINAL)),
    "two": (["signed.pdf", "signed.p7m"], (VALID, "", LegalValue.ORIGINAL)),
    "a changed PDF": (["changed.pdf"], (INVALID, "tampered", LegalValue.NONE)),
    "a good one and a changed one": (["signed.pdf", "changed.pdf"], (INVALID, "tampered", LegalValue.NONE)),
    "nothing signed": (["plain.pdf"], (INVALID, "no-signature", LegalValue.FOR_INFORMATION)),
    "no PDF at all": (["ruined.pdf", "page.html", "0.txt"], (INVALID, "no-signature", LegalValue.FOR_INFORMATION)),
    "a signed one beside one that nobody signed": (["signed.pdf", "plain.pdf"], (INVALID, "no-signature", LegalValue.FOR_INFORMATION)),
}


def _file(name: str) -> File:
    made: dict[str, Callable[[], bytes]] = {
        "signed.pdf": lambda: build_pdf.one(world()),
        "signed.p7m": lambda: build_cms.openssl(world().person, "-nodetach"),
        "changed.pdf": lambda: build_pdf.text_changed(world()).data,
        "plain.pdf": lambda: sign_pdf.BASE,
        "ruined.pdf": lambda: packets.PDF,
        "page.html": lambda: b"<!DOCTYPE html><html><p>no <b>XML</html>",
        "0.txt": lambda: b"0 is how a SEQUENCE begins, too",
    }
    return File(name, made[name]())


@pytest.mark.parametrize(("files", "expected"), ATTACHED.values(), ids=ATTACHED.keys())
def test_the_files_of_a_packet_answer_for_it(files: list[str], expected: tuple[VerdictStatus, str, LegalValue]) -> None:
    raw = packets.document(attachments=[_file(name) for name in files])
    found = judged(raw).verdict
    assert (found.status, (*found.reasons, "")[0], found.legal_value) == expected
    assert [one.name for one in found.attachments] == files
    assert [one.kind for one in found.attachments][:1] == [files[0].partition(".")[2]]


STATUS = {  # changes of the context → verdict, reasons, legal value, of one CMS signature
    "its status is not known": ({"crls": ()}, (OPEN, ("revocation-unknown",), LegalValue.PENDING)),
    "it was revoked": ({"crls": (crl("person"),)}, (INVALID, ("revoked",), LegalValue.NONE)),
    "nobody is trusted": ({"trust": TrustStore()}, (INVALID, ("untrusted-chain",), LegalValue.NONE)),
    "only its own certificate is trusted": (
        {"trust": TrustStore((world().person.certificate,)), "crls": ()},
        (VALID, (), LegalValue.ORIGINAL),
    ),
    "it has expired, whatever it claims": (
        {"at": JUDGED_AT + timedelta(days=6 * 365)},
        (OPEN, ("expired", "revocation-unknown"), LegalValue.NONE),
    ),
    "it was not valid yet": (
        {"at": JUDGED_AT - timedelta(days=900)},
        (INVALID, ("not-yet-valid", "revocation-unknown"), LegalValue.NONE),
    ),
}


@pytest.mark.parametrize(("changes", "expected"), STATUS.values(), ids=STATUS.keys())
def test_path_and_status_decide_over_a_sound_signature(
    changes: dict[str, Any], expected: tuple[VerdictStatus, tuple[str, ...], LegalValue]
) -> None:
    data = Forger(world().person, claimed=JUDGED_AT - timedelta(days=2)).sign(build_cms.CONTENT)
    found = judged(data, build_cms.CONTENT, **changes).verdict
    assert (found.status, found.reasons, found.legal_value) == expected
    assert found.signatures[0].time_source == "claimed"
    assert found.signatures[0].integrity == "ok"


def test_a_trusted_time_stamp_keeps_a_signature_from_before_the_revocation() -> None:
    stamped_at = JUDGED_AT - timedelta(days=12)
    data = build_cms.stamped(Forger(world().person), build_cms.CONTENT, lambda value: token(world().authority, value, stamped_at))
    found = judged(data, build_cms.CONTENT, crls=(crl("person"),)).verdict
    assert (found.status, found.signatures[0].time_source) == (VALID, "rfc3161")
    later = judged(data, build_cms.CONTENT, crls=(crl("person", JUDGED_AT - timedelta(days=20)),)).verdict
    assert later.reasons == ("revoked",)
    untrusted = judged(data, build_cms.CONTENT, crls=(crl("authority", JUDGED_AT - timedelta(days=20)),)).verdict
    assert (untrusted.status, untrusted.reasons) == (INVALID, ("timestamp-invalid",))


def test_a_document_stamp_is_judged_and_a_later_one_protects_it() -> None:
    raw = sign_pdf.archived(world(), JUDGED_AT - timedelta(days=12))
    assert judged(raw).verdict.status is VALID
    assert "revoked" in judged(raw, crls=(crl("authority"),)).verdict.reasons  # its stamps are judged as of now


def test_what_is_missing_is_not_what_is_wrong() -> None:
    case = build_cms.content_missing(world())
    found = judged(case.data).verdict
    assert (found.status, found.reasons) == (OPEN, ("reference-missing",))
    assert judged(build_tsr.content_missing(world()).data, kind=Kind.TSR).verdict.status is OPEN


def test_detached_content_for_xml_is_taken_from_the_caller() -> None:
    case = next(case for case in XML.values() if case.content is not None)
    assert judged(case.data, CONTENT).verdict.status is VALID
    assert judged(case.data).verdict.status is not VALID
