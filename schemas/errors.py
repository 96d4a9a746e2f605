"""The one tree of errors, and the violations they carry.

What a caller does next is the *type*:

=========== ============================== ===================================
type        disposition                    what happens next
=========== ============================== ===================================
`Refused`   REFUSE – trying again is no use the sender corrects and sends anew
`TryLater`  RETRY – the same thing may work the hub (or the caller) waits, tries again
`Parked`    PARK – a person has to look     the delivery stands, visibly
`Halted`    HALT – the hub cannot go on     it stops accepting (503) or exits
=========== ============================== ===================================

What went wrong is the *code*: stable, kebab-case, described once in `schemas/codes/*.toml` (disposition, HTTP status, text and
remedy in Vietnamese and English) and in `docs/errors.md`, which a test holds to those files. Programmer mistakes are not in this
tree; they are `RuntimeError`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

CODES_FOLDER = Path(__file__).with_name("codes")
MAX_SHOWN = 200  # characters of a hostile value that an error repeats


class Disposition(StrEnum):
    """What happens next."""

    REFUSE = "REFUSE"
    RETRY = "RETRY"
    PARK = "PARK"
    HALT = "HALT"


class Severity(StrEnum):
    """Whether a violation refuses the message or travels with it."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Text:
    """One text for people, in both languages of the hub."""

    vi: str
    en: str


@dataclass(frozen=True, slots=True)
class ErrorSpec:
    """One line of the catalogue: everything about a code that does not depend on the case at hand."""

    code: str
    disposition: Disposition
    http_status: int
    title: Text
    remedy: Text
    area: str  # the catalogue file it stands in


@cache
def catalogue() -> Mapping[str, ErrorSpec]:
    """All codes of the hub, read once from `schemas/codes/*.toml`."""
    specs: dict[str, ErrorSpec] = {}
    for path in sorted(CODES_FOLDER.glob("*.toml")):
        for code, row in tomllib.loads(path.read_text("utf-8")).items():
            if code in specs:
                raise RuntimeError(f"error code {code} stands twice: {specs[code].area} and {path.stem}")
            specs[code] = ErrorSpec(
                code=code,
                disposition=Disposition(row["disposition"]),
                http_status=row["http"],
                title=Text(row["vi"], row["en"]),
                remedy=Text(row["remedy_vi"], row["remedy_en"]),
                area=path.stem,
            )
    return specs


def spec(code: str) -> ErrorSpec:
    """The catalogue line of `code`; an unknown code is a programmer's mistake."""
    found = catalogue().get(code)
    if found is None:
        raise RuntimeError(f"error code {code!r} is not in schemas/codes")
    return found


def shown(value: object) -> str:
    """`value` as an error may repeat it: one line, printable, at most `MAX_SHOWN` characters."""
    text = str(value)
    if not text.isprintable():
        text = "".join(ch if ch.isprintable() else "\ufffd" for ch in text.replace("\n", " "))
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that the input breaks, and where. `path` is an XPath-like place, `line` counts from 1, 0 = unknown."""

    code: str
    severity: Severity = Severity.ERROR
    path: str = ""
    line: int = 0
    got: str = ""
    expected: str = ""

    def as_json(self) -> dict[str, Any]:
        """The form that problem details, SOAP faults and `--json` output share."""
        about = spec(self.code)
        return {
            "code": self.code,
            "severity": str(self.severity),
            "path": self.path,
            "line": self.line,
            "got": self.got,
            "expected": self.expected,
            "message": {"vi": about.title.vi, "en": about.title.en},
            "remedy": {"vi": about.remedy.vi, "en": about.remedy.en},
        }


def error(code: str, *, path: str = "", line: int = 0, got: object = "", expected: object = "") -> Violation:
    """A violation that refuses the message. `got` and `expected` are cut to what an error may show."""
    return Violation(code, Severity.ERROR, path, line, shown(got), shown(expected))


def warning(code: str, *, path: str = "", line: int = 0, got: object = "", expected: object = "") -> Violation:
    """A violation that the message carries with it."""
    return Violation(code, Severity.WARNING, path, line, shown(got), shown(expected))


def errors_of(violations: Iterable[Violation]) -> tuple[Violation, ...]:
    """Those that refuse."""
    return tuple(v for v in violations if v.severity is Severity.ERROR)


@dataclass(eq=False)
class HubError(Exception):
    """Root of the tree. Raise one of the four types below, never this one.

    `got`/`expected` describe the case; `violations` lists every broken rule where there can be more than one.
    """

    code: str
    got: str = ""
    expected: str = ""
    violations: tuple[Violation, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)  # members added to problem details, e.g. the first receipt's id

    disposition: ClassVar[Disposition]

    def __post_init__(self) -> None:
        if spec(self.code).disposition is not self.disposition:
            raise RuntimeError(f"{type(self).__name__} cannot carry {self.code}: the catalogue says {spec(self.code).disposition}")
        self.got, self.expected = shown(self.got), shown(self.expected)
        super().__init__(str(self))

    @property
    def spec(self) -> ErrorSpec:
        """What the catalogue says of this code."""
        return spec(self.code)

    def __str__(self) -> str:
        about = spec(self.code)
        parts = [f"{self.code}: {about.title.en}"]
        if self.got:
            parts.append(f"got {self.got}")
        if self.expected:
            parts.append(f"expected {self.expected}")
        parts.append(about.remedy.en)
        return "; ".join(parts)

    def as_json(self) -> dict[str, Any]:
        """RFC 9457 members without `instance` and `trace_id`, which the face adds."""
        about = spec(self.code)
        return {
            "type": f"urn:lgsp-hub:error:{self.code}",
            "title": about.title.en,
            "title_vi": about.title.vi,
            "status": about.http_status,
            "code": self.code,
            "detail": str(self),
            "got": self.got,
            "expected": self.expected,
            "remedy": {"vi": about.remedy.vi, "en": about.remedy.en},
            "violations": [v.as_json() for v in self.violations],
            **self.extra,
        }


class Refused(HubError):
    """Trying again will not help; the sender corrects and sends anew."""

    disposition = Disposition.REFUSE


class TryLater(HubError):
    """The same thing may work later."""

    disposition = Disposition.RETRY


class Parked(HubError):
    """A person has to look."""

    disposition = Disposition.PARK


class Halted(HubError):
    """The hub cannot go on; nothing was accepted."""

    disposition = Disposition.HALT
