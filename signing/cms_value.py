"""The signature value of CMS: what its identifiers stand for, and whether a key made it.

Names are those of the algorithm table. Identifiers that the table forbids are known here too, so that a refusal can name them; whether one
may be used is never decided here. RFC 5754, 8017 §A.2.3, 8419, 5758.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from asn1crypto import algos
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from schemas.errors import Refused
from signing.cms_structure import Algorithm, reading
from signing.finding import Used

Parts = tuple[bytes | memoryview, ...]  # content, in order

_SHA2, _RSA, _ECDSA = "2.16.840.1.101.3.4.2.", "1.2.840.113549.1.1.", "1.2.840.10045.4."
DIGESTS = {
    "1.2.840.113549.2.2": "md2",
    "1.2.840.113549.2.5": "md5",
    "1.3.36.3.2.1": "ripemd160",
    "1.3.14.3.2.26": "sha1",
    _SHA2 + "4": "sha224",
    _SHA2 + "1": "sha256",
    _SHA2 + "2": "sha384",
    _SHA2 + "3": "sha512",
    _SHA2 + "6": "sha512-256",
    _SHA2 + "7": "sha3-224",
    _SHA2 + "8": "sha3-256",
    _SHA2 + "9": "sha3-384",
    _SHA2 + "10": "sha3-512",
}
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - named, so that the table can judge it by its date
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "sha512-256": hashes.SHA512_256(),
    "sha3-224": hashes.SHA3_224(),
    "sha3-256": hashes.SHA3_256(),
    "sha3-384": hashes.SHA3_384(),
    "sha3-512": hashes.SHA3_512(),
}
_PREHASHED = {name: Prehashed(one) for name, one in _HASHES.items()}
_PKCS1 = padding.PKCS1v15()
_METHODS = {
    _RSA + "1": ("rsa-pkcs1", ""),
    _RSA + "4": ("rsa-pkcs1", "md5"),
    _RSA + "5": ("rsa-pkcs1", "sha1"),
    "1.3.14.3.2.29": ("rsa-pkcs1", "sha1"),
    _RSA + "14": ("rsa-pkcs1", "sha224"),
    _RSA + "11": ("rsa-pkcs1", "sha256"),
    _RSA + "12": ("rsa-pkcs1", "sha384"),
    _RSA + "13": ("rsa-pkcs1", "sha512"),
    _RSA + "16": ("rsa-pkcs1", "sha512-256"),
    "2.16.840.1.101.3.4.3.13": ("rsa-pkcs1", "sha3-224"),
    "2.16.840.1.101.3.4.3.14": ("rsa-pkcs1", "sha3-256"),
    "2.16.840.1.101.3.4.3.15": ("rsa-pkcs1", "sha3-384"),
    "2.16.840.1.101.3.4.3.16": ("rsa-pkcs1", "sha3-512"),
    _RSA + "10": ("rsa-pss", ""),
    "1.2.840.10045.2.1": ("ecdsa", ""),
    _ECDSA + "1": ("ecdsa", "sha1"),
    _ECDSA + "3.1": ("ecdsa", "sha224"),
    _ECDSA + "3.2": ("ecdsa", "sha256"),
    _ECDSA + "3.3": ("ecdsa", "sha384"),
    _ECDSA + "3.4": ("ecdsa", "sha512"),
    "2.16.840.1.101.3.4.3.9": ("ecdsa", "sha3-224"),
    "2.16.840.1.101.3.4.3.10": ("ecdsa", "sha3-256"),
    "2.16.840.1.101.3.4.3.11": ("ecdsa", "sha3-384"),
    "2.16.840.1.101.3.4.3.12": ("ecdsa", "sha3-512"),
    "1.3.101.112": ("ed25519", "sha512"),  # RFC 8419 §2.3: the digest beside it is SHA-512
    "1.3.101.113": ("ed448", ""),
    "1.2.840.10040.4.1": ("dsa", ""),
    "1.2.840.10040.4.3": ("dsa", "sha1"),
    "2.16.840.1.101.3.4.3.2": ("dsa", "sha256"),
}


@dataclass(frozen=True, slots=True)
class Method:
    """How the value was made. `hash` is what the key signed by, "" where it cannot be told."""

    scheme: str
    hash: str
    mask_hash: str = ""  # of PSS, may differ
    salt: int = 0

    def used(self) -> tuple[Used, ...]:
        """What the table has to allow."""
        names = dict.fromkeys(name for name in (self.hash, self.mask_hash) if name)
        return (Used("scheme", self.scheme, "signature"), *(Used("hash", name, "signature") for name in names))


def digest_name(algorithm: Algorithm) -> str:
    """The name of a digest algorithm; its dotted identifier where it has none here."""
    return DIGESTS.get(algorithm.oid, algorithm.oid)


def digest(name: str, content: Parts) -> bytes | None:
    """The digest of `content`, None where nothing here computes it."""
    if name == "sha256":  # what nearly everybody names, and OpenSSL takes longer to find by name than to set up
        state = hashlib.sha256()
    elif name in _HASHES:
        state = hashlib.new(name.replace("sha3-", "sha3_").replace("512-256", "512_256"), usedforsecurity=False)
    else:
        return None
    for part in content:
        state.update(part)
    return state.digest()


def method_of(algorithm: Algorithm, digest_beside: str) -> Method:
    """What the signature algorithm stands for beside that digest algorithm.

    Raises `Refused` with `key-confusion` where the two contradict each other, `cms-malformed` for unreadable parameters.
    """
    scheme, own = _METHODS.get(algorithm.oid, (algorithm.oid, ""))
    method = _pss(algorithm.parameters) if scheme == "rsa-pss" else Method(scheme, own or digest_beside)
    if method.hash != digest_beside:
        raise Refused("key-confusion", got=f"{scheme} with {method.hash} beside the digest {digest_beside}", expected="one hash for both")
    return method


def _pss(parameters: bytes) -> Method:
    with reading("parameters of RSASSA-PSS"):
        read = algos.RSASSAPSSParams.load(parameters or b"0\0", strict=True)
        mask = read["mask_gen_algorithm"]
        if mask["algorithm"].dotted != "1.2.840.113549.1.1.8" or read["trailer_field"].native not in (1, "trailer_field_bc"):
            raise ValueError("another mask or trailer")
        named = (Algorithm(one["algorithm"].dotted) for one in (read["hash_algorithm"], mask["parameters"]))
        own, masks = (digest_name(one) for one in named)
        return Method("rsa-pss", own, masks, read["salt_length"].native)


_RSA_SCHEMES = ("rsa-pkcs1", "rsa-pss")
_KEYS: dict[str, type] = {
    "rsa-pkcs1": rsa.RSAPublicKey,
    "rsa-pss": rsa.RSAPublicKey,
    "ecdsa": ec.EllipticCurvePublicKey,
    "ed25519": ed25519.Ed25519PublicKey,
}


def fits(key: CertificatePublicKeyTypes, method: Method) -> bool:
    """Whether a key of this kind can have made such a value."""
    return _is_for(type(key), method.scheme)


@lru_cache(maxsize=64)  # the classes are abstract ones, which take long to say it
def _is_for(key: type, scheme: str) -> bool:
    return issubclass(key, _KEYS.get(scheme, ()))


def made(value: bytes, content: Parts, method: Method, key: CertificatePublicKeyTypes) -> bool:
    """Whether `key` made `value` over `content`."""
    algorithm: hashes.HashAlgorithm | Prehashed | None = _HASHES.get(method.hash)
    if algorithm is None or not fits(key, method):
        return False
    octets = content[0] if len(content) == 1 else None
    if not isinstance(octets, bytes):  # in pieces: their digest
        octets, algorithm = digest(method.hash, content) or b"", _PREHASHED[method.hash]
    try:
        if method.scheme in _RSA_SCHEMES:
            cast(rsa.RSAPublicKey, key).verify(value, octets, _padding(method), algorithm)
        elif method.scheme == "ecdsa":
            cast(ec.EllipticCurvePublicKey, key).verify(value, octets, ec.ECDSA(algorithm))
        else:
            cast(ed25519.Ed25519PublicKey, key).verify(value, b"".join(content))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _padding(method: Method) -> padding.AsymmetricPadding:
    if method.scheme == "rsa-pkcs1":
        return _PKCS1
    mask = _HASHES.get(method.mask_hash)
    if mask is None:
        raise ValueError("a mask hash that nothing here computes")
    return padding.PSS(padding.MGF1(mask), method.salt)


def digest_inside(value: bytes, method: Method, keys: Iterable[CertificatePublicKeyTypes]) -> bytes | None:
    """The digest that one of the keys signed, where the scheme lets it be seen (PKCS #1 v1.5): then another content was signed."""
    for key in keys:
        if isinstance(key, rsa.RSAPublicKey) and method.scheme == "rsa-pkcs1" and method.hash in _HASHES:
            try:
                return key.recover_data_from_signature(value, padding.PKCS1v15(), _HASHES[method.hash])
            except (InvalidSignature, UnsupportedAlgorithm, ValueError):
                continue
    return None
