"""Where the tests' servers are, and whether they answer."""

from __future__ import annotations

import os
import socket
from functools import cache
from urllib.parse import urlsplit

RABBITMQ_URL = os.environ.get("LGSP_TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//")


@cache
def rabbitmq_missing() -> str:
    """Why RabbitMQ tests cannot run here; "" if they can."""
    where = urlsplit(RABBITMQ_URL)
    try:
        with socket.create_connection((where.hostname or "127.0.0.1", where.port or 5672), timeout=2):
            return ""
    except OSError as fault:
        return f"no RabbitMQ answers at {where.hostname}:{where.port} ({fault.strerror or fault})"
