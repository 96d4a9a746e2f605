"""The demo hub's home folder: settings, one profile per system, trust, keys. Everything an operator would write, in the same files."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from adapters.topology import Topology
from hub.access import new_api_key
from hub.demo import bus
from hub.demo.packets import Body
from hub.demo.pki import Pki, build_pki
from hub.keys import Keyring
from hub.systems import ApiKey

ORIGIN = "demo.lgsp-hub.local/journal"

# The agencies: invented units of a real province's code. Both forms of codes are used on purpose: the hub holds them equal.
SO_TU_PHAP = Body("000.00.11.H32", "Sở Tư pháp (thử nghiệm)")
VAN_PHONG = Body("H32.01", "Văn phòng UBND tỉnh (thử nghiệm)")
SO_NNMT = Body("H32.15", "Sở Nông nghiệp và Môi trường (thử nghiệm)")
UBND_PHUONG = Body("H32.30.05", "UBND phường (thử nghiệm)")
KHO = Body("H32.20", "Kho dữ liệu văn bản (thử nghiệm)")
NOBODY = Body("H99.77", "Đơn vị chưa khai báo")
_ELLIPTIC = (VAN_PHONG.code, UBND_PHUONG.code, KHO.code)  # these sign by ECDSA, the others by RSA


ON_BUS = "chuyennganh"  # reached by AMQP where there is a broker


@dataclass(frozen=True, slots=True)
class Member:
    """One connected system of the demo."""

    name: str  # of its profile
    title: str
    body: Body
    registered: str  # the code in its profile: the other form where the packets use one
    mode: str  # what is asked of its packets' signatures
    module: str = ""  # of its simulator; "" = it fetches from its mailbox
    formats: tuple[str, ...] = ()  # that it takes instead of edXML; it then does without the packet's signature
    answers: bool = False  # whether it reports statuses; unsigned as in real life, so not where a signature is required


MEMBERS = (
    Member("motcua", "Một cửa điện tử (REST)", SO_TU_PHAP, "H32.11", "require", "adapters.systems.motcua.simulator"),
    Member("qlvb", "QLVB&ĐH (SOAP)", VAN_PHONG, "000.00.01.H32", "check", "hub.demo.qlvb", answers=True),
    Member(ON_BUS, "Phần mềm chuyên ngành", SO_NNMT, "H32.15", "check", "adapters.systems.chuyennganh.simulator", answers=True),
    Member("hopthu", "Hộp thư UBND phường", UBND_PHUONG, "H32.30.05", "check"),
    Member("kho", "Kho dữ liệu văn bản (JSON)", KHO, "H32.20", "check", formats=("canonical.document", "canonical.status")),
)


@dataclass(frozen=True, slots=True)
class Login:
    """How a system shows the hub who it is, and the hub the system."""

    api_key: str = field(repr=False)  # keyid.secret
    kept: ApiKey  # what the profile keeps of it
    token: str = field(repr=False)

    @classmethod
    def new(cls) -> Login:
        """Fresh ones."""
        return cls(*new_api_key(), secrets.token_urlsafe(16))


_HUB = """\
# Cấu hình hub của bản trình diễn / settings of the demo's hub
origin = {origin}
listen = {listen}
sweep_s = 0.2

[amqp]
url = {amqp_url}
prefix = {prefix}

[signature]
mode = "check"
"""

_PROFILE = """\
title = {title}
agencies = [{code}]

[access]
may_send_for = "own"
amqp_user = {amqp_user}
keys = [
    {{ id = {key_id}, sha256 = {sha256} }},
]

[signature]
mode = {mode}

[signature.certificates]
{code} = [{certificate}]

{delivery}"""

_RETRY = """
[delivery.retry]
base_s = 0.3
max_s = 1.0
open_after = 6
open_s = 0.5
"""
_REST = """
[delivery]
kind = "rest"

[delivery.settings]
url = "{url}/documents"
auth = {{ kind = "bearer", token_ref = "{name}" }}
idempotency = "key"
remote_id = "maTiepNhan"
timeout_s = 10.0
connect_timeout_s = 2.0
"""
_SOAP = """
[delivery]
kind = "soap"

