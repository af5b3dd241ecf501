"""Sign-in with an API key into a session, and out of it."""

import asyncio
import re
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.pages.rendering import render
from api.pages.session import COOKIE, SCOPE, SIGN_IN, PageRoute, PersonDep, PersonRoute
from api.service import ServiceDep
from triage.store.sessions import LIFETIME

# Pages of ours; whatever else is asked for after signing in, could lead anywhere.
_PAGES = re.compile(r"/(?:review|insights)(?:[/?][!-\[\]-~]*)?")
_HOME = "/review"

_FAILED_S = 0.5
"""How long a wrong key waits for its answer: guessing is hopeless, hammering is to be dull too."""

open_router = APIRouter(route_class=PageRoute, include_in_schema=False)
router = APIRouter(route_class=PersonRoute, include_in_schema=False)

Next = Annotated[str, Query(max_length=2000)]


@open_router.get(SIGN_IN)
async def show_sign_in(request: Request, next: Next = _HOME) -> Response:
    """Ask for a key."""
    return _sign_in_page(request, _safe(next))


@open_router.post(SIGN_IN)
async def sign_in(
    request: Request,
    service: ServiceDep,
    key: Annotated[str, Form(max_length=500)] = "",
    next: Annotated[str, Form(max_length=2000)] = _HOME,
) -> Response:
    """Begin a session, and go to where the person wanted to be."""
    back = _safe(next)
    # Somebody else's page could sign a person in as another one otherwise.
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return _sign_in_page(request, back, 403, "Sign in here, not from another site.")
    info = await service.keys.find(key.strip()) if key.strip() else None
    if info is None:
        await asyncio.sleep(_FAILED_S)
        problem = "No key that is valid now reads like this. Copy it whole, and try again."
        return _sign_in_page(request, back, 401, problem)
    if not info.allows(SCOPE):
        await asyncio.sleep(_FAILED_S)
        problem = f"This key may not review. Ask for one with the scope {SCOPE}."
        return _sign_in_page(request, back, 403, problem)
    token = await run_in_threadpool(service.store.sessions.begin, info.id, datetime.now(UTC))
    answer = Response(status_code=303, headers={"Location": back})
    answer.set_cookie(
        COOKIE,
        token,
        max_age=int(LIFETIME.total_seconds()),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return answer


@router.post("/review/sign-out")
async def sign_out(service: ServiceDep, person: PersonDep) -> Response:
    """End the session."""
    await run_in_threadpool(service.store.sessions.end, person.token)
    answer = Response(status_code=303, headers={"Location": SIGN_IN})
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return answer


def _safe(address: str) -> str:
    return address if _PAGES.fullmatch(address) else _HOME


def _sign_in_page(
    request: Request, back: str, status: int = 200, problem: str | None = None
) -> Response:
    # A browser keeps the session to itself when a link of another site leads here.
    is_from_elsewhere = request.headers.get("sec-fetch-site") == "cross-site"
    return render(
        request,
        "sign_in.html",
        status=status,
        next=back,
        problem=problem,
        is_from_elsewhere=is_from_elsewhere and status == 200,
    )
