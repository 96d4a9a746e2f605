"""Did it work? By the code, never by the text: senders take any answer that contains "thành công" for a success [C §2.4, item 6].

Success is `error_code` "0", at LGSP proxies also "00" [C §2.2, item 3]. Where no code can be read, the answer is `Unknown`, which is not
success: whoever sent has to look the dossier up.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any, Final

from schemas.dvcqg.shape import Shape
from schemas.dvcqg.strict_json import parse
from schemas.errors import Refused, Violation, warning

SUCCESS_CODES: Final = frozenset({"0", "00"})
_GOOD_WORDS: Final = ("thành công", "thanh cong", "success")
_BAD_WORDS: Final = ("không thành công", "khong thanh cong", "thất bại", "that bai", "lỗi", "unsuccess", "fail", "error", "đã tồn tại")


@dataclass(frozen=True, slots=True)
class Success:
    """The code says that it worked."""

    code: str
    text: str = ""  # what the answer says to people
    violations: tuple[Violation, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """The code says that it did not."""

    code: str
    text: str = ""
    violations: tuple[Violation, ...] = ()


@dataclass(frozen=True, slots=True)
class Unknown:
    """No code could be read."""

    text: str = ""
    violations: tuple[Violation, ...] = ()


Outcome = Success | Failure | Unknown


def classify_response(body: bytes | str | Shape) -> Outcome:
    """What the answer `body` says happened. Raises nothing: what cannot be read is `Unknown`."""
    if isinstance(body, Shape):
        return _judged(body.as_json())
    try:
        parsed = parse(body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body)
    except Refused:
        return Unknown(violations=(warning("honesty-no-error-code", got="no JSON", expected="an answer with error_code"),))
    if any(one.code == "json-duplicate-name" for one in parsed.violations):  # which of the two is meant?
        return Unknown(violations=(warning("honesty-no-error-code", got="a name twice", expected="error_code once"),))
    return _judged(parsed.value)


def _judged(answer: Any) -> Outcome:
    told = answer if isinstance(answer, dict) else {}
    text = told.get("message")
    text = text if isinstance(text, str) else ""
    code = told.get("error_code")
    if isinstance(code, bool) or not isinstance(code, str | int) or not str(code).strip():
        return Unknown(text, (warning("honesty-no-error-code", path="/error_code", got=text, expected="an answer with error_code"),))
    written = str(code).strip()
    if written in SUCCESS_CODES:
        return Success(written, text, _contradiction(text, written, says_good=False))
    return Failure(written, text, _contradiction(text, written, says_good=True))


def _contradiction(text: str, code: str, *, says_good: bool) -> tuple[Violation, ...]:
    said = unicodedata.normalize("NFC", text).casefold()
    bad = any(word in said for word in _BAD_WORDS)
    good = not bad and any(word in said for word in _GOOD_WORDS)
    if good if says_good else bad:
        return (warning("honesty-text-contradicts-code", path="/message", got=f"{text} (error_code {code})", expected="the code decides"),)
    return ()
