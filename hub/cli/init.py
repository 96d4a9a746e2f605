"""`lgsp init`: a home for a trial, complete: the hub's own keys, and a signing certificate that only this trial believes in."""

from __future__ import annotations

from datetime import UTC, datetime

from hub.cli.home import DEFAULT_HOME, Home


def command(home: Home = DEFAULT_HOME) -> None:
    """Tạo thư mục chạy thử: khóa của hub và chứng thư ký thử nghiệm. / Make a home for a trial: keys and a test signing certificate."""
    from hub.keys import Keyring
    from hub.settings import load_settings
    from hub.trial import make_certificate

    settings = load_settings(home)
    for folder in (settings.trust_folder, settings.home / "systems"):
        folder.mkdir(parents=True, exist_ok=True)
    ring = Keyring.init(settings.keys_folder)
    root = make_certificate(settings.home, datetime.now(UTC))
    print(f"{settings.home}")
    for record in ring.records:
        print(f"  {record.purpose:8} {record.id}")
    print(f"  signing  {root.name}")
    print("Chứng thư ký chỉ để chạy thử; khi vận hành thật, thay bằng chứng thư được cấp (docs/operations.md).")
    print("The signing certificate is for a trial only; in operation, bring in one that was issued to you (docs/operations.md).")
