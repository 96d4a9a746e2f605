"""One XML signature against its document: each check of `xml_signature`'s procedure on its own, all reasons gathered.

A digest that is in no signed SignedInfo is nobody's word: where the value does not fit, no digest is computed.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas.errors import Refused, Violation, error
from schemas.xml import Element, line_of, path_of
from signing import certificate, cms_value, xades, xml_method, xmldsig
from signing.algorithms import DSIG
from signing.certificate import Certificate
from signing.cms_value import Parts
from signing.finding import Given, Used
from signing.xml_key import KeyInfo
from signing.xml_reference import Place, Target, octets_of, resolve
from signing.xml_transform import Removed, known
from signing.xmldsig import SIGNATURE, Reference, SignedInfo

MAX_MANIFEST_REFERENCES = 4_000
_MANIFEST, _REFERENCE = f"{{{DSIG}}}Manifest", f"{{{DSIG}}}Reference"


@dataclass(slots=True)
class Case:
    """The question, and the answers so far."""

    signature: Element
    place: Place
    given: Given
    info: SignedInfo
    found: list[Violation] = field(default_factory=list)
    notes: list[Violation] = field(default_factory=list)
    used: list[Used] = field(default_factory=list)
    targets: list[tuple[Reference, Target]] = field(default_factory=list)
    octets: dict[int, Parts] = field(default_factory=dict)  # by number of the Reference
    failed: bool = False
    complete: bool = True  # everything was there to be compared
    gone: bool = False  # something that was not is missing from the document or its container

    def take(self, fault: Refused) -> None:
        """Adds what was raised."""
        where = path_of(self.signature), line_of(self.signature)
        self.found.extend(fault.violations or (error(fault.code, path=where[0], line=where[1], got=fault.got, expected=fault.expected),))

    def lack(self, reference: Reference, fault: Refused) -> None:
        """Adds that what `reference` is to is not there."""
        self.complete = False
        inside = reference.uri is not None and (reference.uri.startswith("#") or self.place.outside.files is not None)
        self.gone = self.gone or (inside and fault.code == "reference-missing")
        self.take(fault)

    def refuse(self, code: str, got: object, expected: object, path: str = "") -> None:
        """Adds a reason; it is about the signature where no `path` is given."""
        self.found.append(error(code, path=path or path_of(self.signature), line=line_of(self.signature), got=got, expected=expected))


def resolve_all(case: Case) -> None:
    """Steps 3: every Reference to the one thing that it is to, every algorithm by its name."""
    case.used.extend(case.info.made.used())
    for reference in case.info.references:
        _name_algorithms(case, reference)
        try:
            case.targets.append((reference, resolve(reference, case.place)))
        except Refused as fault:
            case.lack(reference, fault)


def _name_algorithms(case: Case, reference: Reference) -> None:
    used = Used("hash", xml_method.digest_name(reference.digest_method), "content")
    if used not in case.used:
        case.used.append(used)
    for one in reference.transforms:
        if not known(one.uri):
            case.complete = False
            case.refuse("transform-forbidden", one.uri, "canonical forms, base64, enveloped-signature")


def read_properties(case: Case) -> xades.Properties | None:
    """Step 4."""
    try:
        return xades.read(case.signature, [(one.kind, target.node) for one, target in case.targets if target.node is not None])
    except Refused as fault:
        case.take(fault)
        return None


def check_key(case: Case, value: bytes, keys: KeyInfo, said: xades.Properties | None) -> tuple[Certificate, bool] | None:
    """Step 5: the certificate that is meant, and whether its key made the value."""
    named = said.certificates if said else ()
    stores = [one for one in map(certificate.readable, case.given.certificates) if one is not None]
    others = [one for one in stores if keys.names(one) or one.key_der in keys.key_hints or _is_named(one, named)]
    meant = list(dict.fromkeys((*keys.certificates, *others)))
    if not meant:
        case.refuse("no-key", "no certificate", "KeyInfo/X509Data/X509Certificate, or one of the intermediates that it names")
        return None
    method = case.info.made
    holders = [one for one in meant if xml_method.made(value, (case.info.octets,), method, one.key)]
    if not holders:
        _explain_value(case, meant, keys)
        likely = next((one for one in meant if _is_named(one, named)), None) or _leaf(meant)
        return likely, False
    holder = next((one for one in holders if _is_named(one, named)), holders[0])
    _check_binding(case, holder, holders, keys, named)
    return holder, True


def _leaf(certificates: list[Certificate]) -> Certificate:
    """The one that issued none of the others."""
    issuers = {one.issuer_key for one in certificates if not one.self_issued}
    return next((one for one in certificates if one.subject_key not in issuers), certificates[0])


def _is_named(one: Certificate, named: tuple[xades.Named, ...]) -> bool:
    return any(xades.means(each, one) for each in named)


def _explain_value(case: Case, meant: list[Certificate], keys: KeyInfo) -> None:
    method, who = case.info.made, ", ".join(one.subject for one in meant)
    if cms_value.digest(method.hash, ()) is None:
        case.complete = False
        return  # the table says what is wrong
    case.failed = True
    if not any(cms_value.fits(one.key, method) for one in meant):
        case.refuse("key-confusion", who, f"a key for {case.info.method}")
    else:
        case.refuse("bad-signature-value", who, "a value that this key made")
        if set(keys.key_hints) - {one.key_der for one in meant}:
            case.refuse("key-confusion", "another KeyValue", f"the key of {who}")


def _check_binding(case: Case, holder: Certificate, holders: list[Certificate], keys: KeyInfo, named: tuple[xades.Named, ...]) -> None:
    ours = [one for one in named if xades.means(one, holder)]
    if named and not ours:
        case.refuse("key-confusion", "another certificate in SigningCertificate", holder.subject)
    if any(one.serial not in (None, holder.parsed.serial_number) for one in ours):
        case.refuse("key-confusion", "another serial number in SigningCertificate", f"{holder.parsed.serial_number}")
    if len(holders) > 1 and not named:
        case.refuse("key-confusion", "several certificates of one key", "one")
    if any(hint != holder.key_der for hint in keys.key_hints):
        case.refuse("key-confusion", "another KeyValue", f"the key of {holder.subject}")
    if keys.names_others((holder, *keys.certificates)):
        case.refuse("key-confusion", "an X509IssuerSerial, X509SKI or X509Digest of another certificate", holder.subject)


def check_digests(case: Case) -> tuple[tuple[Element, Removed], ...]:
    """Step 6; returns the nodes that the signature is over, with what was left out of them."""
    if case.failed:
        return _nodes(case.targets)
    for number, (reference, target) in enumerate(case.targets):
        octets = _checked(case, reference, target, "tampered")
        if octets is not None:
            case.octets[number] = octets
    inner = list(_manifests(case))
    for reference, target in inner:
        _checked(case, reference, target, "tampered" if target.octets is None else "attachment-integrity")
    case.targets.extend(inner)
    return _nodes(case.targets)


def _nodes(targets: list[tuple[Reference, Target]]) -> tuple[tuple[Element, Removed], ...]:
    return tuple((target.node, _left_out(reference)) for reference, target in targets if target.node is not None)


def _left_out(reference: Reference) -> Removed:
    which = {one.removes for one in reference.transforms}
    return Removed.ALL if Removed.ALL in which else Removed.OWN if Removed.OWN in which else Removed.NONE


def _checked(case: Case, reference: Reference, target: Target, code: str) -> Parts | None:
    """The octets, if they have the digest."""
    name = xml_method.digest_name(reference.digest_method)
    if cms_value.digest(name, ()) is None or not all(known(one.uri) for one in reference.transforms):
        case.complete = False
        return None  # said elsewhere
    try:
        octets = octets_of(target, reference.transforms, case.signature, case.place)
    except Refused as fault:
        case.complete = False
        case.take(fault)
        return None
    digest = cms_value.digest(name, octets) or b""
    if hmac.compare_digest(digest, reference.digest):
        return octets
    case.failed = True
    case.refuse(code, f"{name} {digest.hex()}", f"{name} {reference.digest.hex()}", target.name)
    return None


def _manifests(case: Case) -> Iterable[tuple[Reference, Target]]:
    covered = [target.node for _, target in case.targets if target.node is not None]
    elements = [
        one for node in dict.fromkeys(covered) for each in node.iter(_MANIFEST) if _ours(each, case) for one in each.iter(_REFERENCE)
    ]
    if len(elements) > MAX_MANIFEST_REFERENCES:
        case.complete = False
        case.refuse("resource-limit", f"{len(elements)} references in manifests", f"at most {MAX_MANIFEST_REFERENCES}")
        return
    for element in dict.fromkeys(elements):
        try:
            reference = xmldsig.reference_of(element)
            _name_algorithms(case, reference)
        except Refused as fault:
            case.complete = False
            case.take(fault)
            continue
        try:
            yield reference, resolve(reference, case.place)
        except Refused as fault:
            case.lack(reference, fault)


def _ours(manifest: Element, case: Case) -> bool:
    return next(manifest.iterancestors(SIGNATURE), None) is case.signature
