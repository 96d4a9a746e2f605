"""The trust store: what it reads, and that it reads all or nothing."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from hub.demo.pki import Pki
from schemas.errors import Halted
from signing import certificate
from signing.certificate import issued
from signing.collected import trust_in
from signing.context import Context, Purpose, Status
from signing.path import Demands, check_path, find
from signing.trust import Domains, TrustStore, sorted_by_domain
from tests.signing.material import AT

CERTIFICATES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "ca"


def test_an_empty_folder_trusts_nobody(tmp_path: Path) -> None:
    store = TrustStore.load(tmp_path)
    assert (store.anchors, store.intermediates) == ((), ())
    assert store.fingerprint == TrustStore().fingerprint


def test_pem_bundles_and_der_are_read_under_every_suffix(tmp_path: Path, pki: Pki) -> None:
    root, ca = pki.store().anchors[0], pki.store().intermediates[0]
    (tmp_path / "bundle.crt").write_bytes(root.public_bytes(Encoding.PEM) + ca.public_bytes(Encoding.PEM))
    (tmp_path / "again.CER").write_bytes(root.public_bytes(Encoding.DER))
    (tmp_path / "notes.txt").write_text("not a certificate")
    (tmp_path / "intermediates").mkdir()
    (tmp_path / "intermediates" / "ca.der").write_bytes(ca.public_bytes(Encoding.DER))
    store = TrustStore.load(tmp_path)
    assert len(store.anchor_ids) == 2  # the same twice is one
    assert store.anchors[0] == root
    assert store.intermediates == (ca,)


@pytest.mark.parametrize("content", [b"", b"rubbish", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
@pytest.mark.parametrize("folder", [".", "intermediates"])
def test_a_file_that_is_no_certificate_stops_everything(tmp_path: Path, content: bytes, folder: str, pki: Pki) -> None:
    (tmp_path / "root.pem").write_bytes(pki.store().anchors[0].public_bytes(Encoding.PEM))
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / "bad.pem").write_bytes(content)
    with pytest.raises(Halted) as caught:
        TrustStore.load(tmp_path)
    assert caught.value.code == "trust-invalid"
    assert "bad.pem" in caught.value.got


def test_a_folder_that_is_not_there_stops_everything(tmp_path: Path) -> None:
    with pytest.raises(Halted) as caught:
        TrustStore.load(tmp_path / "nowhere")
    assert caught.value.code == "trust-invalid"


def test_an_anchor_and_an_intermediate_are_two_stores(pki: Pki) -> None:
    root = pki.store().anchors[0]
    assert TrustStore(anchors=(root,)).fingerprint != TrustStore(intermediates=(root,)).fingerprint
    assert TrustStore(intermediates=(root,)).anchor_ids == frozenset()


@pytest.mark.fixtures
@pytest.mark.skipif(not CERTIFICATES.is_dir(), reason="needs ../shared/fixtures/ca")
def test_the_real_authorities_are_read() -> None:
    store = TrustStore.load(CERTIFICATES)
    by_name = {certificate.of(c).subject: certificate.of(c) for c in store.anchors}
    assert len(by_name) == 4
    g1 = next(c for name, c in by_name.items() if "RootCA)" in name)
    assert g1.hash_name == "sha1"  # believed for where it stands
    g2 = next(c for name, c in by_name.items() if name.startswith("CN=RootCA chuyên dùng Chính phủ G2"))
    sub = next(c for name, c in by_name.items() if name.startswith("CN=CA phục vụ các cơ quan Nhà nước G2"))
    assert g2.sha256.startswith("f04ba4b4")
    assert sub.sha256.startswith("d8cab7a4")
    assert issued(sub, g2)
    assert find(sub, (), TrustStore((g2.parsed,)), Demands(Purpose.CRL)).chains  # by the names as they are, composed and decomposed


@pytest.mark.fixtures
@pytest.mark.skipif(not CERTIFICATES.is_dir(), reason="needs ../shared/fixtures/ca")
@pytest.mark.parametrize(("domain", "count"), [("government", 3), ("national", 1), ("", 4), ("elsewhere", 0)])
def test_the_command_tells_the_real_authorities_apart_in_one_folder(domain: str, count: int) -> None:
    store, notes = trust_in(CERTIFICATES, domain)
    assert (len(store.anchors), notes) == (count, ())


@pytest.mark.parametrize(("domain", "anchors"), [("one", 1), ("two", 1), ("", 2), ("elsewhere", 0)])
def test_the_command_reads_a_table_as_the_hub_does(tmp_path: Path, pki: Pki, domain: str, anchors: int) -> None:
    _as_domains(tmp_path, pki)
    (tmp_path / "trust.toml").write_text('[one]\nanchors = ["government/root.pem"]\n[two]\nanchors = ["national/root.pem"]\n')
    assert len(trust_in(tmp_path, domain)[0].anchors) == anchors


def test_private_keys_of_the_demonstration_are_for_their_owner_alone(pki: Pki) -> None:
    for identity in pki.identities.values():
        assert stat.S_IMODE(identity.key_path.stat().st_mode) == 0o600
        assert identity.chain_path.read_bytes().count(b"BEGIN CERTIFICATE") == 1 + len(identity.issuers)


def _as_domains(folder: Path, pki: Pki) -> Path:
    root, ca = pki.store().anchors[0], pki.store().intermediates[0]
    for name, cert in (("government/root.pem", root), ("government/intermediates/ca.pem", ca), ("national/root.pem", ca)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(cert.public_bytes(Encoding.PEM))
    return folder


def test_every_subfolder_is_a_domain_of_its_own(tmp_path: Path, pki: Pki) -> None:
    domains = Domains.load(_as_domains(tmp_path, pki))
    assert sorted(domains.stores) == ["government", "national"]
    assert domains.store("government").fingerprint == pki.store().fingerprint
    assert domains.store("national").domain == "national"
    assert domains.of(certificate.of(pki.store().anchors[0]).sha256) == ("government",)
    assert domains.store("nowhere").anchors == ()  # a domain that nobody configured trusts nobody
    assert domains.store().anchors == ()  # and where there are several, one has to be named


def test_a_path_ends_in_its_own_domain(tmp_path: Path, pki: Pki) -> None:
    domains = Domains.load(_as_domains(tmp_path, pki))
    signer = next(iter(pki.identities.values()))
    sent = tuple(c.public_bytes(Encoding.DER) for c in signer.chain)
    words = {name: check_path(sent[0], sent[1:], Context(store, AT)) for name, store in domains.stores.items()}
    assert words["government"].status is Status.OK
    assert words["government"].domain == "government"
    only_government = Domains({"national": TrustStore(domain="national")}).store("national")
    assert check_path(sent[0], sent[1:], Context(only_government, AT)).reasons == ("untrusted-chain",)


def test_a_table_says_which_file_belongs_where(tmp_path: Path, pki: Pki) -> None:
    _as_domains(tmp_path, pki)
    (tmp_path / "trust.toml").write_text('[one]\nanchors = ["government/root.pem"]\nintermediates = ["national/root.pem"]\n')
    store = Domains.load(tmp_path).store()
    assert (store.domain, len(store.anchors), len(store.intermediates)) == ("one", 1, 1)


@pytest.mark.parametrize(
    "table",
    ["[one", '[one]\nanchors = ["missing.pem"]', '[one]\nanchor = ["government/root.pem"]', "one = 3", "[one]\nanchors = [3]"],
    ids=["no TOML", "a file that is not there", "a word nobody knows", "no table", "no name of a file"],
)
def test_a_table_that_is_wrong_stops_everything(tmp_path: Path, pki: Pki, table: str) -> None:
    (_as_domains(tmp_path, pki) / "trust.toml").write_text(table)
    with pytest.raises(Halted) as caught:
        Domains.load(tmp_path)
    assert caught.value.code == "trust-invalid"


def test_certificates_beside_the_domains_stop_everything(tmp_path: Path, pki: Pki) -> None:
    (_as_domains(tmp_path, pki) / "loose.pem").write_bytes(pki.store().anchors[0].public_bytes(Encoding.PEM))
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(Halted) as caught:
            Domains.load(folder)
        assert caught.value.code == "trust-invalid"


def test_a_plain_folder_is_one_domain_without_a_name(pki: Pki) -> None:
    assert Domains.load(pki.trust).store().fingerprint == pki.store().fingerprint


@pytest.mark.fixtures
@pytest.mark.skipif(not CERTIFICATES.is_dir(), reason="needs ../shared/fixtures/ca")
def test_the_real_authorities_are_told_apart() -> None:
    domains = sorted_by_domain(TrustStore.load(CERTIFICATES))
    named = {name: sorted(certificate.of(c).subject.split(",")[0] for c in store.anchors) for name, store in domains.stores.items()}
    assert sorted(named) == ["government", "national"]
    assert len(named["government"]) == 3  # G1, G2 and the CA below G2
    assert named["national"] == ["CN=Vietnam National Root CA"]
