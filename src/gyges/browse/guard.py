"""Who may ask: this machine's own browser, with the token. ASGI middleware; it knows no page.

A page of another site can make the browser send requests here, and can point a name of its own at this machine. So
every request must name a loopback host with our port, come from our own pages, and carry a token that only the
terminal has shown; changes must also say where they come from.
"""

from __future__ import annotations

import hmac
import secrets
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode

if TYPE_CHECKING:
    from starlette.datastructures import Headers
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-robots-tag": "noindex, nofollow, noarchive",
    "cache-control": "no-store",
}
"""On every response, refusals too. A page that may do even less has a policy of its own."""


def new_token() -> str:
    return secrets.token_urlsafe(24)


class Guard:
    """Lets a request through to `app`, or answers it with a refusal in plain words."""

    def __init__(self, app: ASGIApp, *, port: int, token: str) -> None:
        self._app = app
        self._token = token
        self._hosts = {f"{name}:{port}" for name in LOOPBACK} | (set(LOOPBACK) if port == 80 else set())
        self._cookie = f"gyges-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        answer = self._refusal(scope)
        await (answer or self._app)(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        """The answer that is given in place of the page; None when the request is welcome."""
        from starlette.datastructures import Headers

        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return _say(400, "This server answers to this machine's own names only.")
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return _say(405, "This server shows pages and stores labels; it does nothing else.")
        if not _own(headers, scope["method"], hosts[0]):
            return _say(403, "This request came from another site. Nothing was changed.")
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if any(name == "token" for name, _ in query):
            return self._take_token(scope["path"], query)
        if not self._knows(headers.getlist("cookie")):
            return _say(401, "Open the address that `gyges browse` printed: it carries the token of this session.")
        return None

    def _take_token(self, path: str, query: list[tuple[str, str]]) -> ASGIApp:
        """Move the token from the address into a cookie, so that no history, page or referrer keeps it."""
        from starlette.responses import RedirectResponse

        if not all(_equal(value, self._token) for name, value in query if name == "token"):
            return _say(401, "This token is not of this session; open the address that `gyges browse` printed.")
        rest = urlencode([item for item in query if item[0] != "token"])
        # Never two slashes in front: that would be an address on another host.
        answer = RedirectResponse("/" + quote(path.lstrip("/\\")) + (f"?{rest}" if rest else ""), status_code=303)
        answer.set_cookie(self._cookie, self._token, httponly=True, samesite="strict", path="/")
        return answer

    def _knows(self, cookies: list[str]) -> bool:
        for line in cookies:
            try:
                found = SimpleCookie(line).get(self._cookie)
            except CookieError:
                continue
            if found is not None and _equal(found.value, self._token):
                return True
        return False


def _own(headers: Headers, method: str, host: str) -> bool:
    """Whether the request is of our own pages, as far as the browser says so; a change has to say it."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if origin not in (None, "null", f"http://{host}"):
        return False
    if method == "POST":
        # Our policy sends no referrer, and then a form's origin is null. No page can forge `same-origin`.
        return site == "same-origin" or (site is None and origin not in (None, "null"))
    opened = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return site in (None, "same-origin", "none") or opened


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())


def _say(status: int, words: str) -> ASGIApp:
    from starlette.responses import PlainTextResponse

    return PlainTextResponse(words + "\n", status_code=status)


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = {name.encode(): value.encode() for name, value in HEADERS.items()}
            given = list(message.get("headers", ()))
            if any(name.lower() == b"content-security-policy" for name, _ in given):
                del own[b"content-security-policy"]
            kept = [(name, value) for name, value in given if name.lower() not in own]
            message = {**message, "headers": [*kept, *own.items()]}
        await send(message)

    return sending
