"""Where fuzzing starts: well-made packets, each variant and defect in circulation, and pieces worth inserting."""

from __future__ import annotations

from schemas.edxml import names
from tests import packets
from tests.schemas import old_packets
from tests.schemas.test_attachments import BROKEN, KINDS
from tests.schemas.test_defects import SAMPLES
from tests.schemas.test_reader import VARIANTS

MOST_BYTES = 16_000  # of one input


def seeds() -> list[bytes]:
    """All of them, small ones first."""
    made = [packets.document(), packets.status(), packets.recall(), packets.update(), packets.replacement()]
    made += [change(packets.document()) for change in VARIANTS.values()]
    made += [make() for make in SAMPLES.values()]
    made += [make() for make, *_ in KINDS.values()]
    made += [make() for make, _ in BROKEN.values()]
    made += [old_packets.with_xml_part(), old_packets.with_binary_part(), old_packets.archive(), old_packets.status()]
    return sorted({raw for raw in made if len(raw) <= MOST_BYTES}, key=lambda raw: (len(raw), raw))


def pieces() -> list[bytes]:
    """What a mutation may insert: names, brackets, references, marks."""
    tags = sorted({name for plan in names.PLANS.values() for name, _ in plan.values()})
    own = [f"<edXML:{tag}>".encode() for tag in tags] + [f"</edXML:{tag}>".encode() for tag in tags]
    markup = [b"<!--", b"-->", b"<![CDATA[", b"]]>", b"&amp;", b"&#0;", b"&x;", b"<?a b?>", b"<!DOCTYPE a>", b"/>"]
    markup += [b'xmlns="" ', b' xsi:nil="true" ', b"null", b"99", b"20/11/2026", "Ạ".encode(), b"\r\n"]
    marks = [b"\xff", b"\x00", b"\xef\xbb\xbf", b"\xff\xfe", b"UEsDBA==", b"=", b"PK\x01\x02"]
    spaces = [space.encode() for space in (names.QCVN102, names.XMLDSIG, names.FLAT, *sorted(names.OLD_DIALECTS))]
    return own + markup + marks + spaces
