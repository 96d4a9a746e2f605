"""Time-stamp responses and tokens by themselves: made by ``openssl ts``, and spoilt."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.vectors.case import Case, changed, run
from tests.vectors.forge_cms import token
from tests.vectors.identities import Signer, World

CONTENT = "Biên bản bàn giao\n".encode() * 30
OTHER = CONTENT + b"!"
MOMENT = datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC)

_SETTINGS = """[tsa]
default_tsa = here
[here]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {signer.certificate_path}
certs = {signer.certificate_path}
signer_key = {signer.key_path}
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""

Builder = Callable[[World], Case]


def response(world: World, authority: Signer, *options: str, with_certificate: bool = True) -> bytes:
    """``openssl ts -reply`` to a query over `CONTENT`."""
    folder = world.folder
    configuration, question, content = folder / f"{authority.name}.cnf", folder / "query.tsq", folder / "content.bin"
    configuration.write_text(_SETTINGS.format(folder=folder, signer=authority), "utf-8")
    content.write_bytes(CONTENT)
    (folder / "serial").write_text("01")
    asked = ("-cert",) if with_certificate else ()
    run("openssl", "ts", "-query", "-data", content, "-sha256", *asked, "-out", question)
    out = folder / "reply.tsr"
    run("openssl", "ts", "-reply", "-config", configuration, "-queryfile", question, "-out", out, *options)
    return out.read_bytes()


def honest_response(world: World) -> Case:
    return Case("a response", response(world, world.authority), CONTENT, stamped=True)


def honest_token(world: World) -> Case:
    return Case("a token alone", response(world, world.authority, "-token_out"), CONTENT, stamped=True)


def authority_known_otherwise(world: World) -> Case:
    """The certificate is not in the token; it is among the configured ones."""
    return Case("without its certificate", response(world, world.authority, with_certificate=False), CONTENT, stamped=True)


def content_changed(world: World) -> Case:
    return Case("other content", response(world, world.authority), OTHER, ("timestamp-invalid",), "failed")


def content_missing(world: World) -> Case:
    return Case("no content given", response(world, world.authority), None, ("reference-missing",), "unknown")


def time_changed(world: World) -> Case:
    data = changed(token(world.authority, CONTENT, MOMENT), b"20261120010203Z", b"20161120010203Z")
    return Case("the time changed", data, CONTENT, ("timestamp-invalid",), "failed")


def by_pretender(world: World) -> Case:
    return Case("by nobody's authority", token(world.pretender, CONTENT, MOMENT), CONTENT, ("timestamp-invalid",), "failed")


def by_careless(world: World) -> Case:
    return Case("usage not critical", token(world.careless, CONTENT, MOMENT), CONTENT, ("timestamp-invalid",), "failed")


def bound_to_another(world: World) -> Case:
    data = token(world.authority, CONTENT, MOMENT, bound_to=world.person)
    return Case("signing-certificate names another", data, CONTENT, ("timestamp-invalid",), "failed")


def certificate_unknown(world: World) -> Case:
    data = token(world.careless, CONTENT, MOMENT, embedded=[])
    return Case("nobody has the certificate", data, CONTENT, ("timestamp-invalid",), "failed")


def by_sha1(world: World) -> Case:
    return Case("an imprint by SHA-1", token(world.authority, CONTENT, MOMENT, digest="sha1"), CONTENT, ("alg-forbidden",), stamped=True)


def rejected(world: World) -> Case:
    data = bytes.fromhex("3005 3003 020102")  # PKIStatusInfo of status 2, rejection, and nothing behind it
    return Case("a response that grants nothing", data, CONTENT, ("timestamp-invalid",), "failed", findings=0)


def signature_for_token(world: World) -> Case:
    from tests.vectors.build_cms import openssl

    return Case("an ordinary signature", openssl(world.person, content=CONTENT), CONTENT, ("timestamp-invalid",), "failed")


def cut_short(world: World) -> Case:
    return Case("cut short", response(world, world.authority)[:-1], CONTENT, ("cms-malformed",), findings=0)


HONEST: tuple[Builder, ...] = (honest_response, honest_token, authority_known_otherwise)
DEFECTS: tuple[Builder, ...] = (
    content_changed,
    content_missing,
    time_changed,
    by_pretender,
    by_careless,
    bound_to_another,
    certificate_unknown,
    by_sha1,
    rejected,
    signature_for_token,
    cut_short,
)


def cases(world: World) -> list[Case]:
    """All of them."""
    return [build(world) for build in (*HONEST, *DEFECTS)]


def write(world: World, folder: Path) -> None:
    """The vectors as files, each with its content."""
    for number, case in enumerate(cases(world)):
        (folder / f"{number:03}.tsr").write_bytes(case.data)
        if case.content is not None:
            (folder / f"{number:03}.bin").write_bytes(case.content)
