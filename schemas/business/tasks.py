"""Directive tasks (nhiệm vụ giao) followed with the Government Office.

The id is real: 8 038 of them were seen, ``443122_H32-NV-G22-2024-011227055`` (facts on the one-stop shop §2.5 [C]). Recipients are mostly
Hnn and Gnn, but also I02, J26 and tax codes of 10 to 12 digits. Three attributes are known by name; the rest of the message is ours [G].
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from schemas.agency import AgencyCode
from schemas.business.fields import Flag, Key, Text, explained
from schemas.dvcqg.shape import Shape
from schemas.errors import Refused

FORM = "443122_H32-NV-G22-2024-011227055"
_ID = re.compile(
    r"([0-9]{1,12})_([0-9A-Z]{2,14}(?:\.[0-9A-Z]{1,4}){0,4})-NV-([0-9A-Z]{2,14}(?:\.[0-9A-Z]{1,4}){0,4})-([0-9]{4})-([0-9]{9})"
)


@dataclass(frozen=True, slots=True)
class TaskId:
    """``{number}_{recipient}-NV-{assigner}-{year}-{nine digits}``. Numbers are kept as digits: leading zeros count."""

    number: str
    recipient: AgencyCode
    assigner: AgencyCode
    year: int
    serial: str  # nine digits

    @classmethod
    def of(cls, text: str) -> TaskId:
        """The id in `text`. Raises `Refused` with `task-id-malformed`."""
        match = _ID.fullmatch(text)
        if match is None:
            raise Refused("task-id-malformed", got=text, expected=FORM)
        return cls(match[1], AgencyCode.of(match[2]), AgencyCode.of(match[3]), int(match[4]), match[5])

    def __str__(self) -> str:
        return f"{self.number}_{self.recipient}-NV-{self.assigner}-{self.year:04}-{self.serial}"


@explained("hub", "NhiemVu")
class TaskNotice(Shape):
    """NhiemVu: a task and how far it is. The values of LoaiNhiemVu and TrangThaiCapNhat are not known."""

    MaNhiemVu: Key = ""
    LoaiNhiemVu: Text = ""
    DaDongBo: Flag = ""
    TrangThaiCapNhat: Text = ""
    NoiDung: Text = ""
    HanHoanThanh: Text = ""
    CoQuanGiao: Text = ""
    CoQuanThucHien: Text = ""

    @property
    def task_id(self) -> TaskId:
        """MaNhiemVu, read. Raises `Refused` with `task-id-malformed`."""
        return TaskId.of(self.MaNhiemVu)
