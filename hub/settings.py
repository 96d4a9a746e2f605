"""The hub's settings: one folder (`home`) with everything an operator writes, read once at start.

::

    home/
      hub.toml           this module's `Settings`
      systems/*.toml     one profile per connected system (`hub.systems`)
      directory/         agency codes of the province (`docs/agency-codes.md`), over the shipped ones
      mappings/          mappings of the province (`docs/translation.md`), beside the shipped ones
      trust/             trust anchors; `intermediates/` below it
      secrets.toml       credentials that profiles refer to by name, mode 0600
      keys/              the hub's own keys (`lgsp keys init`), never in the database or its backup
      data/              database and payload files, unless `store_url` says otherwise
      published/         the last published checkpoint, which the store is compared with, and the file of erasures, which is applied
                         to it again; never in the database's backup

Everything wrong in a file is reported at once, with its place. Environment variables override single values: `LGSP_LISTEN`,
`LGSP_STORE_URL`, `LGSP_BROKER_URL`, `LGSP_PUBLIC_URL`.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from datetime import date
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from schemas.errors import Halted, Violation, error
from schemas.limits import DEFAULT_LIMITS, Limits

M = TypeVar("M", bound=BaseModel)

ENVIRONMENT = {
    "LGSP_LISTEN": "listen",
    "LGSP_STORE_URL": "store_url",
    "LGSP_BROKER_URL": "broker_url",
    "LGSP_PUBLIC_URL": "public_url",
}


class Table(BaseModel):
    """A TOML table: frozen, and a key that is not known is an error, not a silent no-op."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AmqpSettings(Table):
    """The broker that agencies publish to (DESIGN §10). Not the hub's own pointer queue, though it may be the same broker."""

    url: str = ""  # amqp://user:password@host/vhost; "" = no AMQP ingress
    prefix: str = "agency"  # exchanges and queues are `<prefix>.<user>.out`, `<prefix>.<user>.…`


class EgressSettings(Table):
    """Where deliveries may go. Link-local and metadata addresses are refused always."""

    allow: tuple[IPv4Network | IPv6Network, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))


class SignatureSettings(Table):
    """What is asked of a packet's own signature where a system's profile says nothing."""

    mode: str = Field(default="check", pattern="^(require|check|ignore)$")
    domain: str = ""  # trust domain, a subfolder of `trust/`; "" = the only one there is
    revocation: str = Field(default="all", pattern="^(all|published|none)$")  # whose status must be known: `signing.context.Demand`
    ask: tuple[str, ...] = ()  # places that the background job may ask for lists and answers: "http://ca.gov.vn"; () = none
    retry_s: float = Field(default=60.0, gt=0)  # first wait before a pending verdict is reached again; doubles up to a day
    give_up_s: float = Field(default=2_592_000.0, gt=0)  # after this a pending verdict stays as it is, visibly


class PersonSettings(Table):
    """Logging in of people (operators, auditors, …)."""

    session_s: int = Field(default=28_800, ge=60, le=604_800)  # how long a session lasts; a working day
    attempts: int = Field(default=5, ge=1)  # for one login from one address; 4 times as many for a login, 10 times for an address
    attempts_window_s: int = Field(default=900, ge=1)


class SigningSettings(Table):
    """The hub's own certificate, by which it signs what it composes on behalf of an agency. All empty: it does not sign."""

    pkcs12: str = ""  # file in the home, mode 0600
    module: str = ""  # PKCS#11 library, with `token` and `key` the labels
    token: str = ""
    key: str = ""
    secret_ref: str = ""  # entry of secrets.toml: the file's password, the token's PIN
    tsa: str = ""  # RFC 3161 authority; its place is the only one asked
    tsa_timeout_s: float = Field(default=3.0, gt=0, le=60)

    @model_validator(mode="after")
    def _one_place(self) -> SigningSettings:
        if self.pkcs12 and self.module:
            raise ValueError("pkcs12 or module, not both")
        if bool(self.module) != bool(self.token and self.key) or bool(self.token) != bool(self.key):
            raise ValueError("module, token and key belong together")
        return self


