"""One log line and one count for each request, and the net below every exception."""

import re
import secrets
import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import Metrics
from api.problems import problem, respond

_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class AccessLog:
    """ASGI middleware: gives each request an id, logs and counts it, and catches what fell through.

    A caller's ``X-Request-ID`` is kept when it is 1 to 64 letters, digits, dots, dashes and
    underscores. What is logged: the id, the method, the template of the route, the status and the
    duration; never the address, a parameter, a header or the body.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; an exception becomes a 500 and a log line without its message."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = _request_id(scope)
        log = structlog.get_logger().bind(request_id=request_id)
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as error:
            log.error("unexpected", exc_info=error)
            if not status:
                detail = f"Tell us the request id {request_id}."
                await respond(problem("internal", detail))(scope, receive, send_with_id)
        finally:
            duration_s = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", "unmatched")
            method = scope["method"] if scope["method"] in _METHODS else "OTHER"
            self._metrics.observe_request(method, route, status, duration_s)
            log.info(
                "request",
                method=method,
                route=route,
                status=status,
                duration_ms=round(duration_s * 1000, 2),
            )


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _SAFE_ID.fullmatch(given) else secrets.token_hex(8)
