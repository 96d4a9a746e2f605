"""Delivery by SOAP 1.1 or 1.2: any operation of any WSDL, named in the profile. The only module that imports zeep.

Procedure of `deliver`:

1. load the WSDL, once per adapter; imports only from the WSDL's own host, or below the folder of a local one; no DTD, no entities
2. fill in the arguments and write the envelope – a failure up to here is the profile's, and nothing was sent
3. post it through `adapters.exchange`: same limits, same egress policy, no redirects
4. judge the answer: a fault by its code, otherwise the success condition, otherwise the status

zeep reads the answer with ``forbid_dtd``, ``forbid_entities`` and without ``huge_tree``. MTOM is neither sent nor read.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lxml import etree
from requests import Response
from requests.structures import CaseInsensitiveDict
from zeep import Client, Settings
from zeep.exceptions import Error as ZeepError
from zeep.exceptions import Fault
from zeep.helpers import serialize_object
from zeep.wsdl.bindings.soap import Soap11Binding, Soap12Binding
from zeep.wsdl.utils import etree_to_string

from adapters.attempt import Attempt
from adapters.condition import MISSING, Condition, at
from adapters.contract import AgencyInDoubt, AgencyRefused, AgencyUnavailable, Idempotency
from adapters.credentials import Auth
from adapters.egress import EgressPolicy
from adapters.exchange import Answer, HttpExchange, check_status
from adapters.outcome import ProfileMismatch, ambiguous, busy, refused, unavailable
from adapters.template import Template, filled
from schemas.errors import HubError, shown
from schemas.message import Accepted, Parcel

MAX_WSDL_BYTES = 4 * 1024 * 1024
_SETTINGS = {"forbid_dtd": True, "forbid_entities": True, "xml_huge_tree": False, "strict": True}

# zeep has no types of its own; these are the four of its names that are called.
_client: Any = Client
_settings: Any = Settings
_to_bytes: Any = etree_to_string
_to_plain: Any = serialize_object

# What zeep and lxml raise on a WSDL, arguments or an answer that they did not expect; zeep wraps only some of it.
_READING = (
    ZeepError,
    etree.LxmlError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    NotImplementedError,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class SoapAdapter:
    """One operation of one system's SOAP service. Times in seconds, sizes in bytes.

    `arguments` are templates over `adapters.template.FIELDS`: ``"{body_base64}"`` for services that take ``xs:base64Binary`` or base64 in
    a string (zeep writes a string as it is for both), ``"{body_text}"`` for those that take XML in a string.
    """

    wsdl: str  # URL or path
    operation: str
    arguments: Mapping[str, Template]
    service: str = ""  # "" is the first
    port: str = ""  # "" is the first of `version`
    version: str = ""  # "1.1", "1.2" or "" for whichever comes first
    endpoint: str = ""  # overrides the address in the WSDL
    auth: Auth = field(default_factory=Auth)
    idempotency: Idempotency = Idempotency.KEY
    timeout_s: float = 60.0
    connect_timeout_s: float = 10.0
    max_answer_bytes: int = 65_536
    remote_id: str = ""  # path in the result; where named, an answer without it is no acceptance
    success: Condition | None = None
    refuse_faults: tuple[str, ...] = ("Client", "Sender")  # SOAP 1.1 §4.4.1, SOAP 1.2 part 1 §5.4.6
    retry_faults: tuple[str, ...] = ()  # codes by which the system says "not taken, come again"
    ca_file: str = ""
    egress: EgressPolicy = field(default_factory=EgressPolicy)
    _service: _LoadedService = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_service", _LoadedService(self))

    def deliver(self, parcel: Parcel) -> Accepted:
        """See `adapters.contract.Adapter`; also raises `EgressDenied`, and `ProfileMismatch` where profile and WSDL do not fit."""
        with Attempt(self.timeout_s) as attempt:
            loaded = self._service.get(attempt)  # 1
            body, headers = self._request(loaded, parcel)  # 2
            answer = loaded.exchange.send(attempt, "POST", headers, body)  # 3
        return self._judged(loaded, answer)  # 4

    def close(self) -> None:
        """Give back connections."""
        self._service.close()

    def _request(self, loaded: _Loaded, parcel: Parcel) -> tuple[bytes, dict[str, str]]:
        arguments = {name: filled(template, parcel) for name, template in self.arguments.items()}
        try:
            envelope, headers = loaded.binding._create(
                self.operation, (), arguments, client=loaded.client, options={"address": loaded.address}
            )
            return _to_bytes(envelope), {**headers, **self.auth.headers()}
        except _READING as fault:
            got = self.auth.redact(str(fault))
            raise ProfileMismatch("profile-mismatch", got=got, expected=f"arguments of {self.operation}") from fault

    def _judged(self, loaded: _Loaded, answer: Answer) -> Accepted:
        excerpt = shown(self.auth.redact(answer.excerpt()))
        try:
            result = _result(loaded, self.operation, answer)
        except Fault as fault:
            raise self._by_fault(fault, answer, excerpt) from fault
        except _READING as fault:
            check_status(answer, self.idempotency, excerpt, accept=frozenset(), retry=frozenset())
            raise ambiguous(self.idempotency, excerpt, f"an answer of {self.operation}") from fault
        return self._accepted(result, excerpt)

    def _accepted(self, result: object, excerpt: str) -> Accepted:
        if self.success is not None:
            value = at(result, self.success.path)
            if value is MISSING or value is None:
                raise ambiguous(self.idempotency, excerpt, f"a result with {self.success.path}")
            if not self.success.holds(value):
                raise refused(excerpt, f"{self.success.path} = {self.success.equals}")
        if not self.remote_id:
            return Accepted("", excerpt)
        found = at(result, self.remote_id)
        if found is MISSING or found is None:
            raise ambiguous(self.idempotency, excerpt, f"a result with {self.remote_id}")
        return Accepted(shown(self.auth.redact(str(found))), excerpt)

    def _by_fault(self, fault: Fault, answer: Answer, excerpt: str) -> AgencyUnavailable | AgencyRefused | AgencyInDoubt | HubError:
        if fault.code is None and fault.subcodes is None:  # zeep's own, for an envelope without a fault under a status other than 200
            try:
                check_status(answer, self.idempotency, excerpt, accept=frozenset(), retry=frozenset())
            except HubError as judged:
                return judged
            return ambiguous(self.idempotency, excerpt, "status 200")
        code = str(fault.code or "").rpartition(":")[2]
        codes = {code, code.partition(".")[0], *(str(sub.localname) for sub in fault.subcodes or ())}  # "Client.Authentication" is "Client"
        text = shown(self.auth.redact(f"{code}: {fault.message}"))
        if codes & set(self.retry_faults):
            return busy(text)
        if codes & {*self.refuse_faults, "VersionMismatch", "MustUnderstand", "DataEncodingUnknown"}:
            return refused(text)
        return ambiguous(self.idempotency, text)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A WSDL that was read, and the way to its service."""

    client: Any  # zeep.Client
    binding: Any  # zeep's SoapBinding
    address: str
    exchange: HttpExchange


