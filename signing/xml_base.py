"""What ``xml:base`` is where a part of a document is canonicalised by itself: join-URI-References of Canonical XML 1.1 (§2.4).

It is RFC 3986 §5.2 with a base that may be relative itself, and ``..`` segments that have nothing to go up from are kept. So `urljoin`,
which drops them, will not do.
"""

from __future__ import annotations

import re

_PARTS = re.compile(r"(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.S)  # RFC 3986 appendix B


def joined(base: str, reference: str) -> str:
    """`reference` as seen from `base`; fragments are left out."""
    scheme, authority, path, query = _parts(base + "/" if base.endswith("..") else base)
    own_scheme, own_authority, own_path, own_query = _parts(reference)
    if own_scheme is not None and own_scheme != scheme:
        return _whole(own_scheme, own_authority, _plain(own_path), own_query)
    if own_authority is not None:
        return _whole(scheme, own_authority, _plain(own_path), own_query)
    if not own_path:
        return _whole(scheme, authority, path, query if own_query is None else own_query)
    if own_path.startswith("/"):
        merged = own_path
    elif authority is not None and not path:
        merged = "/" + own_path
    else:
        merged = path[: path.rfind("/") + 1] + own_path
    return _whole(scheme, authority, _plain(merged), own_query)


def _parts(text: str) -> tuple[str | None, str | None, str, str | None]:
    found = _PARTS.fullmatch(text)
    return (found[1], found[2], found[3], found[4]) if found else (None, None, text, None)  # nothing fails to match


def _whole(scheme: str | None, authority: str | None, path: str, query: str | None) -> str:
    before = ("" if scheme is None else scheme + ":") + ("" if authority is None else "//" + authority)
    return before + path + ("" if query is None else "?" + query)


def _plain(path: str) -> str:
    """Without dot segments, but for leading ``..``."""
    kept: list[str] = []
    segments = re.sub("/+", "/", path).removeprefix("/").split("/")
    rooted = path.startswith("/")
    for one in segments:
        if one == ".." and kept and kept[-1] != "..":
            kept.pop()
        elif one == "..":
            kept.extend([] if rooted else [one])
        elif one not in (".", ""):
            kept.append(one)
    folder = segments[-1] in ("", ".", "..") and bool(kept)
    return ("/" if rooted else "") + "/".join(kept) + ("/" if folder else "")
