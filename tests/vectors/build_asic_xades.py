"""ASiC containers with XAdES inside: a signature over the files by their names, whatever its level, and what can be wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.vectors.build_asic import ANNEX, EXTENDED, LETTER, SIMPLE, list_without, packed
from tests.vectors.build_xades import plain, signature_stamped
from tests.vectors.case import Case, changed
from tests.vectors.identities import World
from tests.vectors.sign_xml import DS, EXC, by_hand, exclusive, reference, rsa_made, signature, x509

FILE = "META-INF/signatures0.xml"
ASIC = "http://uri.etsi.org/02918/v1.2.1#"
OBJECTS = {"công văn.txt": LETTER, "phụ lục/1.pdf": ANNEX}
_URIS = {"công văn.txt": "c%C3%B4ng%20v%C4%83n.txt", "phụ lục/1.pdf": "phụ lục/1.pdf"}


def signed(world: World, objects: Mapping[str, bytes] = OBJECTS, *, uris: Mapping[str, str] = _URIS) -> bytes:
    """XAdESSignatures with one signature of level B-B."""
    made = plain(world)
    references = [reference(uris.get(name, name), (), more=f' Id="r{number}"') for number, name in enumerate(objects)]
    inside = signature(
        *references,
        reference("#sp", (EXC,), more=f' Type="{made.kind}"'),
        more=' Id="s"',
        objects=made.properties(),
        key_info=x509(world.person),
    )
    document = f'<a:XAdESSignatures xmlns:a="{ASIC}">{inside}</a:XAdESSignatures>'
    properties = exclusive(document, "//*[local-name()='SignedProperties']")
    return by_hand(document, rsa_made(world.person), parts=[*objects.values(), properties])


def container(world: World, octets: bytes | None = None, **more: bytes) -> dict[str, bytes]:
    """ASiC-E over both files."""
    return {"mimetype": EXTENDED, **OBJECTS, FILE: octets if octets is not None else signed(world), **more}


def honest(world: World) -> Iterator[Case]:
    """What signers write."""
    yield Case("ASiC-E with XAdES", packed(container(world)))
    yield Case("ASiC-E with XAdES, without mimetype", packed(list_without(container(world), "mimetype")))
    one = {"a.txt": LETTER}
    yield Case("ASiC-S with XAdES", packed({"mimetype": SIMPLE, **one, "META-INF/signatures.xml": signed(world, one)}))
    yield Case("ASiC-E with XAdES B-T", packed(container(world, signature_stamped(signed(world), world))), stamped=True)


def defects(world: World) -> Iterator[Case]:
    """One wrong thing in each."""
    files = container(world)

    def case(name: str, files: Mapping[str, bytes], *codes: str, integrity: str = "ok") -> Case:
        return Case(name, packed(files), None, codes, integrity)

    yield case("a file changed", {**files, "công văn.txt": LETTER + b"!"}, "tampered", integrity="failed")
    yield case("a file that nobody signed", {**files, "evil.txt": b"x"}, "coverage")
    yield case("a file missing", list_without(files, "phụ lục/1.pdf"), "reference-missing", integrity="unknown")
    away = signed(world, uris={"công văn.txt": "http://example.invalid/a.txt"})
    yield case("a reference to the network", container(world, away), "external-reference", "coverage", integrity="unknown")
    out = signed(world, uris={"công văn.txt": "../../etc/passwd"})
    yield case("a reference that leads out", container(world, out), "path-traversal", "coverage", integrity="unknown")
    at = changed(signed(world), b"</a:XAdESSignatures>", b"<Van-ban>x</Van-ban></a:XAdESSignatures>")
    yield case("foreign content beside the signature", container(world, at), "coverage")
    yield case("not XML", container(world, b"<a"), "malformed-xml", integrity="failed")
    bare = f'<a:XAdESSignatures xmlns:a="{ASIC}"><s:Signature xmlns:s="{DS}"/></a:XAdESSignatures>'.encode()
    yield case("an empty signature", container(world, bare), "malformed-signature", integrity="failed")
