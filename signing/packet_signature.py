"""The signature of a packet, as far as the packet itself can tell: steps 1 to 6 of `verify` for one tree.

The common form, one enveloped XMLDSig with one Reference, is read here by the stricter rules of `xmldsig.find` and `integrity`; XAdES is
`xml_signature`'s, as in any other document, and so are several signatures or References and what else the common form has no words for, if
nothing is wrong with them. Each step gives its own answer, and a later one runs whenever it can, so that all reasons are named.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from schemas.errors import Refused, Violation, error
from schemas.limits import DEFAULT_LIMITS
from schemas.namespaces import is_light
from schemas.xml import Element, ParsedXml, path_of
from signing import algorithms, cms_value, familiar, integrity, xml_key, xml_signature, xmldsig
from signing.certificate import Certificate
from signing.element import refused
from signing.finding import Coverage, Finding, Given, Integrity
from signing.xml_coverage import XADES
from signing.xml_reference import Outside
from signing.xml_transform import XPATH_FILTER

T = TypeVar("T")
_EXPRESSIONS = (f"{{{algorithms.DSIG}}}XPath", f"{{{XPATH_FILTER}}}XPath")
_PROPERTIES = tuple(f"{{{namespace}}}QualifyingProperties" for namespace in XADES)


@dataclass(frozen=True, slots=True)
class Signatures:
    """What a packet carries. `absent` says why nothing counts where `findings` is empty; `decorative` are placeholders in it.

    `familiar`: told by `familiar` from the packet alone, whatever else was given.
    """

    findings: tuple[Finding, ...]
    absent: tuple[Violation, ...] = ()
    decorative: int = 0
    familiar: bool = field(default=False, compare=False)  # how it was found, not what


@dataclass(slots=True)
class _Case:
    """The answers of the steps so far."""

    tree: ParsedXml
    found: list[tuple[int, Violation]] = field(default_factory=list)
    asked: set[int] = field(default_factory=set)
    failed: set[int] = field(default_factory=set)

    def ask(self, step: int, work: Callable[[], T]) -> T | None:
        """What `work` answers, or None with the reasons noted."""
        self.asked.add(step)
        try:
            return work()
        except Refused as fault:
            self.note(step, fault.violations or (error(fault.code, got=fault.got, expected=fault.expected),))
            return None

    def note(self, step: int, violations: tuple[Violation, ...]) -> None:
        """Adds reasons, perhaps none."""
        self.asked.add(step)
        if violations:
            self.failed.add(step)
            self.found.extend((step, violation) for violation in violations)

    def withdraw(self, step: int, code: str) -> None:
        """Takes a reason back that a later step says better."""
        self.found = [row for row in self.found if row[0] != step or row[1].code != code]

    def passed(self, step: int) -> bool:
        """Whether it was asked and nothing spoke against it."""
        return step in self.asked and step not in self.failed

    def violations(self) -> tuple[Violation, ...]:
        """All, in the order of the steps."""
        return tuple(violation for _, violation in sorted(self.found, key=lambda row: row[0]))


@dataclass(frozen=True, slots=True)
class _Said:
    """What the signature says, read and allowed."""

    info: xmldsig.SignedInfo
    how: integrity.Plan
    keys: xml_key.KeyInfo


def examine_packet(tree: ParsedXml, given: Given) -> Signatures:
    """The findings on the signatures of `tree`. Raises `Refused` with `wrapping`, `malformed-signature`, `too-large`, `resource-limit`."""
    seen = familiar.sight(tree)
    known = familiar.passed(tree, seen) if seen is not None else None
    if known is not None:
        return Signatures((known,), familiar=True)
    found = _examine_packet(tree, given)
    if seen is not None and len(found.findings) == 1:
        familiar.remember(seen, tree.root, found.findings[0])
    return found


def _examine_packet(tree: ParsedXml, given: Given) -> Signatures:
    limit = DEFAULT_LIMITS.max_signed_bytes
    signatures = xmldsig.signatures_in(tree)
    if signatures and len(tree.raw) > limit:
        raise Refused("too-large", got=f"{len(tree.raw)} bytes", expected=f"a signed packet of at most {limit} bytes")
    is_xades = bool(signatures) and _has_properties(signatures[0])
    is_general = is_xades or len(signatures) > 1 or bool(signatures and _is_split(signatures[0]))
    if is_general:
        findings = xml_signature.examine_tree(tree, given, Outside())
        if is_xades or not any(one.violations for one in findings):
            return Signatures(findings)
    found = xmldsig.find(tree)  # 1
    if found.signature is None:
        absent = [error("no-signature", path=path_of(tree.root))]
        if found.decorative:
            absent += refused("decorative-signature", *found.decorative, expected=algorithms.DSIG).violations
        return Signatures((), tuple(absent), len(found.decorative))
    strict = _examine(_Case(tree), found.signature)
    if not is_general and _has_other_words(strict, found.signature):
        findings = xml_signature.examine_tree(tree, given, Outside())
        if not any(one.violations for one in findings):
            return Signatures(findings)
    return Signatures((strict,))


def _has_other_words(strict: Finding, signature: Element) -> bool:
    """Whether all that is wrong is what the common form cannot say: a certificate that is only named, XPath that leaves signatures out."""
    expressed = next(signature.iter(*_EXPRESSIONS), None) is not None
    return bool(strict.violations) and set(strict.reasons) <= ({"no-key", "transform-forbidden"} if expressed else {"no-key"})


def _has_properties(signature: Element) -> bool:
    return next(signature.iter(*_PROPERTIES), None) is not None


def _is_split(signature: Element) -> bool:
    return len(list(islice(signature.iter(f"{{{algorithms.DSIG}}}Reference"), 2))) > 1


def _examine(case: _Case, signature: Element) -> Finding:
    info = case.ask(2, lambda: xmldsig.read_signed_info(signature, light=is_light(len(case.tree.held))))  # 2
    how = case.ask(3, lambda: integrity.plan(info)) if info else None  # 3
    keys = case.ask(6, lambda: xml_key.read_key_info(signature))
    if info:  # 5, before the digest is taken
        case.ask(5, lambda: integrity.check_coverage(case.tree, info))
        if not case.passed(5) and integrity.is_listed(info):
            case.withdraw(3, "transform-forbidden")  # what is over a part need not leave the signature out: the part is what is wrong
    signer = _likely_signer(keys.certificates) if keys else None
    if keys and info and how:
        signer = _check_integrity(case, signature, _Said(info, how, keys)) or signer  # 4, 6
    return Finding(
        kind="xmldsig",
        name=path_of(signature),
        integrity=Integrity.OK if case.passed(4) and case.passed(2) else Integrity.FAILED,
        coverage=Coverage.WHOLE if case.passed(5) else Coverage.PART,
        signer=signer.der if signer else b"",
        certificates=tuple(c.der for c in keys.certificates) if keys else (),
        violations=case.violations(),
    )


def _check_integrity(case: _Case, signature: Element, said: _Said) -> Certificate | None:
    value = case.ask(2, lambda: xmldsig.value_of(signature))
    if value is None:
        return None
    certificates, method = said.keys.certificates, said.how.method
    holders = [c for c in certificates if cms_value.fits(c.key, method) and integrity.check_value(value, said.info.octets, method, c.key)]
    if holders:
        _check_binding(case, signature, holders, said.keys)
        if case.passed(5):
            case.ask(4, lambda: integrity.check_digest(case.tree, signature, said.info, said.how))
        return holders[0]
    named = ", ".join(c.subject for c in certificates)
    if cms_value.fits(_likely_signer(certificates).key, method):
        case.note(4, refused("bad-signature-value", signature, got=named).violations)
        _check_hints(case, signature, said.keys)
    else:
        case.note(6, refused("key-confusion", signature, got=named, expected=f"a key for {said.info.method}").violations)
    return None


def _check_binding(case: _Case, signature: Element, holders: list[Certificate], keys: xml_key.KeyInfo) -> None:
    if len(holders) > 1:
        case.note(6, refused("key-confusion", signature, got="several certificates of one key", expected="one").violations)
    if any(hint != holders[0].key_der for hint in keys.key_hints):
        expected = f"the key of {holders[0].subject}"
        case.note(6, refused("key-confusion", signature, got="another KeyValue", expected=expected).violations)
    if keys.names_others((holders[0], *keys.certificates)):
        case.note(6, refused("key-confusion", signature, got="another X509IssuerSerial, X509SKI or X509Digest", expected="this").violations)


def _check_hints(case: _Case, signature: Element, keys: xml_key.KeyInfo) -> None:
    """Where no certificate's key made the value: whether KeyInfo names another key beside them."""
    if set(keys.key_hints) - {one.key_der for one in keys.certificates}:
        case.note(6, refused("key-confusion", signature, got="another KeyValue", expected="a key of the certificates").violations)


def _likely_signer(certificates: tuple[Certificate, ...]) -> Certificate:
    issuers = {c.issuer_der for c in certificates if not c.self_issued}
    return next((c for c in certificates if c.subject_der not in issuers), certificates[0])
