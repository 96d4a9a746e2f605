"""Every message that has a model: of the one-stop exchange, and of line-of-business systems. What is listed, documented and validated."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from schemas.business.kinds import business_kinds
from schemas.dvcqg.kinds import ENDPOINTS, MessageKind, kinds
from schemas.dvcqg.shape import Need, Shape, fields_of
from schemas.errors import Refused

TITLES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        **ENDPOINTS,
        "hotich": ("Hộ tịch (Bộ Tư pháp)", "Civil status (Ministry of Justice)"),
        "lltp": ("Lý lịch tư pháp", "Criminal records"),
        "vbdlis": ("Đất đai: VBDLIS", "Land: VBDLIS"),
        "ilis": ("Đất đai: ILIS", "Land: ILIS"),
        "dkkd": ("Đăng ký kinh doanh", "Business registration"),
    }
)


@cache
def every_kind() -> Mapping[str, MessageKind]:
    """All messages by name."""
    return MappingProxyType({**kinds(), **business_kinds()})


def kind_named(name: str) -> MessageKind | None:
    """The message ``endpoint.Name``, or the one message whose name after the dot is `name`."""
    found = every_kind().get(name)
    if found is not None:
        return found
    alike = [one for one in every_kind().values() if one.title.lower() == name.lower()]
    return alike[0] if len(alike) == 1 else None


def business_kind_of(value: Any) -> MessageKind | None:
    """The line-of-business message that a JSON object is, told by its members; None where it is none of them.

    These messages do not name themselves. One fits if it has all the members that it is about nothing without, and knows at least
    two, and most, of those there are. Of several: the one that knows most, inner members too, then the one that misses least.
    Raises `Refused("business-ambiguous-kind")` where two are equal in that.
    """
    if not isinstance(value, dict) or not value:
        return None
    fitting: dict[str, tuple[int, int]] = {}
    for one in business_kinds().values():
        fields = fields_of(one.shape)
        known = sum(field.name in value for field in fields)
        has_keys = all(field.name in value for field in fields if field.about.need is Need.KEY)
        if has_keys and known >= min(2, len(fields)) and known * 2 > len(value):
            fitting[one.name] = _known(one.shape, value), known - len(fields)
    best = [name for name, score in fitting.items() if score == max(fitting.values())]
    if len(best) > 1:
        raise Refused("business-ambiguous-kind", got=", ".join(best), expected="--kind with one of them")
    return business_kinds()[best[0]] if best else None


def _known(shape: type[Shape], value: dict[str, Any]) -> int:
    """How many members the shape knows, those of inner objects and of each list's first row too."""
    found = 0
    for field in fields_of(shape):
        if field.name in value:
            inner = value[field.name]
            inner = inner[0] if isinstance(inner, list) and inner else inner
            found += 1 + (_known(field.shape, inner) if field.shape is not None and isinstance(inner, dict) else 0)
    return found
