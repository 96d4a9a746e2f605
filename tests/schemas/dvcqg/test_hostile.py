"""Hostile dossier messages: each has its answer within bounded time, whatever it repeats."""

from __future__ import annotations

import json
import time

import pytest

from schemas.dvcqg.validate import judge
from schemas.limits import DEFAULT_LIMITS

MOST = DEFAULT_LIMITS.max_dossier_objects - 10
MAX_CPU_SECONDS = 3.0  # of the processor: others may be busy; alone, each takes less than one


def steps(*rows: str) -> bytes:
    """Progress made of these rows."""
    return f'{{"service":"CapNhatTienDoHoSoMC","data":[{",".join(rows)}]}}'.encode()


HOSTILE: dict[str, tuple[bytes, set[str]]] = {
    "empty dossiers": (f'{{"service":"DongBoHoSoMC","data":[{",".join(["{}"] * MOST)}]}}'.encode(), {"dossier-missing-field"}),
    "one object too many": (steps(*["{}"] * (MOST + 20)), {"resource-limit"}),
    "one step, over and over": (steps(*['{"MaHoSo":"a","TrangThai":"9"}'] * MOST), {"dossier-missing-field", "dossier-code-form"}),
    "steps of all times": (
        steps(*(f'{{"MaHoSo":"a","TrangThai":"{4 + n % 2}","ThoiDiemXuLy":"20260302{n:06}"}}' for n in range(MOST))),
        {"dossier-bad-date"},
    ),
    "empty papers": (
        f'[{{"MaHoSo":"a","TrangThaiHoSo":"9","TaiLieuNop":[{",".join(["{}"] * MOST)}]}}]'.encode(),
        {"dossier-missing-field", "dossier-bare-list"},
    ),
    "names nobody knows": (
        json.dumps({"service": "TraCuuHoSo", **{f"k{n}": "x" for n in range(190_000)}}).encode(),
        {"dossier-missing-field", "dossier-unknown-field"},
    ),
    "one name, over and over": (b'{"service":"TraCuuHoSo"' + b',"a":1' * 190_000 + b"}", {"json-duplicate-name", "dossier-missing-field"}),
    "8 MB of escapes": (b'{"service":"TraCuuHoSo","mahoso":"' + b"\\u0001" * 1_300_000 + b'"}', {"json-bad-text"}),
    "8 MB in a code": (b'{"service":"TraCuuHoSo","mahoso":"' + b"1" * 8_000_000 + b'"}', {"dossier-code-form"}),
    "a string without end": (b'{"a":"' + b"\\" * 8_000_000, {"malformed-json"}),
    "a million digits for a flag": (b'{"service":"DongBoHoSoMC","isUpdating":' + b"1" * 1_000_000 + b"}", {"dossier-not-a-string"}),
    "elements in rows in rows": (
        b"<MSyncDocument>" + (b"<Supplementaries>" + b"<Papers/>" * 40 + b"</Supplementaries>") * 3_900 + b"</MSyncDocument>",
        {"resource-limit"},
    ),
    "one element, over and over": (
        b"<MSyncDocument>" + b"<DocCode>a</DocCode>" * 3_900 + b"</MSyncDocument>",
        {"dossier-repeated-element"},
    ),
}


@pytest.mark.parametrize(("raw", "codes"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_message_is_answered_in_time(raw: bytes, codes: set[str]) -> None:
    started = time.process_time()
    found = judge(raw).violations
    assert time.process_time() - started < MAX_CPU_SECONDS
    assert codes <= {one.code for one in found}
    assert len(found) <= DEFAULT_LIMITS.max_violations