[delivery.settings]
wsdl = "{url}/tiepnhan?wsdl"
operation = "NhanVanBan"
auth = {{ kind = "basic", user = "lgsp", password_ref = "{name}" }}
idempotency = "key"
remote_id = "maTiepNhan"
success = {{ path = "trangThai", equals = "OK" }}
timeout_s = 10.0
connect_timeout_s = 2.0

[delivery.settings.arguments]
maGoi = "{{key}}"
soKyHieu = "{{document_id}}"
loai = "{{kind}}"
maThongDiep = "{{message_id}}"
noiDung = "{{body_base64}}"
"""
_AMQP = """
[delivery]
kind = "amqp"

[delivery.settings]
url = "{place}"
user = "{user}"
password_ref = "bus"
exchange = "{exchange}"
idempotency = "key"
timeout_s = 10.0
connect_timeout_s = 2.0
"""
_MAILBOX = """
[delivery]
kind = "mailbox"
"""


@dataclass(frozen=True, slots=True)
class HomeFolder:
    """A home that is ready for `lgsp serve`, and what only its maker knows."""

    path: Path
    pki: Pki
    logins: Mapping[str, Login]  # by member


def new_pki(folder: Path, at: datetime) -> Pki:
    """A root, an issuing CA and a signer for each member."""
    return build_pki(folder, [member.body.code for member in MEMBERS], at, elliptic=_ELLIPTIC, root_bits=2048)


def write_home(
    folder: Path, pki: Pki, *, listen: str, addresses: Mapping[str, str], logins: Mapping[str, Login], bus_prefix: str
) -> HomeFolder:
    """Makes the folder. `addresses` are the simulators' URLs by member; `bus_prefix` "" = no broker."""
    (folder / "systems").mkdir(parents=True)
    shutil.copytree(pki.trust, folder / "trust")
    Keyring.init(folder / "keys")
    hub = _HUB.format(origin=_q(ORIGIN), listen=_q(listen), amqp_url=_q(bus.URL if bus_prefix else ""), prefix=_q(bus_prefix or "agency"))
    (folder / "hub.toml").write_text(hub, "utf-8")
    _write_secrets(folder / "secrets.toml", {"bus": bus.USER, **{name: login.token for name, login in logins.items()}})
    for member in MEMBERS:
        profile = _profile(member, pki, logins[member.name], _delivery(member, addresses.get(member.name, ""), bus_prefix), bus_prefix)
        (folder / "systems" / f"{member.name}.toml").write_text(profile, "utf-8")
    return HomeFolder(folder, pki, logins)


def _profile(member: Member, pki: Pki, login: Login, delivery: str, bus_prefix: str) -> str:
    return _PROFILE.format(
        title=_q(member.title),
        code=_q(member.registered),
        amqp_user=_q(bus.USER if bus_prefix and member.name == ON_BUS else ""),
        key_id=_q(login.kept.id),
        sha256=_q(login.kept.sha256),
        mode=_q(member.mode),
        certificate=_q(pki.identities[member.body.code].sha256),
        delivery=delivery,
    )


def _delivery(member: Member, url: str, bus_prefix: str) -> str:
    if not member.module:
        taken = f'format = {_q(list(member.formats))}\naccept_losses = ["reading", "form"]\n'
        return _MAILBOX + (taken if member.formats else "")
    if member.name == ON_BUS and bus_prefix:
        return _AMQP.format(place=bus.PLACE, user=bus.USER, exchange=Topology(bus.USER, bus_prefix).in_exchange) + _RETRY
    return (_SOAP if member.name == "qlvb" else _REST).format(url=url, name=member.name) + _RETRY


def _write_secrets(path: Path, secret_texts: Mapping[str, str]) -> None:
    path.touch(mode=0o600)  # before there is a secret in it
    path.write_text("".join(f"{name} = {_q(text)}\n" for name, text in secret_texts.items()), "utf-8")


def _q(text: str | list[str]) -> str:
    """A TOML basic string, or a list of them; JSON's escapes are among TOML's."""
    return json.dumps(text, ensure_ascii=False)
