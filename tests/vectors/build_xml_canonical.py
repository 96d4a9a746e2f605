"""Canonical forms where readers of XML Signature go wrong: what a part inherits, prefixes listed, addresses put together, and their twins.

libxmlsec signs; the JDK makes the same octets of them but for language and space said twice above a part, where it takes the outermost.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.vectors.build_xml import BODY
from tests.vectors.case import Case, changed
from tests.vectors.identities import World
from tests.vectors.sign_xml import C14N, C14N_1_1, ENVELOPED, EXC, FORMS, reference, signature, with_xmlsec

_PREFIXED = (
    '<n:Van-ban xmlns:n="urn:n" xmlns="urn:vn" xmlns:thua="urn:thua" Id="r" xml:lang="vi">'
    '<Ten xmlns:ghi="urn:g">Công văn</Ten><n:So ghi:k="1" xmlns:ghi="urn:h"><Trong xmlns=""><k/></Trong></n:So>{}</n:Van-ban>'
)
_BASES = (  # of two ancestors and of the part itself, and what they come to
    ("http://vn.example/a/b.xml", "../c/", "d.xml"),
    ("http://vn.example/a/b.xml", "/goc/", "d.xml"),
    ("http://vn.example", "a/", ""),
    ("a/b/", "../../../c/", "d.xml"),
    ("a//b/", "./c/", "?q"),
    ("", "c/d", "e"),
)


def _listed(form: str, prefixes: str) -> str:
    return f'<e:InclusiveNamespaces xmlns:e="{EXC}" PrefixList="{prefixes}"/>' if form.startswith(EXC) else ""


def _transform(form: str, prefixes: str = "") -> str:
    return f'<ds:Transform Algorithm="{form}">{_listed(form, prefixes) if prefixes else ""}</ds:Transform>'


def _signature(uri: str, form: str, prefixes: str = "", *, first: str = "", own_prefixes: str = "") -> str:
    made = signature(reference(uri, (), raw=first + _transform(form, prefixes)), form=form)
    method = f'<ds:CanonicalizationMethod Algorithm="{form}"'
    return made.replace(f"{method}/>", f"{method}>{_listed(form, own_prefixes)}</ds:CanonicalizationMethod>") if own_prefixes else made


_ENVELOPED = f'<ds:Transform Algorithm="{ENVELOPED}"/>'


def beside_the_root(world: World, form: str = C14N) -> bytes:
    """Comments beside a root that is signed by its id: what lxml makes of such a root has namespaces that nobody wrote."""
    return with_xmlsec(f"<!-- đầu -->{_PREFIXED.format(_signature('#r', form, first=_ENVELOPED))}<!-- cuối -->", world.person)


def prefixes_listed(world: World, prefixes: str, form: str = EXC) -> bytes:
    """In a document that says its language above what is signed, which the exclusive form does not inherit."""
    made = _signature("", form, prefixes, first=_ENVELOPED, own_prefixes=prefixes)
    return with_xmlsec(_PREFIXED.format(made), world.person)


def framed(world: World, bases: tuple[str, str, str], form: str) -> bytes:
    """A part whose frames say its language, its white space and its base."""
    above, between, own = bases
    body = BODY.replace(" so=", f' xml:base="{own}" so=' if own else " so=")
    inside = f'<Than xml:base="{between}" xml:space="preserve" xml:id="t">{body}</Than>'
    return with_xmlsec(f'<Goi xmlns="urn:vn:goi" xml:base="{above}" xml:lang="vi">{inside}{_signature("#b", form)}</Goi>', world.person)


def honest(world: World) -> Iterator[Case]:
    """What libxmlsec signs."""
    for form in FORMS:
        short = form.rpartition("/")[2]
        yield Case(f"comments beside a root signed by its id, {short}", beside_the_root(world, form))
        yield Case(f"language, space and base above a part, {short}", framed(world, _BASES[0], form))
    for prefixes in ("thua", "#default", "ghi #default thua", "xml", "khong-co", "n ds"):
        yield Case(f"prefixes {prefixes}", prefixes_listed(world, prefixes))
        yield Case(f"prefixes {prefixes}, with comments", prefixes_listed(world, prefixes, f"{EXC}WithComments"))
    for bases in _BASES[1:]:
        yield Case(f"a base put together of {', '.join(map(repr, bases))}", framed(world, bases, C14N_1_1))


def defects(world: World) -> Iterator[Case]:
    """What was signed by being inherited, changed; and what was not."""
    whole, listed = beside_the_root(world), prefixes_listed(world, "thua #default")
    part, newer = framed(world, _BASES[0], C14N), framed(world, _BASES[0], C14N_1_1)

    def case(name: str, data: bytes, old: str, new: str, *codes: str, integrity: str = "failed") -> Case:
        return Case(name, changed(data, old.encode(), new.encode()), None, codes, integrity)

    unused = 'xmlns:thua="urn:thua"', 'xmlns:thua="urn:thay"'
    yield case("an unused namespace changed, which was listed", listed, *unused, "bad-signature-value")
    yield case("an unused namespace changed, inclusive", whole, *unused, "bad-signature-value")
    for form, data in (("1.0", part), ("1.1", newer)):
        yield case(f"the language above a part changed, {form}", data, 'xml:lang="vi"', 'xml:lang="en"', "bad-signature-value")
    yield case("the base above a part changed, 1.1", newer, 'xml:base="../c/"', 'xml:base="../e/"', "tampered")
    yield case("another attribute on a frame", part, "<Than ", '<Than duyet="1" ', "coverage", integrity="ok")
    namespace = 'xmlns:x="urn:them" '
    yield case("a namespace declared above a part, inclusive", part, "<Than ", f"<Than {namespace}", "tampered")
