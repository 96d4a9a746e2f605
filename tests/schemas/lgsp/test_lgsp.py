"""LGSP messages in XML: read with their typing errors, every fault at its element and line, written as the schema has them."""

from __future__ import annotations

import re

import pytest
from lxml import etree

from schemas.dvcqg.examples import example_of
from schemas.dvcqg.kinds import MessageKind, kinds
from schemas.dvcqg.shape import Kind, Shape, fields_of
from schemas.dvcqg.xsd import xsd
from schemas.errors import Refused
from schemas.lgsp.documents import MStatistic, MSyncDocument
from schemas.lgsp.reader import read_xml
from schemas.lgsp.writer import write_xml
from schemas.xml import child_elements, load_schema, local_name, parse
from tests.schemas.dvcqg.messages import FIXTURES, ONESTOP

XML_KINDS = [kind for kind in kinds().values() if kind.encoding == "xml"]
ERROR, WARNING = "error", "warning"


def example(name: str) -> str:
    """A message without a fault, one element per line."""
    text = write_xml(example_of(kinds()[f"lgsp.{name}"]), name).decode()
    return re.sub(r">\s*<", ">\n<", text)


def changed(name: str, old: str, new: str) -> bytes:
    """That message with one thing changed."""
    text = example(name)
    assert re.search(old, text)
    return re.sub(old, new, text, count=1).encode()


@pytest.mark.parametrize("kind", XML_KINDS, ids=lambda kind: kind.title)
def test_a_message_is_known_by_its_root_and_comes_back_as_it_was(kind: MessageKind) -> None:
    model = example_of(kind)
    reading = read_xml(write_xml(model, kind.title))
    assert (reading.kind, reading.violations, reading.model) == (kind, (), model)


FAULTS: dict[str, tuple[bytes, str, str, str]] = {
    "no dossier code": (changed("MSyncDocument", r"<DocCode>.*?</DocCode>", ""), ERROR, "dossier-missing-field", "/MSyncDocument/DocCode"),
    "no telephone": (changed("MSyncDocument", r"<Phone>.*?</Phone>", ""), WARNING, "dossier-missing-field", "/MSyncDocument/Phone"),
    "a number that is none": (
        changed("MSyncDocument", r"<Status>1<", "<Status>một<"),
        ERROR,
        "dossier-bad-number",
        "/MSyncDocument/Status",
    ),
    "a number too large": (changed("MStatistic", r"<Month>3<", "<Month>2147483648<"), ERROR, "dossier-bad-number", "/MStatistic/Month"),
    "a blank number": (
        changed("MDocumentTraces", r"<Status>.*?</Status>", "<Status/>"),
        ERROR,
        "dossier-bad-number",
        "/MDocumentTraces/Status",
    ),
    "True for true": (
        changed("MSyncDocument", r"<IsSuccess>true", "<IsSuccess>True"),
        ERROR,
        "dossier-bad-number",
        "/MSyncDocument/IsSuccess",
    ),
    "a state 3": (changed("MSyncDocument", r"<Status>1<", "<Status>3<"), WARNING, "dossier-unknown-code", "/MSyncDocument/Status"),
    "the right spelling of a wrong name": (
        changed("MSyncDocument", r"<Attachmentld>1</Attachmentld>", "<Attachmentld>1</Attachmentld><AttachmentId>1</AttachmentId>"),
        WARNING,
        "dossier-unknown-field",
        "/MSyncDocument/Attachments/AttachmentId",
    ),
    "an element twice": (
        changed("MSyncDocument", r"(<DocCode>.*?</DocCode>)", r"\1<DocCode>khác</DocCode>"),
        ERROR,
        "dossier-repeated-element",
        "/MSyncDocument/DocCode[2]",
    ),
    "elements inside a text": (
        changed("MSyncDocument", r"<DocTypeCode>", "<DocTypeCode><b/>"),
        ERROR,
        "dossier-wrong-shape",
        "/MSyncDocument/DocTypeCode",
    ),
    "another order": (
        changed("MResult", r"(?s)(<Status>.*?</Status>)(.*?)(<Message>.*?</Message>)", r"\3\2\1"),
        WARNING,
        "dossier-element-order",
        "/MResult/Status",
    ),
    "a total that is none": (
        changed("MStatistic", r"<SolvedLate>3<", "<SolvedLate>4<"),
        WARNING,
        "statistic-sum",
        "/MStatistic/TotalSolved",
    ),
    "a share that is none": (
        changed("MStatistic", r"<SolvedInTimePercent>90<", "<SolvedInTimePercent>99<"),
        WARNING,
        "statistic-sum",
        "/MStatistic/SolvedInTimePercent",
    ),
}


