"""The examples of `docs/api.md`, run as they stand."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hub.api.openapi import OPERATIONS
from hub.api.soap.wsdl import OPERATION_TEXTS
from tests.api.documents import document
from tests.api.face import Face
from tests.api.test_soap_php import HAS_PHP_SOAP

GUIDE = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
RUNNERS = {"sh": ["bash", "-euo", "pipefail"], "python": [sys.executable], "php": ["php"]}
NEEDS = {"sh": "curl", "python": "", "php": "php"}


def example(language: str) -> str:
    """The one block of `language` in the guide."""
    _, _, rest = GUIDE.partition(f"```{language}\n")
    return rest.partition("```")[0]


@pytest.mark.parametrize("language", RUNNERS)
def test_the_example_works(face: Face, tmp_path: Path, language: str) -> None:
    if (NEEDS[language] and shutil.which(NEEDS[language]) is None) or (language == "php" and not HAS_PHP_SOAP):
        pytest.skip(f"{language}: {NEEDS[language]} with what the example needs is not installed here")
    (tmp_path / "goi-tin.edxml").write_bytes(document(sender="000.00.13.H53", to=["H53.14"]))
    waiting = document()
    delivery = face.waiting("qlvb", face.send(waiting).json()["message_id"])["delivery_id"]
    (tmp_path / "example").write_text(example(language), "utf-8")
    key_id, _, secret = face.keys["qlvb"].partition(".")
    env = {**os.environ, "HUB": face.url, "KEY_ID": key_id, "SECRET": secret, "DELIVERY": delivery, "NO_PROXY": "127.0.0.1"}
    run = subprocess.run([*RUNNERS[language], "example"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=240, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "message_id" in run.stdout
    assert waiting in [path.read_bytes() for path in tmp_path.glob("*.edxml")]
    assert delivery not in [item["delivery_id"] for item in face.pending("qlvb")]


def test_it_names_every_address_and_operation() -> None:
    assert [one.path for one in OPERATIONS if f"{one.path}" not in GUIDE] == []
    assert [name for name in OPERATION_TEXTS if f"`{name}`" not in GUIDE] == []