class _LoadedService:
    """Loads the WSDL on first use, once, also when several threads ask at the same time."""

    def __init__(self, profile: SoapAdapter) -> None:
        self._profile = profile
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None

    def get(self, attempt: Attempt) -> _Loaded:
        """Raises `AgencyUnavailable` where the WSDL cannot be fetched, `ProfileMismatch` where it does not have what the profile names."""
        if not self._lock.acquire(timeout=attempt.remaining_s()):
            raise unavailable("the WSDL was not loaded in time")
        try:
            if self._loaded is None:
                self._loaded = self._load(attempt)
            return self._loaded
        finally:
            self._lock.release()

    def close(self) -> None:
        """Give back connections."""
        if self._loaded is not None:
            self._loaded.exchange.close()

    def _load(self, attempt: Attempt) -> _Loaded:
        profile = self._profile
        try:
            client = _client(
                profile.wsdl, transport=_Loader(profile, attempt), settings=_settings(**_SETTINGS), plugins=[_ExpectedElement()]
            )
            binding, address = _port(client, profile)
            exchange = HttpExchange(
                address, profile.idempotency, profile.connect_timeout_s, profile.max_answer_bytes, profile.egress, profile.ca_file
            )
        except (*_READING, OSError) as fault:
            got = profile.auth.redact(f"{profile.wsdl}: {fault}")
            raise ProfileMismatch("profile-mismatch", got=got, expected="a usable WSDL") from fault
        return _Loaded(client, binding, address, exchange)


