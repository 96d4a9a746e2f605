"""Results that are none: the submitted document sent back as the result [C §2.4, item 4]."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from schemas.dvcqg.dossier import Dossier
from schemas.dvcqg.findings import step
from schemas.errors import Violation, warning
from schemas.honesty.history import Statement


def results_that_are_inputs(statement: Statement) -> Iterator[Violation]:
    """Results whose file, or whose id, is that of a paper handed in."""
    dossier = statement.dossier
    handed_in = _handed_in(dossier)
    for n, result in enumerate(dossier.DanhSachGiayToKetQua):
        place = step(step(statement.pointer, "DanhSachGiayToKetQua"), n)
        same = handed_in.get(_place_of(result.DuongDanTepTinKetQua))
        if same:
            got = f"{result.DuongDanTepTinKetQua} = {same}"
            yield warning(
                "honesty-result-is-input", path=step(place, "DuongDanTepTinKetQua"), got=got, expected="the result itself, or none"
            )
        elif same := handed_in.get(f"#{result.GiayToId.strip()}"):
            got = f"{result.GiayToId} = {same}"
            yield warning("honesty-result-is-input", path=step(place, "GiayToId"), got=got, expected="the result itself, or none")


def _handed_in(dossier: Dossier) -> dict[str, str]:
    """What identifies a paper handed in → where it stands."""
    found: dict[str, str] = {}
    papers = [(f"TaiLieuNop/{n}", one) for n, one in enumerate(dossier.TaiLieuNop)]
    for n, again in enumerate(dossier.DanhSachHoSoBoSung):
        papers += [(f"DanhSachHoSoBoSung/{n}/DanhSachGiayToBoSung/{m}", one) for m, one in enumerate(again.DanhSachGiayToBoSung)]
    for where, paper in papers:
        for key in (_place_of(paper.DuongDanTaiTepTin), f"#{paper.TepDinhKemId.strip()}" if paper.TepDinhKemId.strip() else ""):
            if key:
                found.setdefault(key, where)
    return found


def _place_of(url: str) -> str:
    """A URL as it is compared: escapes resolved, scheme and host in lower case, without fragment; "" for none."""
    text = url.strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        return text
    if not parts.netloc:
        return unquote(text)
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}{unquote(parts.path)}?{parts.query}"
