"""What the dictionary holds: entries, roles, and the types an entry may have."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from schemas.errors import Text


class FieldType(StrEnum):
    """What a value is, in canonical form."""

    TEXT = "text"
    DATE = "date"  # yyyy-MM-dd, or yyyy-MM or yyyy where no more is known
    DATETIME = "datetime"  # yyyy-MM-ddTHH:mm:ss+07:00; a date where the sender gives no time
    YEAR = "year"  # yyyy
    CODE = "code"  # of a code list
    INTEGER = "integer"
    DECIMAL = "decimal"  # a text without spare zeros
    BOOLEAN = "boolean"
    ADDRESS = "address"  # its parts, or one text
    ID_NUMBER = "id_number"
    PHONE = "phone"
    EMAIL = "email"
    URL = "url"
    TAX_CODE = "tax_code"
    DOSSIER_CODE = "dossier_code"
    PROCEDURE_CODE = "procedure_code"
    AGENCY_CODE = "agency_code"
    TASK_ID = "task_id"
    BASE64 = "base64"
    OBJECT = "object"  # its members have keys of their own
    LIST = "list"


class Privacy(StrEnum):
    """How the hub treats a value in logs and errors. Our reading of the law on personal data [G facts §5]: not a legal judgement."""

    PLAIN = "plain"
    PERSONAL = "personal"
    SENSITIVE = "sensitive"
    SECRET = "secret"  # noqa: S105  passwords, tokens: never shown, never stored in the clear


@dataclass(frozen=True, slots=True)
class Role:
    """Whom a person's field is about."""

    name: str
    text: Text


@dataclass(frozen=True, slots=True)
class Entry:
    """One key and everything about it that does not depend on a system."""

    key: str
    type: FieldType
    definition: Text  # with the role or part it is about
    source: str  # label and place of the fact
    code_list: str = ""  # name in code_lists.toml, "" for none
    pattern: str = ""  # regular expression of the whole canonical value, "" for none
    unit: str = ""
    privacy: Privacy = Privacy.PLAIN
    since: str = ""  # yyyy or yyyy-MM-dd, "" always
    until: str = ""  # last day of use, "" still in use
    role: str = ""  # of a person's field
    domain: str = ""  # data file it stands in

    def as_json(self) -> dict[str, Any]:
        """The form that `--json` prints."""
        return {
            "key": self.key,
            "type": str(self.type),
            "definition": {"vi": self.definition.vi, "en": self.definition.en},
            "code_list": self.code_list,
            "pattern": self.pattern,
            "unit": self.unit,
            "privacy": str(self.privacy),
            "since": self.since,
            "until": self.until,
            "role": self.role,
            "source": self.source,
        }
