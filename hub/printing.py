"""A page of HTML of ours as PDF, by a browser of this machine, which sets Vietnamese with the fonts that are there."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from schemas.errors import TryLater

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LIMIT_S = 120.0
# No network, nothing of the user's: the page is ours, without scripts and with everything in it.
_FLAGS = (
    "--headless",
    "--disable-gpu",
    "--no-sandbox",
    "--no-pdf-header-footer",
    "--proxy-server=127.0.0.1:9",
    "--disable-extensions",
)


def pdf(html: str) -> bytes:
    """`html`, printed. Raises `TryLater("pdf-unavailable")` where no browser is installed, or it fails."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise TryLater("pdf-unavailable", got="no " + ", ".join(BROWSERS), expected="a browser that prints, or HTML")
    with tempfile.TemporaryDirectory(prefix="lgsp-print-") as folder:
        source, target = Path(folder, "page.html"), Path(folder, "page.pdf")
        source.write_text(html, "utf-8")
        command = [browser, *_FLAGS, f"--user-data-dir={folder}/profile", f"--print-to-pdf={target}", source.as_uri()]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=LIMIT_S)
            return target.read_bytes()
        except (subprocess.SubprocessError, OSError) as fault:
            raise TryLater("pdf-unavailable", got=type(fault).__name__, expected="a browser that prints, or HTML") from fault
