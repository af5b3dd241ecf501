"""Limits that hold before anything is parsed, and headers that go out with every answer."""

import asyncio

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import ProblemError, respond

_SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class SecurityHeaders:
    """ASGI middleware: headers that keep a browser from doing anything with an answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, adding the headers that the answer does not set itself."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_safely)


class BodyLimits:
    """ASGI middleware: bodies that are too large, too slow or compressed are refused.

    A body over ``max_bytes`` answers 413 without being read further, whether it says its length
    or comes in chunks; one that is not complete after ``timeout_s`` answers 408. Bodies left
    unread by the application close the connection.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, timeout_s: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request within the limits."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        is_complete = "transfer-encoding" not in headers and _length(headers) == 0
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        size = 0

        async def receive_within_limits() -> Message:
            nonlocal size, is_complete
            if is_complete:
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise ProblemError("timeout", "The body did not arrive in time.") from None
            if message["type"] == "http.request":
                size += len(message.get("body", b""))
                if size > self._max_bytes:
                    raise self._too_large()
                is_complete = not message.get("more_body", False)
            return message

        async def send_and_close_when_unread(message: Message) -> None:
            if message["type"] == "http.response.start" and not is_complete:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        refusal = self._refusal(headers)
        if refusal is not None:
            answer = respond(refusal.problem, refusal.headers)
            await answer(scope, receive, send_and_close_when_unread)
            return
        await self._app(scope, receive_within_limits, send_and_close_when_unread)

    def _refusal(self, headers: Headers) -> ProblemError | None:
        if headers.get("content-encoding", "identity").strip().lower() != "identity":
            return ProblemError(
                "unsupported-media-type",
                "Send the body uncompressed.",
                headers={"Accept-Encoding": "identity"},
            )
        if _length(headers) > self._max_bytes:
            return self._too_large()
        return None

    def _too_large(self) -> ProblemError:
        return ProblemError("too-large", f"A body may have {self._max_bytes} bytes.")


def _length(headers: Headers) -> int:
    value = headers.get("content-length", "0")
    return int(value) if value.isascii() and value.isdigit() else 0
