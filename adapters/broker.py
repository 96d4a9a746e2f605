"""Where a broker is and as whom the hub speaks to it: an ``amqp://`` or ``amqps://`` address in parts. Nothing here connects."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

_PORTS = {"amqp": 5672, "amqps": 5671}


@dataclass(frozen=True, slots=True)
class Broker:
    """One broker, one virtual host, one user."""

    host: str
    port: int
    vhost: str
    user: str
    password: str = field(repr=False)
    tls: bool = False
    ca_file: str = ""  # PEM; "" is the machine's own store

    @classmethod
    def of(cls, url: str, *, user: str = "", password: str = "", ca_file: str = "") -> Broker:
        """The broker at `url`; `user` and `password` win over those in it. Raises `ValueError` for what is no AMQP address."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("an address like amqp://host:5672/vhost or amqps://host/vhost")
        return cls(
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            vhost=unquote(parts.path[1:]) or "/",
            user=user or unquote(parts.username or ""),
            password=password or unquote(parts.password or ""),
            tls=parts.scheme == "amqps",
            ca_file=ca_file,
        )

    @property
    def place(self) -> str:
        """For errors: no credentials."""
        return f"amqp{'s' if self.tls else ''}://{self.host}:{self.port}"
