"""What stands beside a body, whatever protocol brings it: the sender's own key, and the type of the content. Both are recorded.

One rule for all faces: what one of them refuses may not come in by another, and nothing here may fail in a store or an answer later on.
"""

from __future__ import annotations

import re

from schemas.errors import Refused, error

_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,80}")
_PARAMETER = re.compile(r""";\s*([A-Za-z0-9_-]+)\s*=\s*(?:"([^"\\]*)"|([^\s;"]+))\s*""")
_CHARSET = re.compile(r"[A-Za-z0-9._:+-]{0,40}")  # IANA's names have no other characters


def checked_key(key: str, place: str, max_chars: int) -> str:
    """`key` if it is printable ASCII of bounded length, also "". Raises `Refused("invalid-request")`."""
    if len(key) > max_chars or not key.isascii() or (key and not key.isprintable()):
        expected = f"at most {max_chars} printable ASCII characters"
        one = error("parameter-invalid", path=place, got=key, expected=expected)
        raise Refused("invalid-request", got=f"{place} = {one.got}", expected=expected, violations=(one,))
    return key


def media_type(value: str) -> tuple[str, str]:
    """A Content-Type (RFC 9110 §8.3) as (media type in lower case, charset parameter); ("", "") for "".

    Raises `Refused`: ``unsupported-media-type`` for one that cannot be read, ``encoding`` for what cannot be a charset's name.
    """
    if not value:
        return "", ""
    kind, _, rest = value.partition(";")
    kind, rest = kind.strip(" \t").lower(), f";{rest}" if rest.strip() else ""
    found = list(_PARAMETER.finditer(rest))
    if not _MEDIA_TYPE.fullmatch(kind) or "".join(one.group(0) for one in found).strip() != rest.strip():
        raise Refused("unsupported-media-type", got=value, expected="type/subtype; charset=…")
    charset = next((one.group(2) or one.group(3) or "" for one in found if one.group(1).lower() == "charset"), "")
    if not _CHARSET.fullmatch(charset):
        raise Refused("encoding", got=charset, expected="charset=UTF-8")
    return kind, charset
