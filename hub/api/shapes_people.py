"""The JSON bodies of what people do at the REST face."""

from __future__ import annotations

from pydantic import Field

from hub.api.shapes import Body


class Login(Body):
    """Who wants a session. The password is repeated in no error and in no log."""

    login: str = Field(max_length=64)
    password: str = Field(max_length=512, repr=False)
