"""What the JDK signs is accepted: every canonical form, three ways to stand to the content, RSA, PSS and ECDSA. Skipped without a JDK."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from signing.finding import Coverage, Integrity
from signing.xml_signature import examine_xml
from tests.signing.signed_files import around, world
from tests.vectors.sign_xml import ECDSA, MORE, MORE_2007, RSA

SOURCE = Path(__file__).parents[1] / "vectors" / "SignXml.java"
METHODS = {
    "person": (RSA, MORE + "rsa-sha512", MORE_2007 + "sha256-rsa-MGF1"),
    "elliptic": (ECDSA,),
}


@pytest.mark.skipif(shutil.which("javac") is None, reason="no JDK")
@pytest.mark.parametrize("name", METHODS)
def test_what_the_jdk_signs_is_accepted(name: str, tmp_path: Path) -> None:
    signer = {one.name: one for one in (world().person, world().elliptic)}[name]
    (tmp_path / f"{name}.p8").write_bytes(signer.key_der)
    shutil.copy(signer.certificate_path, tmp_path / f"{name}.pem")
    done = subprocess.run(["java", str(SOURCE), str(tmp_path), name, *METHODS[name]], capture_output=True, check=False, timeout=240)
    if b"RSASSA" in done.stderr or b"unavailable" in done.stderr:
        pytest.skip("a JDK that does not know a method")
    assert done.returncode == 0, done.stderr
    found = sorted(tmp_path.glob("java-*.xml"))
    assert len(found) == 18 * len(METHODS[name])
    for path in found:
        (one,) = examine_xml(path.read_bytes(), around())
        assert (one.violations, one.integrity, one.coverage, one.signer) == ((), Integrity.OK, Coverage.WHOLE, signer.der)
