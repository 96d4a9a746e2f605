"""REST against servers that behave badly: in time, within memory, and with the right error."""

from __future__ import annotations

from time import monotonic

import pytest

from adapters.contract import AgencyInDoubt, AgencyRefused, AgencyUnavailable, Idempotency
from adapters.credentials import Auth, AuthKind
from adapters.hostile import BEHAVIOURS, HostileServer
from adapters.rest import RestAdapter
from schemas.errors import HubError
from tests.adapters.parcels import TOKEN, parcel

TIMEOUT_S = 1.0
CLEAR = {
    "redirect": AgencyRefused,
    "repeats what it was sent": AgencyRefused,
}
ACCEPTED = {"gzip that was not asked for", "impossible length"}  # the status says so, and the status decides


@pytest.mark.parametrize("behaviour", [name for name in BEHAVIOURS if name not in ACCEPTED])
@pytest.mark.parametrize("idempotency", [Idempotency.KEY, Idempotency.NONE])
def test_a_hostile_server_is_met_in_time_and_judged_by_idempotency(behaviour: str, idempotency: Idempotency) -> None:
    expected = CLEAR.get(behaviour, AgencyUnavailable if idempotency is Idempotency.KEY else AgencyInDoubt)
    with HostileServer(behaviour) as server:
        adapter = RestAdapter(
            server.url, auth=Auth(AuthKind.BEARER, secret=TOKEN), idempotency=idempotency, timeout_s=TIMEOUT_S, connect_timeout_s=1.0
        )
        body = b"<edXML/>" * (1_000_000 if behaviour == "never reads" else 1)
        started = monotonic()
        with pytest.raises(HubError) as caught:
            adapter.deliver(parcel(body=body))
        assert monotonic() - started < 30
        assert server.requests == 1, "neither retried nor redirected"
        adapter.close()
    assert type(caught.value) is expected, caught.value
    assert TOKEN not in str(caught.value) and TOKEN not in repr(adapter)


@pytest.mark.parametrize("behaviour", sorted(ACCEPTED))
def test_an_odd_body_under_a_clear_status_is_kept_as_it_came(behaviour: str) -> None:
    with HostileServer(behaviour) as server:
        adapter = RestAdapter(server.url, timeout_s=TIMEOUT_S)
        assert adapter.deliver(parcel()).answer.startswith("HTTP 200")
        adapter.close()
