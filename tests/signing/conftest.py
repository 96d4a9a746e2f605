"""One small PKI for all tests of signatures: making RSA keys is the slow part."""

from __future__ import annotations

import pytest

from hub.demo.pki import Identity, Pki, build_pki
from signing.trust import TrustStore
from tests.signing.material import AT, ELLIPTIC, SENDER, Forger


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return build_pki(tmp_path_factory.mktemp("pki"), [SENDER, ELLIPTIC], AT, elliptic=[ELLIPTIC], root_bits=2048)


@pytest.fixture(scope="session")
def trust(pki: Pki) -> TrustStore:
    return pki.store()


@pytest.fixture(scope="session")
def agency(pki: Pki) -> Identity:
    """An agency with an RSA key."""
    return pki.identities[SENDER]


@pytest.fixture(scope="session")
def elliptic(pki: Pki) -> Identity:
    """An agency with a P-256 key."""
    return pki.identities[ELLIPTIC]


@pytest.fixture(scope="session")
def forger(agency: Identity) -> Forger:
    return Forger.of(agency)