class WitnessSettings(Table):
    """One witness that is asked to cosign."""

    url: str = Field(pattern=r"^https?://[^\s]{1,400}$")  # its submission prefix: `/add-checkpoint` is below it
    key: str = Field(pattern=r"^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$")  # name+hash+key, as `lgsp witness init` prints it


class LogSettings(Table):
    """How the journal is published, and who vouches for it."""

    publish_s: float = Field(default=1.0, gt=0)  # how often a head that has moved is published
    checkpoint_file: str = ""  # where the last published checkpoint is kept, apart from store and backup; "" = home/published/checkpoint
    quorum: int = Field(default=0, ge=0)  # how many of the witnesses must have cosigned what is shown
    witnesses: tuple[WitnessSettings, ...] = ()
    tsa_url: str = Field(default="", pattern=r"^(https?://[^\s]{1,400})?$")  # time-stamping authority (RFC 3161); "" = none
    stamp_every: int = Field(default=100, ge=1)  # every so many checkpoints one is time-stamped
    thin_after_s: float = Field(default=86_400.0, ge=3_600)  # older checkpoints: stamped ones stay, of others one an hour

    @model_validator(mode="after")
    def _enough_witnesses(self) -> LogSettings:
        names = {one.key.partition("+")[0] for one in self.witnesses}
        if len(names) < len(self.witnesses):
            raise ValueError("two witnesses of the same name")
        if self.quorum > len(self.witnesses):
            raise ValueError(f"a quorum of {self.quorum} of {len(self.witnesses)} witnesses")
        return self


class RetentionRule(Table):
    """One `[[retention]]`: how long messages of a class are kept. Of the rules that fit a message, the one in force last when it was
    accepted holds, of several the first."""

    name: str = Field(pattern=r"^[^\x00-\x1f]{1,100}$")
    since: date = date.min  # accepted on that day (Vietnamese time) or later
    kinds: tuple[str, ...] = ()  # "document.new"; "document.*"; none = all
    priorities: tuple[str, ...] = ()  # OtherInfo/Priority as written; none = all
    keep_days: int = Field(ge=1)
    source: str = ""  # the act that says so


class Settings(Table):
    """`hub.toml`."""

    home: Path
    origin: str = Field(default="lgsp-hub.local/journal", pattern=r"^[^\s+]{1,200}$")  # the log's name: never change it once it has entries
    listen: str = Field(default="127.0.0.1:8080", pattern=r"^[^\s]+:[0-9]{1,5}$")
    public_url: str = ""  # as systems see the hub; written into the WSDL. "" = taken from each request
    store_url: str = ""  # SQLAlchemy URL; "" = SQLite in home/data
    broker_url: str = ""  # kombu URL of the pointer queue; "" = in this process
    fallback: str = ""  # name of the system that takes recipients nobody here serves (the axis); "" = refuse them
    workers: int = Field(default=4, ge=1, le=64)  # most deliveries to one system at a time
    sweep_s: float = Field(default=1.0, gt=0)  # how often due deliveries are looked for
    amqp: AmqpSettings = AmqpSettings()
    egress: EgressSettings = EgressSettings()
    signature: SignatureSettings = SignatureSettings()
    persons: PersonSettings = PersonSettings()
    signing: SigningSettings = SigningSettings()
    log: LogSettings = LogSettings()
    limits: Mapping[str, int] = Field(default_factory=dict)
    retention: tuple[RetentionRule, ...] = ()  # what no rule fits is kept for ever

    @field_validator("limits")
    @classmethod
    def _known_limits(cls, value: Mapping[str, int]) -> Mapping[str, int]:
        unknown = sorted(set(value) - set(Limits.__slots__))
        if unknown:
            raise ValueError(f"unknown limits {', '.join(unknown)}; known: {', '.join(Limits.__slots__)}")
        if any(most <= 0 for most in value.values()):
            raise ValueError("a limit is a positive number")
        return value

    @field_validator("listen")
    @classmethod
    def _a_port(cls, value: str) -> str:
        if int(value.rpartition(":")[2]) > 65_535:
            raise ValueError("a port is at most 65535")
        return value

    @field_validator("broker_url")
    @classmethod
    def _a_broker_that_keeps(cls, value: str) -> str:
        if value and not value.startswith(("amqp://", "amqps://", "pyamqp://")):
            raise ValueError(
                "only amqp:// or amqps:// (RabbitMQ); other transports lose messages when a consumer is killed. Empty = in this process"
            )
        return value

    @property
    def host(self) -> str:
        """The address to listen on."""
        return self.listen.rpartition(":")[0]

    @property
    def port(self) -> int:
        """The port to listen on; 0 = any free one."""
        return int(self.listen.rpartition(":")[2])

    @property
    def data_folder(self) -> Path:
        """Database and payload files."""
        return self.home / "data"

    @property
    def keys_folder(self) -> Path:
        """The hub's own keys."""
        return self.home / "keys"

    @property
    def checkpoint_path(self) -> Path:
        """The last published checkpoint: not in `data_folder`, whose backup may be restored."""
        return self.home / (self.log.checkpoint_file or "published/checkpoint")

    @property
    def erasures_path(self) -> Path:
        """What was erased: beside the checkpoint, for the same reason."""
        return self.checkpoint_path.with_name("erasures.jsonl")

    @property
    def trust_folder(self) -> Path:
        """Trust anchors and intermediates."""
        return self.home / "trust"

    @property
    def resolved_store_url(self) -> str:
        """`store_url`, or SQLite in `data_folder`."""
        return self.store_url or f"sqlite:///{self.data_folder / 'hub.sqlite'}"

    @property
    def effective_limits(self) -> Limits:
        """The defaults with `[limits]` laid over them."""
        return Limits(**{name: self.limits.get(name, getattr(DEFAULT_LIMITS, name)) for name in Limits.__slots__})