@pytest.mark.parametrize(("raw", "severity", "code", "path"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_found_at_its_element(raw: bytes, severity: str, code: str, path: str) -> None:
    found = read_xml(raw).violations
    assert (severity, code, path) in {(one.severity, one.code, one.path) for one in found}
    assert {one.code for one in found} == {code}
    assert all(one.line > 0 for one in found)


def test_a_share_may_be_a_fraction_of_one() -> None:
    text = example("MStatistic")
    for name, share in (("SolvedInTime", 90), ("SolvedLate", 10), ("Pending", 75), ("PendingLate", 25)):
        text = text.replace(f"<{name}Percent>{share}<", f"<{name}Percent>{share / 100}<")
    assert read_xml(text.encode()).violations == ()


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"<MSyncDocument", "malformed-xml"),
        (b"<KhongCo/>", "dossier-unknown-kind"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><MResult>&x;</MResult>', "dtd-forbidden"),
        (b"<MVotes>" + b"<Questions/>" * 5_000 + b"</MVotes>", "resource-limit"),
        (b"<MResult>" + b"<a>" * 100 + b"</a>" * 100 + b"</MResult>", "resource-limit"),
        (b"", "empty-body"),
    ],
    ids=["cut off", "another root", "an entity", "5,000 rows", "depth 100", "nothing"],
)
def test_what_cannot_be_read_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(Refused) as caught:
        read_xml(raw)
    assert caught.value.code == code


def test_another_message_than_was_asked_for_is_refused() -> None:
    assert read_xml(b"<MResult/>", "MResult").kind.name == "lgsp.MResult"
    for asked in ("MVotes", "DongBoHoSoMC", "khong.co"):
        with pytest.raises(Refused):
            read_xml(b"<MResult/>", asked)


def test_values_are_read() -> None:
    model = read_xml(example("MSyncDocument").encode()).model
    assert isinstance(model, MSyncDocument)
    assert (model.is_success, model.is_finished, len(model.Attachments)) == (True, False, 1)
    assert isinstance(read_xml(example("MStatistic").encode()).model, MStatistic)


@pytest.mark.parametrize("kind", kinds().values(), ids=lambda kind: kind.name)
def test_examples_are_valid_against_the_schema_that_is_made(kind: MessageKind) -> None:
    schema = load_schema(xsd(kind).encode())
    document = parse(write_xml(example_of(kind), kind.title)).root
    schema.assertValid(document)
    etree.SubElement(document, "KhongCo")
    assert not schema.validate(document) or not fields_of(kind.shape)


# --- against the schema that was found -----------------------------------------------------------------------------------------


@ONESTOP
@pytest.mark.parametrize("kind", XML_KINDS, ids=lambda kind: kind.title)
def test_names_order_types_and_repetition_are_those_of_the_schema_in_use(kind: MessageKind) -> None:
    root = parse((FIXTURES / "lgsp_sync_document.xsd").read_bytes()).root
    declared = {one.get("name"): one for one in child_elements(root)}
    _same(declared[kind.title], kind.shape, declared)


def _same(declaration: etree._Element, shape: type[Shape], declared: dict[str | None, etree._Element]) -> None:
    sequence = next(one for one in declaration.iter("{*}sequence"))
    theirs = child_elements(sequence)
    ours = fields_of(shape)
    assert [one.get("name") for one in theirs] == [spec.name for spec in ours]
    types = {"int": "xsd:int", "double": "xsd:double", "bool": "xsd:boolean"}
    for their, spec in zip(theirs, ours, strict=True):
        assert (their.get("minOccurs") == "0") == (spec.about.need == "optional"), spec.name
        assert (their.get("maxOccurs") == "unbounded") == (spec.kind is Kind.ROWS), spec.name
        if spec.shape is None:
            assert their.get("type") == types.get(spec.about.form, "xsd:string"), spec.name
        else:
            inner = declared[their.get("type")] if their.get("type") else their
            assert local_name(inner) in ("complexType", "element")
            _same(inner, spec.shape, declared)
