"""`validate` takes whatever the hub knows a format for, and says which it was."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli import app
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


def test_the_command_says_which_message_it_was_and_proposes_no_values_for_one(tmp_path: Path) -> None:
    path = tmp_path / "tien-do.json"
    path.write_text(json.dumps({**ENVELOPE, "data": [{**PROGRESS, "MaHoSo": ""}]}), "utf-8")
    told = CliRunner().invoke(app, ["validate", str(path)])
    assert (told.exit_code, "  dvcqg.CapNhatTienDoHoSoMC\n" in told.stdout) == (1, True)
    repaired = CliRunner().invoke(app, ["validate", "--repair", str(path)])
    assert (repaired.exit_code, repaired.stdout) == (1, "")
    assert "/data/0/MaHoSo" in repaired.stderr
    assert "malformed-xml" not in repaired.stderr


def test_what_shows_only_beside_earlier_messages_shows_beside_them(tmp_path: Path) -> None:
    paths = []
    for n, (time, state) in enumerate((("20261120083000", "10"), ("20261120100000", "4"))):
        paths.append(tmp_path / f"{n}.json")
        paths[-1].write_text(json.dumps({**ENVELOPE, "data": [{**PROGRESS, "ThoiDiemXuLy": time, "TrangThai": state}]}), "utf-8")
    before, later = map(str, paths)
    assert "honesty-state-regression" not in CliRunner().invoke(app, ["validate", later]).stdout
    told = CliRunner().invoke(app, ["validate", later, "--history", before])
    assert (told.exit_code, "honesty-state-regression" in told.stdout) == (0, True)
    (tmp_path / "none.json").write_text("{}", "utf-8")
    assert CliRunner().invoke(app, ["validate", later, "--history", str(tmp_path / "none.json")]).exit_code == 2
