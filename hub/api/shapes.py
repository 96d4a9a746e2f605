"""The JSON bodies that REST takes, as pydantic models: checked strictly, and described in the OpenAPI document from the same source."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import Refused, Violation, error

Shape = TypeVar("Shape", bound=BaseModel)
MAX_TEXT_CHARS = 2_000  # a reason or description; official packets allow 500 (NĐ 30/2020 Phụ lục VI)
# Characters that XML 1.0 §2.2 cannot carry are refused here: the text goes into a packet.
Remark = Annotated[str, Field(max_length=MAX_TEXT_CHARS, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]*$")]


class Body(BaseModel):
    """A JSON object; a member that is not known is an error, not a silent no-op."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Ack(Body):
    """What became of a packet that was fetched. An empty body means `received`."""

    outcome: Literal["received", "refused"] = Field("received", description="received: đã nhận, lưu; refused: từ chối tiếp nhận")
    reason: Remark = Field("", description="lý do từ chối; required when outcome is refused")


class Staff(Body):
    """Who handled the document (StaffInfo of the status packet)."""

    department: Remark = ""
    staff: Remark = ""
    mobile: Remark = ""
    email: Remark = ""


class StatusReport(Body):
    """A processing status; the hub writes the QCVN 102 status packet from it."""

    code: str = Field(pattern=r"^[0-9]{1,2}$", description="01 02 03 04 05 06 13 15 16 (QCVN 102:2016)")
    description: Remark = Field("", description="diễn giải, ví dụ lý do từ chối")
    staff: Staff = Staff()


def read_json(shape: type[Shape], raw: bytes) -> Shape:
    """`raw` as a `shape`. Raises `Refused("json-invalid")` with every violation and its place."""
    try:
        return shape.model_validate_json(raw)
    except ValidationError as fault:
        found = tuple(_violation(dict(one)) for one in fault.errors(include_url=False, include_context=False))
        raise Refused("json-invalid", got=found[0].got, expected=found[0].expected, violations=found) from fault


def _violation(one: dict[str, Any]) -> Violation:
    value = one.get("input", "")
    got = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return error("json-invalid", path="/" + "/".join(str(step) for step in one["loc"]), got=got, expected=one["msg"])
