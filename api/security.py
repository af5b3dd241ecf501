"""API keys: who may call what. Looked at before a byte of the body is read."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

from fastapi import Request, Response, Security, params
from fastapi.routing import APIRoute
from fastapi.security import APIKeyHeader
from starlette.concurrency import run_in_threadpool

from api.problems import ProblemError
from triage.store import ApiKeyInfo, Store, StoreError

Scope = Literal["predict", "feedback", "review", "admin"]

_CACHE_S = 1.0
_CACHE_SIZE = 1024
_USE_NOTED_EVERY = timedelta(minutes=1)

_header = APIKeyHeader(
    name="X-API-Key",
    scheme_name="ApiKey",
    description="A key made with `triage keys create`. Scope `admin` implies all others.",
    auto_error=False,
)


def needs(scope: Scope) -> params.Depends:
    """Declare a scope that a route needs; of several, any one of them will do."""
    dependency: params.Depends = Security(_header, scopes=[scope])
    return dependency


class KeyRing:
    """Finds active keys, remembering each for a second, and notes once a minute that they are used.

    A revoked key is therefore refused after a second at the latest, in every process.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._found: dict[bytes, tuple[float, ApiKeyInfo]] = {}

    async def find(self, secret: str) -> ApiKeyInfo | None:
        """Find the active key that a secret belongs to; None when there is none."""
        digest = sha256(secret.encode("utf-8", "surrogatepass")).digest()
        looked_up_at, info = self._found.get(digest, (0.0, None))
        now = time.monotonic()
        if info is None or now - looked_up_at > _CACHE_S:
            info = await run_in_threadpool(self._store.find_key, secret)
            self._found.pop(digest, None)
            if info is not None:
                self._remember(digest, now, info)
        return info if info is not None and info.is_active(datetime.now(UTC)) else None

    def _remember(self, digest: bytes, now: float, info: ApiKeyInfo) -> None:
        if len(self._found) >= _CACHE_SIZE:
            self._found.clear()
        self._found[digest] = (now, info)
        used_at = info.last_used_at
        if used_at is None or datetime.now(UTC) - used_at > _USE_NOTED_EVERY:
            # Beside the request: noting the use is a courtesy, and must not delay or refuse it.
            asyncio.get_running_loop().run_in_executor(None, self._note_use, info.id)

    def _note_use(self, key_id: str) -> None:
        with suppress(StoreError):
            self._store.note_use(key_id)


class KeyedRoute(APIRoute):
    """A route that needs a key, and that takes nothing but strict JSON.

    Strangers are turned away before their body is read or parsed. The key that was let in is
    ``request.state.api_key``.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Put the check of the key before FastAPI's own handling.

        Raises
        ------
        TypeError : the route does not say which scope it needs
        """
        handle = super().get_route_handler()
        scopes = [
            scope
            for dependency in self.dependencies
            if isinstance(dependency, params.Security)
            for scope in dependency.scopes or ()
        ]
        if not scopes:
            raise TypeError(f"{self.path} does not say which scope it needs")
        has_body = self.body_field is not None

        async def handle_keyed(request: Request) -> Response:
            request.state.api_key = await _admit(request, scopes)
            if has_body:
                _check_content_type(request)
            return await handle(_StrictJsonRequest(request.scope, request.receive))

        return handle_keyed


async def _admit(request: Request, scopes: list[str]) -> ApiKeyInfo:
    secret = request.headers.get(_header.model.name, "")
    ring: KeyRing = request.app.state.service.keys
    info = await ring.find(secret) if secret else None
    if info is None:
        raise ProblemError(
            "unauthenticated", "Send a key that is neither revoked nor expired in X-API-Key."
        )
    if not any(info.allows(scope) for scope in scopes):
        raise ProblemError("forbidden", f"This needs a key with scope {' or '.join(scopes)}.")
    return info


def _check_content_type(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise ProblemError(
            "unsupported-media-type",
            "Send JSON, with Content-Type: application/json.",
            headers={"Accept": "application/json"},
        )


class _StrictJsonRequest(Request):
    async def json(self) -> Any:
        """Parse the body; NaN, a repeated name, bad UTF-8 and abysmal nesting are no JSON."""
        body = await self.body()
        try:
            return json.loads(
                body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse_constant
            )
        except (ValueError, RecursionError):
            # From None, and without the document: nothing of it may reach a log.
            raise json.JSONDecodeError("not strict JSON", "", 0) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a name is repeated")
    return content


def _refuse_constant(_constant: str) -> Any:
    raise ValueError("NaN and infinities are not numbers")
