"""What a form of our own pages sends: names and values, of a size. It knows no page."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from gyges.errors import UsageError

if TYPE_CHECKING:
    from starlette.requests import Request

LARGEST = 20_000
"""Bytes of a form."""


class NoForm(UsageError):  # noqa: N818 - an answer, not a fault
    """What was sent is no form of ours; `status` is HTTP's word for why."""

    def __init__(self, status: int, what: str, to_do: str) -> None:
        super().__init__(what, to_do)
        self.status = status


async def read_form(request: Request) -> dict[str, str]:
    """The last value of each name. Raises NoForm for another content type or more than `LARGEST` bytes."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        raise NoForm(415, "this is no form of these pages", "send the form that the page shows")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise NoForm(413, "that is too long for a form", "write less")
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
