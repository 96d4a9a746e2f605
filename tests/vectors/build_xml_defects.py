"""What forgers do to XML signatures, one defect in each, and what a verifier has to say. What is not the defect is right."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator

from cryptography.hazmat.primitives import hashes

from tests.vectors.build_xml import BODY, CONTENT, FRAME, LETTER, OBJECT, issuer_serial
from tests.vectors.case import Case
from tests.vectors.identities import World
from tests.vectors.sign_xml import C14N, DS, ECDSA, EXC, MORE, by_hand, exclusive, reference, rsa_made, signature, with_xmlsec, x509

_EVIL = BODY.replace("Quyết định", "Quyết nghị")
_OTHER = CONTENT + b"!"


def _inside(text: bytes) -> str:
    return text.decode().partition("?>")[2].strip()


def _letter(world: World, **how: str) -> str:
    return _inside(with_xmlsec(LETTER % signature(reference(""), **how), world.person))


def _framed(world: World, *transforms: str) -> str:
    return _inside(with_xmlsec(FRAME % signature(reference("#b", transforms or (EXC,))), world.person))


def _signature_in(text: str) -> str:
    found = re.search(r"<ds:Signature .*</ds:Signature>", text, re.S)
    if found is None:
        raise RuntimeError("no signature")
    return found[0]


def _case(name: str, text: str | bytes, *codes: str, integrity: str = "ok", findings: int = 1, content: bytes | None = None) -> Case:
    return Case(name, text.encode() if isinstance(text, str) else text, content, codes, integrity, findings)


def defects(world: World) -> Iterator[Case]:
    """All of them, by group."""
    yield from _changed(world)
    yield from _wrapped(world)
    yield from _algorithms(world)
    yield from _transforms(world)
    yield from _references(world)
    yield from _keys(world)
    yield from _forms(world)


def _changed(world: World) -> Iterator[Case]:
    letter, frame = _letter(world), _framed(world)
    for what, old, new in (
        ("text", "Công văn", "Công vãn"),
        ("attribute", 'loai="cv"', 'loai="qd"'),
        ("namespace", "urn:k", "urn:l"),
        ("inherited attribute", 'xml:lang="vi"', 'xml:lang="en"'),
        ("an element added", "<Ten>", "<Evil/><Ten>"),
    ):
        yield _case(f"{what} changed", letter.replace(old, new, 1), "tampered", integrity="failed")
    yield _case("an instruction added", "<?evil now?>" + letter, "tampered", integrity="failed")
    yield _case("text changed, detached inside", frame.replace("Quyết", "Quyét"), "tampered", integrity="failed")
    yield _case("a digest changed", re.sub("<ds:DigestValue>.", "<ds:DigestValue>/", letter), "bad-signature-value", integrity="failed")
    value = re.sub("<ds:SignatureValue>.", "<ds:SignatureValue>/", letter)
    yield _case("the value changed", value, "bad-signature-value", integrity="failed")
    detached = by_hand(signature(reference("a.txt", ()), key_info=x509(world.person)), rsa_made(world.person), parts=[CONTENT])
    yield _case("detached content changed", detached, "tampered", integrity="failed", content=_OTHER)
    inner = f'<ds:Manifest Id="m">{reference("#o", (EXC,), said=base64.b64encode(hashlib.sha256(b"else").digest()).decode())}</ds:Manifest>'
    document = signature(reference("#m", (EXC,)), key_info=x509(world.person), objects=f"<ds:Object>{inner}</ds:Object>{OBJECT}")
    done = by_hand(document, rsa_made(world.person), parts=[exclusive(document, "//ds:Manifest")])
    yield _case("a manifest's digest is another's", done, "tampered", integrity="failed")


def _wrapped(world: World) -> Iterator[Case]:
    frame = _framed(world)
    signed, body = _signature_in(frame), frame[frame.index("<n:Noi-dung") : frame.index("</n:Noi-dung>") + 13]
    for what, evil in (("with another id", _EVIL.replace('Id="b"', 'Id="c"')), ("without id", _EVIL.replace(' Id="b"', ""))):
        yield _case(f"a twin {what} before it", frame.replace(body, evil + body), "wrapping")
        yield _case(f"moved into a wrapper, a twin {what}", frame.replace(body, f"{evil}<W>{body}</W>"), "wrapping")
        inside = signed.replace("</ds:Signature>", f"<ds:Object>{body}</ds:Object></ds:Signature>")
        yield _case(f"moved into an Object, a twin {what}", frame.replace(body, evil).replace(signed, inside), "wrapping")
        inside = signed.replace("</ds:Signature>", f"<ds:Object>{evil}</ds:Object></ds:Signature>")
        yield _case(f"a twin {what} in an Object", frame.replace(signed, inside), "wrapping")
        around = signed.replace("</ds:Signature>", f"<ds:Object><W>{body}</W></ds:Object></ds:Signature>")
        yield _case(f"signature around it, a twin {what}", f'<Goi xmlns="urn:vn:goi">{evil}{around}</Goi>', "wrapping", "coverage")
        yield _case(f"a twin {what} in KeyInfo", frame.replace("<ds:KeyInfo>", f"<ds:KeyInfo>{evil}"), "wrapping")
    invented = signed.replace("</ds:Signature>", "<ds:Object><ds:Duyet>rồi</ds:Duyet></ds:Object></ds:Signature>")
    yield _case("an invented part of a signature in an Object", frame.replace(signed, invented), "coverage")
    yield _case("a twin with the same id", frame.replace(body, _EVIL + body), "duplicate-id", "coverage", integrity="unknown")
    spaced = _EVIL.replace('Id="b"', 'xml:id=" b "')
    yield _case("a twin with nearly the same id", frame.replace(body, spaced + body), "duplicate-id", "coverage", integrity="unknown")
    yield _case("an id under another name", frame.replace(body, '<E ID="b"/>' + body), "duplicate-id", "coverage", integrity="unknown")
    twice = frame.replace("<n:Muc ", '<n:Muc xml:id="m" ').replace("<k/>", '<k xml:id="m"/>')
    yield _case("one xml:id twice", twice, "duplicate-id", findings=0)
    yield _case("another root around it", f'<Goi xmlns="urn:vn:goi" v="1"><Khac>x</Khac>{frame}</Goi>', "coverage")
    yield _case("text beside it", frame.replace(body, "tự do" + body), "coverage")
    yield _case("an attribute above it", frame.replace("<Goi ", '<Goi duyet="1" '), "coverage")
    yield _case("an element beside it", frame.replace(body, body + "<Duyet/>"), "coverage")
    root = LETTER.replace("<Van-ban ", '<Van-ban Id="r" ')
    letter = _inside(with_xmlsec(root % signature(reference("#r")), world.person))
    bare = letter[letter.index("<Van-ban") :]
    own = _signature_in(bare)
    evil = bare.replace('Id="r"', 'Id="e"').replace("Công văn", "Công vụ")
    objects = own.replace("</ds:Signature>", f"<ds:Object>{bare.replace(own, '')}</ds:Object></ds:Signature>")
    yield _case("another root, the signed one in an Object", evil.replace(own, objects), "wrapping")
    yield _case("another root, the signed one below", evil.replace(own, bare), "wrapping")
    yield _case(
        "foreign content in an Object", _letter(world).replace("</ds:Signature>", "<ds:Object><e/></ds:Object></ds:Signature>"), "coverage"
    )
    yield _case("text in an Object", _letter(world).replace("</ds:Signature>", "<ds:Object>x</ds:Object></ds:Signature>"), "coverage")


def _algorithms(world: World) -> Iterator[Case]:
    person, octets = world.person, exclusive(LETTER % "")
    made = rsa_made(person)
    known = x509(person)
    for method in (DS + "hmac-sha1", MORE + "hmac-sha256", MORE + "rsa-md5", DS + "dsa-sha1", MORE + "rsa-ripemd160", ""):
        done = by_hand(LETTER % signature(reference(""), method=method, key_info=known), made, parts=[octets])
        yield _case(f"method {method}", done, "alg-forbidden", integrity="unknown")
    dsa = "<ds:KeyValue><ds:DSAKeyValue><ds:P>AQ==</ds:P></ds:DSAKeyValue></ds:KeyValue>"
    done = by_hand(LETTER % signature(reference(""), method=DS + "dsa-sha1", key_info=dsa), made, parts=[octets])
    yield _case("DSA with its own KeyValue", done, "alg-forbidden", "no-key", integrity="unknown")
    truncated = "<ds:HMACOutputLength>8</ds:HMACOutputLength>"
    done = by_hand(
        LETTER % signature(reference(""), method=MORE + "hmac-sha256", parameters=truncated, key_info=known), made, parts=[octets]
    )
    yield _case("an HMAC cut short", done, "alg-forbidden", integrity="unknown")
    done = by_hand(LETTER % signature(reference(""), parameters=truncated, key_info=known), made, parts=[octets])
    yield _case("a length for RSA", done, "malformed-signature", integrity="failed")
    sha1 = by_hand(
        LETTER % signature(reference(""), method=DS + "rsa-sha1", key_info=known), rsa_made(person, hashes.SHA1()), parts=[octets]
    )
    yield _case("RSA with SHA-1 today", sha1, "alg-forbidden")
    said = base64.b64encode(hashlib.sha1(octets, usedforsecurity=False).digest()).decode()
    done = by_hand(LETTER % signature(reference("", digest=DS + "sha1", said=said), key_info=known), made)
    yield _case("a digest by SHA-1 today", done, "alg-forbidden")
    said = base64.b64encode(hashlib.md5(octets, usedforsecurity=False).digest()).decode()
    done = by_hand(LETTER % signature(reference("", digest=MORE + "md5", said=said), key_info=known), made)
    yield _case("a digest by MD5", done, "alg-forbidden", integrity="unknown")
    done = by_hand(LETTER % signature(reference(""), key_info=x509(world.small)), rsa_made(world.small), parts=[octets])
    yield _case("RSA of 1024 bits", done, "weak-key")


def _transforms(world: World) -> Iterator[Case]:
    made, known, octets = rsa_made(world.person), x509(world.person), exclusive(LETTER % "")
    xpath = '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath{}>{}</ds:XPath></ds:Transform>'
    xslt = f'<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/><ds:Transform Algorithm="{EXC}"/>'
    for what, raw in (
        ("XSLT", xslt),
        ("XPath that leaves out text", xpath.format("", "not(ancestor-or-self::Ten)")),
        ("XPath by another prefix", xpath.format(' xmlns:s="urn:s"', "not(ancestor-or-self::s:Signature)")),
        ("XPath that leaves nothing", xpath.format("", "false()")),
        ("an unknown one", '<ds:Transform Algorithm="urn:void"/>'),
        ("decryption", '<ds:Transform Algorithm="http://www.w3.org/2002/07/decrypt#XML"/>'),
    ):
        done = by_hand(LETTER % signature(reference("", (), raw=raw), key_info=known), made, parts=[octets])
        integrity = "failed" if "XPath" in what else "unknown"
        yield _case(f"transform: {what}", done, "transform-forbidden", integrity=integrity)
    form = signature(reference(""), form="urn:c14n", key_info=known)
    yield _case("an unknown canonical form", by_hand(LETTER % form, made, parts=[octets]), "alg-forbidden", integrity="failed")
    void = LETTER.replace("<Ten>", '<Ten xmlns:r="../relative">')
    done = by_hand(void % signature(reference("", (DS + "enveloped-signature", C14N)), key_info=known), made, parts=[b""])
    yield _case("no canonical form: a relative namespace", done, "malformed-xml", integrity="unknown")


def _references(world: World) -> Iterator[Case]:
    made, known = rsa_made(world.person), x509(world.person)
    for uri, code in (
        ("http://example.invalid/a.xml", "external-reference"),
        ("file:///etc/passwd", "external-reference"),
        ("a.txt", "external-reference"),
        ("#nobody", "reference-missing"),
        ("#xpointer(//Ten)", "reference-missing"),
        ("#", "reference-missing"),
        (None, "reference-missing"),
    ):
        done = by_hand(FRAME % signature(reference(uri, (EXC,)), key_info=known), made, parts=[b"x"])
        yield _case(f"a reference to {uri}", done, code, "coverage", integrity="unknown")
    part = _inside(with_xmlsec(LETTER % signature(reference("#b", (EXC,))), world.person))
    yield _case("only a part is signed", part, "coverage")
    two = by_hand(
        LETTER % signature(reference(""), reference("#away", (EXC,), said="AAAA"), key_info=known), made, parts=[exclusive(LETTER % "")]
    )
    yield _case("something besides the whole was signed and is gone", two, "reference-missing", integrity="unknown")
    many = "".join(reference("#b", (EXC,), said="AAAA") for _ in range(300))
    yield _case("300 references", FRAME % signature(many, key_info=known, value="AAAA"), "resource-limit", integrity="failed")
    steps = reference("#b", (EXC,) * 7, said="AAAA")
    yield _case("seven transforms", FRAME % signature(steps, key_info=known, value="AAAA"), "resource-limit", integrity="failed")
    again = "".join(reference("", (EXC,), said="AAAA") for _ in range(60))
    inner = f'<ds:Manifest Id="m">{again}</ds:Manifest>'
    large = signature(
        reference("#m", (EXC,)), key_info=known, objects=f"<ds:Object>{inner}</ds:Object>{OBJECT.replace('nội dung', 'x' * 1_000_000)}"
    )
    done = by_hand(large, made, parts=[exclusive(large, "//ds:Manifest")])
    yield _case("60 references of a manifest to all of 1 MB", done, "resource-limit", "tampered", integrity="failed")
    crowd = FRAME % (signature(reference("#b", (EXC,), said="AAAA"), key_info=known, value="AAAA") * 33)
    yield _case("33 signatures", crowd, "resource-limit", findings=0)


def _keys(world: World) -> Iterator[Case]:
    octets, made = exclusive(LETTER % ""), rsa_made(world.person)

    def with_key(info: str, method: str = "") -> bytes:
        how = {"method": method} if method else {}
        return by_hand(LETTER % signature(reference(""), key_info=info, **how), made, parts=[octets])

    numbers = world.agency.certificate.public_key().public_numbers()  # type: ignore[union-attr]
    modulus = base64.b64encode(numbers.n.to_bytes(256, "big")).decode()  # type: ignore[union-attr]
    other = f"<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>{modulus}</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"
    serial = f"<ds:X509Data>{issuer_serial(7)}</ds:X509Data>"
    for what, info, code, integrity in (
        ("none", "", "no-key", "unknown"),
        ("a name", "<ds:KeyName>ai-do</ds:KeyName>", "no-key", "unknown"),
        ("a bare KeyValue", other, "no-key", "unknown"),
        ("fetched from elsewhere", '<ds:RetrievalMethod URI="http://example.invalid/k"/>', "no-key", "unknown"),
        ("another's certificate", x509(world.agency), "bad-signature-value", "failed"),
        ("a certificate of another kind", x509(world.elliptic), "key-confusion", "failed"),
        ("another KeyValue beside", x509(world.person) + other, "key-confusion", "ok"),
        ("another serial number beside", x509(world.person) + serial, "key-confusion", "ok"),
        ("two certificates of one key", x509(world.person, world.twin), "key-confusion", "ok"),
    ):
        yield _case(f"key: {what}", with_key(info), code, integrity=integrity)
    yield _case("an RSA value said to be ECDSA's", with_key(x509(world.elliptic), ECDSA), "bad-signature-value", integrity="failed")


def _forms(world: World) -> Iterator[Case]:
    letter = _letter(world)
    doctype = '<!DOCTYPE Van-ban [<!ENTITY e "x">]>'
    yield _case("a DTD", doctype + letter, "dtd-forbidden", findings=0)
    yield _case("no signature", LETTER % "", "no-signature", findings=0)
    yield _case("a signature of another namespace", LETTER % '<Signature xmlns="urn:x"/>', "no-signature", findings=0)
    yield _case("not XML", "<a", "malformed-xml", findings=0)
    bare = f'<ds:Signature xmlns:ds="{DS}"/>'
    yield _case("an empty signature", LETTER % bare, "malformed-signature", integrity="failed")
    comment = re.sub("<ds:DigestValue>(..)", r"<ds:DigestValue>\1<!-- -->", letter)
    yield _case("a comment in a digest is not signed", comment, integrity="ok")
    comment = re.sub("<ds:SignatureValue>(..)", r"<ds:SignatureValue>\1<!-- -->", letter)
    yield _case("a comment in the value", comment, "malformed-signature", integrity="failed")
    comment = letter.replace("<ds:X509Certificate>", "<ds:X509Certificate><!-- -->")
    yield _case("a comment in the certificate", comment, "malformed-signature", integrity="failed")


def small(world: World) -> tuple[bytes, bytes]:
    """A short signed document, and the same with a stand-in for every byte of its signature: what is left is covered."""
    text = '<Van-ban xmlns="urn:vn" so="12"><Ten>Công văn</Ten>%s</Van-ban>'
    done = _inside(with_xmlsec(text % signature(reference("")), world.person))
    return done.encode(), done.replace(_signature_in(done), "\0" * len(_signature_in(done).encode())).encode()