class _Loader:
    """What zeep calls its transport, for loading only: zeep never posts, and an answer can never make it fetch anything."""

    def __init__(self, profile: SoapAdapter, attempt: Attempt) -> None:
        self._profile = profile
        self._attempt = attempt

    def load(self, url: str) -> bytes:
        """The bytes of the WSDL or of something that it imports from its own place."""
        if self._attempt.expired:
            raise unavailable("the WSDL was not loaded in time")
        home, wanted = urlsplit(self._profile.wsdl), urlsplit(url)
        if home.scheme not in ("http", "https"):
            return self._from_file(url)
        if (wanted.scheme, wanted.netloc) != (home.scheme, home.netloc):
            raise ProfileMismatch("profile-mismatch", got=f"the WSDL imports {url}", expected=f"imports from {home.scheme}://{home.netloc}")
        return self._fetched(url)

    def _from_file(self, url: str) -> bytes:
        home = Path(self._profile.wsdl).resolve()
        path = Path(urlsplit(url).path if url.startswith("file:") else url).resolve()
        if not path.is_relative_to(home.parent):
            raise ProfileMismatch("profile-mismatch", got=f"the WSDL imports {url}", expected="imports below the WSDL's own folder")
        return path.read_bytes()

    def _fetched(self, url: str) -> bytes:
        profile = self._profile
        exchange = HttpExchange(url, Idempotency.KEY, profile.connect_timeout_s, MAX_WSDL_BYTES, profile.egress, profile.ca_file)
        try:
            answer = exchange.send(self._attempt, "GET", profile.auth.headers())
        finally:
            exchange.close()
        if answer.status != 200:
            raise unavailable(f"WSDL {url}: {profile.auth.redact(answer.excerpt())}")
        return answer.body


class _ExpectedElement:
    """A zeep plug-in: zeep reads any element in the body as if it were the operation's result; we take only what the WSDL names."""

    def egress(self, envelope: Any, headers: Any, operation: Any, options: Any) -> None:
        """Nothing is changed on the way out."""

    def ingress(self, envelope: Any, headers: Any, operation: Any) -> None:
        """Raises `ValueError` for a body with another element than the operation's result, or none. Faults are judged elsewhere."""
        soap = operation.nsmap["soap-env"]
        found = [part.tag for part in envelope.iterfind(f"{{{soap}}}Body/*")]
        body = operation.output.body if operation.style == "document" and operation.output is not None else None
        if body is not None and found != [str(body.qname)] and f"{{{soap}}}Fault" not in found:
            raise ValueError(f"the answer's body holds {found}, not {body.qname}")


def _port(client: Any, profile: SoapAdapter) -> tuple[Any, str]:
    kinds = {"1.1": (Soap11Binding,), "1.2": (Soap12Binding,)}.get(profile.version, (Soap11Binding, Soap12Binding))
    for service in client.wsdl.services.values():
        for port in service.ports.values():
            binding: Any = port.binding
            wanted = profile.service in ("", service.name) and profile.port in ("", port.name) and isinstance(binding, kinds)
            if wanted and profile.operation in binding.all():
                return binding, profile.endpoint or _own_address(port.binding_options["address"], profile)
    where = f"service {profile.service or '*'} port {profile.port or '*'} SOAP {profile.version or '*'}"
    raise ValueError(f"no operation {profile.operation} in {where}")


def _own_address(address: str, profile: SoapAdapter) -> str:
    """The address that the WSDL gives. A WSDL from the network may not send packets and credentials to another host."""
    home, target = urlsplit(profile.wsdl), urlsplit(address)
    if target.scheme not in ("http", "https") or not target.hostname:
        raise ValueError(f"the WSDL's service address is {address!r}")
    if home.scheme in ("http", "https") and home.hostname != target.hostname:
        raise ValueError(f"the WSDL's service address {address} is on another host; name it as `endpoint` if it is right")
    return address


def _result(loaded: _Loaded, operation: str, answer: Answer) -> object:
    if answer.media_type.startswith("multipart/"):
        raise ValueError("a multipart answer")
    called = loaded.binding.get(operation)
    response = Response()
    response.status_code = answer.status
    response.headers = CaseInsensitiveDict(answer.headers)
    response._content = answer.body
    return _to_plain(loaded.binding.process_reply(loaded.client, called, response), dict)
