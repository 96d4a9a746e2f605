"""One element of a signature: its base64 text, its algorithm, and a refusal that says where it stands."""

from __future__ import annotations

import pybase64

from schemas.errors import Refused, error
from schemas.xml import Element, line_of, local_name, path_of

MAX_BASE64_CHARS = 32 * 1024  # of a signature value, a digest, a key, a certificate
MAX_PLACES = 8  # named in one refusal


def octets_of(element: Element) -> bytes:
    """The bytes that the base64 text of `element` stands for.

    Raises `Refused` with `malformed-signature`, also for a comment inside: two readers could see two values.
    """
    text = "" if len(element) else element.text or ""  # whole, because nothing stands inside
    if not 0 < len(text) <= MAX_BASE64_CHARS:
        got = f"{len(text)} characters, {len(element)} nodes"
        raise refused("malformed-signature", element, got=got, expected=f"base64 text alone, at most {MAX_BASE64_CHARS} characters")
    return base64_of(text, element)


def base64_of(text: str, element: Element) -> bytes:
    """The bytes that `text` stands for; a refusal names `element`. Raises as `octets_of` does."""
    try:
        decoded: bytes = pybase64.b64decode(text.encode("ascii").translate(None, b" \t\r\n"), validate=True)
    except ValueError as fault:  # UnicodeEncodeError and binascii.Error are its kinds
        raise refused("malformed-signature", element, got=text, expected="base64") from fault
    if not decoded:
        raise refused("malformed-signature", element, got="nothing", expected="base64")
    return decoded


def algorithm_of(element: Element) -> str:
    """The identifier in its `Algorithm`, "" where there is none."""
    return element.get("Algorithm") or ""


def tags_of(elements: list[Element]) -> list[str]:
    """Their tags, in Clark notation."""
    return [str(element.tag) for element in elements]


def names_of(elements: list[Element]) -> str:
    """Their local names, as errors list them."""
    return ", ".join(local_name(element) for element in elements)


def refused(code: str, *elements: Element, got: str = "", expected: str = "") -> Refused:
    """A refusal with one violation for each of the elements it is about."""
    violations = tuple(error(code, path=path_of(e), line=line_of(e), got=got, expected=expected) for e in elements[:MAX_PLACES])
    return Refused(code, got=got, expected=expected, violations=violations)
