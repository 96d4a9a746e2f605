"""`validate` takes whatever the hub knows a format for, and says which it was."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from schemas.validate import validate
from tests.packets import document

AT = datetime(2026, 11, 20, tzinfo=UTC)
PROGRESS = {
    "MaHoSo": "H32.14-261120-0001",
    "NguoiXuLy": "Nguyễn Văn A",
    "ThoiDiemXuLy": "20261120083000",
    "NoiDungXuLy": "Chuyển xử lý",
    "TrangThai": "4",
}
ENVELOPE = {"session": "s", "madonvi": "H32.14", "service": "CapNhatTienDoHoSoMC", "data": [PROGRESS]}

KINDS = {
    "an edXML packet": (document(), "document.new", True),
    "progress of a dossier": (json.dumps(ENVELOPE).encode(), "dvcqg.CapNhatTienDoHoSoMC", True),
    "progress of no dossier": (
        json.dumps({**ENVELOPE, "data": [{**PROGRESS, "MaHoSo": ""}]}).encode(),
        "dvcqg.CapNhatTienDoHoSoMC",
        False,
    ),
    "JSON that is no message": (b'{"a": 1}', "", False),
    "half a JSON text": (b'{"session": ', "", False),
    "XML that is none of ours": (b"<a/>", "", False),
}


@pytest.mark.parametrize(("raw", "kind", "ok"), KINDS.values(), ids=KINDS.keys())
def test_what_it_is_and_whether_it_holds(raw: bytes, kind: str, ok: bool) -> None:
    report = validate(raw, at=AT)
    assert (report.kind, report.ok) == (kind, ok), report.as_json()