def load_settings(home: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """`home/hub.toml` (all defaults where it is absent) with the environment laid over it. Raises `Halted("settings-invalid")`."""
    path = home / "hub.toml"
    table = read_toml(path) if is_there(path) else {}
    env = os.environ if environment is None else environment
    table.update({field: env[name] for name, field in ENVIRONMENT.items() if env.get(name)})
    return checked(Settings, {**table, "home": home.absolute()}, path)


def is_there(path: Path) -> bool:
    """Whether there is such a file. Raises `Halted("settings-invalid")` where that may not be known."""
    try:
        return path.exists()
    except OSError as fault:
        raise Halted("settings-invalid", got=f"{path}: {fault.strerror}", expected="a folder that this user may read") from fault


def files_in(folder: Path, pattern: str) -> list[Path]:
    """What is in `folder`, by name; nothing where there is no such folder. Raises `Halted("settings-invalid")` where it is closed."""
    try:
        return sorted(one for one in folder.iterdir() if one.match(pattern)) if folder.is_dir() else []
    except OSError as fault:
        raise Halted("settings-invalid", got=f"{folder}: {fault.strerror}", expected="a folder that this user may read") from fault


def read_toml(path: Path) -> dict[str, Any]:
    """The table in `path`. Raises `Halted("settings-invalid")` with the line of a syntax error."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        one = error("settings-invalid", path=path.name, got=fault, expected="a readable TOML file")
        raise Halted("settings-invalid", got=f"{path.name}: {fault}", expected=one.expected, violations=(one,)) from fault


def checked(model: type[M], table: Mapping[str, Any], path: Path) -> M:
    """`table` as a `model`; every violation at once otherwise."""
    try:
        return model.model_validate(table)
    except ValidationError as fault:
        violations = tuple(_violation(path, dict(one)) for one in fault.errors())
        raise Halted("settings-invalid", got=violations[0].got, expected=violations[0].expected, violations=violations) from fault


def _violation(path: Path, one: Mapping[str, Any]) -> Violation:
    place = ".".join(str(step) for step in one["loc"] if not str(step).startswith(("lax-or-strict", "function-")))
    value = "" if any(secret in place for secret in ("secret", "token", "password", "url")) else repr(one.get("input", ""))
    return error("settings-invalid", path=f"{path.name}: {place}", got=value, expected=one["msg"])
