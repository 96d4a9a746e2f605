"""The SOAP face with PHP's SoapClient, as much government software uses it: the WSDL as served, no special options."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.api.documents import document
from tests.api.face import Face, sha256


def _has_soap() -> bool:
    php = shutil.which("php")
    return php is not None and "soap" in subprocess.run([php, "-m"], capture_output=True, text=True, check=False).stdout.lower().split()


HAS_PHP_SOAP = _has_soap()
pytestmark = [pytest.mark.php, pytest.mark.skipif(not HAS_PHP_SOAP, reason="php with its soap extension is not installed here")]


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_every_operation_works_from_php(face: Face, version: str) -> None:
    raw = document(subject=f"Từ PHP, SOAP {version}: Ủy ban nhân dân")
    arguments = [f"{face.url}/soap/v1?wsdl", version, face.keys["mot-cua"], face.keys["qlvb"]]
    run = subprocess.run(
        ["php", str(Path(__file__).with_name("client.php")), *arguments], input=raw, capture_output=True, timeout=240, check=False
    )
    assert run.returncode == 0, (run.stdout + run.stderr).decode()
    seen = json.loads(run.stdout)
    assert seen["messageId"] == seen["receiptNames"]
    assert seen["sameReceipt"] is True
    assert seen["repeated"] == [False, True]
    assert seen["samePacket"] is True
    assert seen["sha256"] == sha256(raw)
    assert seen["title"] == f"Từ PHP, SOAP {version}: Ủy ban nhân dân"
    assert seen["state"] == "delivered"
    assert face.waiting("mot-cua", seen["statusMessage"])["kind"] == "document.status"
    assert seen["fault"]["detail"]["code"] == "malformed-xml"
    assert seen["fault"]["detail"]["remedyVi"] in json.dumps(seen["fault"], ensure_ascii=False)
    assert seen["fault"]["faultcode"].endswith("Client" if version == "1.1" else "Sender")
    assert "not-authenticated" in seen["unauthenticated"]
