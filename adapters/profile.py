"""Reading a profile's table: every field typed and checked, every fault reported with its TOML path, secrets by reference only."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from adapters.condition import Condition
from adapters.contract import Idempotency
from adapters.credentials import Auth, AuthKind
from adapters.template import FIELDS, Template, unknown_places
from schemas.errors import Halted, HubError, Violation, error

Secrets = Callable[[str], str]
_T = TypeVar("_T")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
_HEADER_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
_OWN_HEADERS = {"content-length", "transfer-encoding", "connection", "host", "authorization"}
_KNOWN_IDEMPOTENCY = (Idempotency.KEY, Idempotency.NONE)


class Fields:
    """One table of a profile. Each read takes a field away; `finish` reports what is left, and everything that was wrong.

    A wrong field gives its default and a violation, so that one run finds all faults. `path` is the table's place in the file.
    """

    def __init__(self, table: Mapping[str, Any], path: str, secrets: Secrets, folder: Path, found: list[Violation] | None = None) -> None:
        self._table = dict(table)
        self._path = path
        self._secrets = secrets
        self._folder = folder
        self.found: list[Violation] = [] if found is None else found

    def report(self, code: str, name: str, got: object = "", expected: object = "") -> None:
        """Note a fault of the field `name`."""
        self.found.append(error(code, path=f"{self._path}.{name}" if self._path else name, got=got, expected=expected))

    def text(self, name: str, default: str | None = None, *, pattern: str = "", expected: str = "") -> str:
        """A string, required where `default` is None, wholly matching `pattern` where given."""
        value = self._take(name, str, default)
        if value is None:
            return ""
        if pattern and value != default and not re.fullmatch(pattern, value):
            self.report("profile-bad-value", name, value, expected or pattern)
        return value

    def choice(self, name: str, choices: Iterable[str], default: str) -> str:
        """One of a few words."""
        value = self._take(name, str, default)
        if value not in (known := tuple(choices)):
            self.report("profile-bad-value", name, value, "one of " + ", ".join(known))
            return default
        return value

    def seconds(self, name: str, default: float) -> float:
        """A time, more than 0 and at most an hour."""
        return self._number(name, float, default, 0.001, 3_600.0)

    def count(self, name: str, default: int, *, low: int, high: int) -> int:
        """A whole number within bounds."""
        return int(self._number(name, int, default, low, high))

    def texts(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of strings."""
        values = self._take(name, list, list(default)) or []
        for n, value in enumerate(values):
            if not isinstance(value, str):
                self.report("profile-wrong-type", f"{name}[{n}]", type(value).__name__, "a string")
        return tuple(value for value in values if isinstance(value, str))

    def statuses(self, name: str) -> frozenset[int]:
        """A list of HTTP status codes."""
        values = self._take(name, list, []) or []
        for n, value in enumerate(values):
            if type(value) is not int or not 100 <= value <= 599:
                self.report("profile-bad-value", f"{name}[{n}]", value, "an HTTP status from 100 to 599")
        return frozenset(value for value in values if type(value) is int)

    def url(self, name: str, schemes: tuple[str, ...], default: str | None = None) -> str:
        """An absolute address without credentials in it."""
        value = self.text(name, default)
        if not value or value == default:
            return value
        try:
            parts = urlsplit(value)
            sound = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0) and value.isprintable()
        except ValueError:
            sound, parts = False, urlsplit("")
        if parts.username is not None or parts.password is not None or "@" in value.partition("://")[2].partition("/")[0]:
            self.report("profile-bad-value", name, f"{parts.scheme}://…@{parts.hostname}", "no user or password here; use a reference")
        elif not sound or " " in value:
            self.report("profile-bad-value", name, value, "an address like " + " or ".join(f"{scheme}://host" for scheme in schemes))
        return value

    def file(self, name: str) -> str:
        """A file that exists, relative to the profile's folder; "" where none is named."""
        value = self.text(name, "")
        if not value:
            return ""
        path = self._folder / value
        if not path.is_file():
            self.report("profile-bad-value", name, value, "a file that exists")
        return str(path)

    def ca_file(self) -> str:
        """Certificates (PEM) that the system's own must lead to; "" is the machine's store."""
        path = self.file("ca_file")
        try:
            if path and Path(path).is_file():
                ssl.create_default_context(cafile=path)
        except OSError as fault:  # SSLError included
            self.report("profile-bad-value", "ca_file", fault, "certificates in PEM")
        return path

    def place(self, name: str) -> str:
        """An http address or a file."""
        if str(self._table.get(name, "")).startswith(("http://", "https://")):
            return self.url(name, ("http", "https"))
        if name not in self._table:
            return self.text(name)
        return self.file(name)

    def secret(self, name: str) -> str:
        """What the reference in `name` stands for. The value is never part of a fault."""
        reference = self.text(name)
        if not reference:
            return ""
        try:
            value = self._secrets(reference)
        except (LookupError, HubError):
            value = ""
        if not value:
            self.report("profile-secret-missing", name, reference, "a secret under this name")
        elif not value.isprintable() or not value.isascii():
            self.report("profile-bad-value", name, reference, "a secret in printable ASCII")
        return value

    def idempotency(self) -> Idempotency:
        """What the system promises about a parcel that reaches it twice; required, because nobody may assume it."""
        if "idempotency" not in self._table:
            self.report("profile-missing-field", "idempotency", expected="key or none")
        return Idempotency(self.choice("idempotency", _KNOWN_IDEMPOTENCY, Idempotency.NONE))

    def auth(self) -> Auth:
        """The table ``auth = { kind = "none" | "basic" | "bearer" | "api-key", … }``."""
        inner = self.inner("auth")
        if inner is None:
            return Auth()
        kind = AuthKind(inner.choice("kind", tuple(AuthKind), AuthKind.NONE))
        auth = Auth(kind)
        if kind is AuthKind.BEARER:
            auth = Auth(kind, secret=inner.secret("token_ref"))
        elif kind is AuthKind.BASIC:
            auth = Auth(
                kind, user=inner.text("user", pattern="[^:]+", expected="a name without colon"), secret=inner.secret("password_ref")
            )
        elif kind is AuthKind.API_KEY:
            header = inner.text("header", "X-API-Key", pattern=_HEADER_NAME.pattern, expected="a header name")
            auth = Auth(kind, header=header, secret=inner.secret("key_ref"))
        inner.finish()
        return auth

    def condition(self) -> Condition | None:
        """The table ``success = { path = "status", equals = "OK" }``."""
        inner = self.inner("success")
        if inner is None:
            return None
        path, equals = inner.text("path", ""), inner.scalar("equals")
        inner.finish()
        return Condition(path, equals)

    def scalar(self, name: str) -> str | int | bool:
        """A string, whole number or boolean; required."""
        value = self._table.pop(name, None)
        if value is None:
            self.report("profile-missing-field", name)
        elif not isinstance(value, str | int | bool):
            self.report("profile-wrong-type", name, type(value).__name__, "a string, whole number or boolean")
        return value if isinstance(value, str | int | bool) else ""

    def headers(self) -> Mapping[str, str]:
        """Fixed header fields."""
        table = self._take("headers", dict, {}) or {}
        for name, value in table.items():
            if not _HEADER_NAME.fullmatch(name) or name.lower() in _OWN_HEADERS:
                self.report("profile-bad-value", f"headers.{name}", name, "a header name that HTTP or `auth` does not set itself")
            if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
                self.report("profile-bad-value", f"headers.{name}", value, "printable ASCII")
        return {name: value for name, value in table.items() if isinstance(value, str)}

    def templates(self, name: str) -> Mapping[str, Template]:
        """A table of templates over a parcel's fields; required."""
        table: Mapping[str, Template] = self._take(name, dict, None) or {}
        for unknown in unknown_places(table):
            self.report("profile-bad-value", name, "{" + unknown + "}", "one of " + ", ".join(f"{{{known}}}" for known in sorted(FIELDS)))
        return table

    def inner(self, name: str) -> Fields | None:
        """The table `name`, None where there is none."""
        table = self._take(name, dict, {}) if name in self._table else None
        if table is None:
            return None
        return Fields(table, f"{self._path}.{name}" if self._path else name, self._secrets, self._folder, self.found)

    def finish(self) -> None:
        """Report every field that nobody asked for."""
        for name in self._table:
            self.report("profile-unknown-field", name)
        self._table.clear()

    def refuse_if_wrong(self) -> None:
        """Raises `Halted("settings-invalid")` with all violations, if there is any."""
        if self.found:
            first = self.found[0]
            raise Halted("settings-invalid", got=f"{first.path}: {first.got}", expected=first.expected, violations=tuple(self.found))

    def _number(self, name: str, kind: type[float] | type[int], default: float, low: float, high: float) -> float:
        value = self._table.pop(name, default)
        if isinstance(value, bool) or not isinstance(value, int | kind):
            self.report("profile-wrong-type", name, type(value).__name__, "a number" if kind is float else "a whole number")
            return default
        if not low <= value <= high:
            self.report("profile-bad-value", name, value, f"from {low} to {high}")
            return default
        return value

    def _take(self, name: str, kind: type[_T], default: _T | None) -> _T | None:
        if name not in self._table:
            if default is None:
                self.report("profile-missing-field", name, expected=_TYPE_NAMES[kind])
            return default
        value = self._table.pop(name)
        if isinstance(value, kind):
            return value
        self.report("profile-wrong-type", name, type(value).__name__, _TYPE_NAMES[kind])
        return default


_TYPE_NAMES: Mapping[type, str] = {str: "a string", list: "a list", dict: "a table"}
