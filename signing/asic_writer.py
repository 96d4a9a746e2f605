"""Writing an ASiC-E container with one CAdES signature over a manifest of all its files (ETSI EN 319 162-1 §4.4, §A.4).

The same files give the same bytes but for the signature: fixed times and order, and a manifest of one form, which a verifier makes again
from the files instead of parsing it. Names are plain ASCII, so no URI in the manifest needs an escape.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
import zlib
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from io import BytesIO

from signing.algorithms import DSIG
from signing.asic import EXTENDED
from signing.asic_manifest import ASIC
from signing.sign_files import sign_cms
from signing.sign_key import Credential
from signing.sign_stamp import TimeAuthority

MANIFEST, SIGNATURE = "META-INF/ASiCManifest.xml", "META-INF/signature.p7s"
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._/-]{0,199}")
_LOOSEST = 100  # unpacked : packed; what packs tighter is stored, for readers take it for a bomb
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first that a ZIP can say


def write_asic(files: Mapping[str, bytes], credential: Credential | None, at: datetime, authority: TimeAuthority | None = None) -> bytes:
    """The container with `files` in their order. Without a `credential` nobody signs it; a time-stamp is put in by the `authority`.

    Raises as `sign_cms` does. A name that is not plain, or stands in META-INF, is a programmer's mistake.
    """
    if any(not _NAME.fullmatch(name) or ".." in name or name.startswith("META-INF/") or name == "mimetype" for name in files):
        raise RuntimeError(f"a container's files need plain names: {list(files)[:5]}")
    manifest = manifest_of(files)
    sealed = {MANIFEST: manifest}
    if credential is not None:
        sealed[SIGNATURE] = sign_cms(
            manifest, credential, at=at, authority=authority, digest="sha256" if credential.digest == "sha256" else ""
        )
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        _put(archive, "mimetype", EXTENDED.encode(), zipfile.ZIP_STORED)
        for name, body in (*files.items(), *sealed.items()):
            _put(archive, name, body, _packing(body))
    return out.getvalue()


def manifest_of(files: Mapping[str, bytes]) -> bytes:
    """The ASiCManifest of `files`, in their order."""
    rows = "".join(
        f'<asic:DataObjectReference URI="{name}"><ds:DigestMethod Algorithm="{_SHA256}"></ds:DigestMethod>'
        f"<ds:DigestValue>{b64encode(hashlib.sha256(body).digest()).decode()}</ds:DigestValue></asic:DataObjectReference>"
        for name, body in files.items()
    )
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<asic:ASiCManifest xmlns:asic="{ASIC}" xmlns:ds="{DSIG}">'
    signature = f'<asic:SigReference URI="{SIGNATURE}" MimeType="application/pkcs7-signature"></asic:SigReference>'
    return f"{head}{signature}{rows}</asic:ASiCManifest>\n".encode()


def _packing(body: bytes) -> int:
    packed = len(zlib.compress(body, 6))
    return zipfile.ZIP_DEFLATED if packed < len(body) < _LOOSEST * packed else zipfile.ZIP_STORED


def _put(archive: zipfile.ZipFile, name: str, body: bytes, packing: int) -> None:
    about = zipfile.ZipInfo(name, _EPOCH)
    about.compress_type = packing
    about.external_attr = 0o100644 << 16
    about.create_system = 3  # wherever it is written
    archive.writestr(about, body, compresslevel=6)
