"""Who is signed in, and the routes that ask: a cookie for the session, a token in every form."""

import hmac
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

import structlog
from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from api.pages.rendering import render
from api.problems import ProblemError
from api.service import Service
from triage.store import ApiKeyInfo, Store, StoreError

COOKIE = "triage_session"
SCOPE = "review"
SIGN_IN = "/review/sign-in"

_CSRF_FIELD = "csrf"
_CSRF_HEADER = "X-CSRF-Token"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in, known by their API key; ``csrf`` goes into every form."""

    key: ApiKeyInfo
    token: str = field(repr=False)

    @property
    def csrf(self) -> str:
        """Proof that a form comes from a page of this session."""
        return hmac.digest(self.token.encode(), b"csrf", "sha256").hex()


class PageError(Exception):
    """Raised to answer with a page that says what is wrong and what to do next."""

    def __init__(self, status: int, title: str, text: str) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.text = text


_UNKNOWN = (404, "There is nothing here", "The address is wrong, or what it showed was erased.")
_PAGES = {
    403: (403, "This is not allowed", "Your key lacks the right to do this."),
    404: _UNKNOWN,
    405: _UNKNOWN,
    408: (408, "That took too long", "The form did not arrive in time. Send it again."),
    413: (413, "That is too large", "The form holds more than the service takes."),
    422: (422, "That does not fit", "Something in the form or the address makes no sense."),
    503: (503, "Not possible right now", "Nothing was stored. Try again in a moment."),
}
_BROKEN = (500, "Something went wrong on our side", "Nothing was stored. Try again.")


class PageRoute(APIRoute):
    """A route of a page: whatever goes wrong is told on a page too."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Put the error pages around FastAPI's own handling."""
        handle = super().get_route_handler()

        async def handle_page(request: Request) -> Response:
            try:
                return await self.answer(request, handle)
            except PageError as error:
                return _error_page(request, error.status, error.title, error.text)
            except ProblemError as error:
                status, title, text = _PAGES.get(error.problem.status, _BROKEN)
                told = error.problem.detail if status == 422 else text
                return _error_page(request, status, title, told)
            except RequestValidationError:
                return _error_page(request, *_PAGES[422])
            except HTTPException as error:
                return _error_page(request, *_PAGES.get(error.status_code, _BROKEN))
            except StoreError as error:
                structlog.get_logger().error("store", problem=str(error))
                return _error_page(request, *_PAGES[503])
            except Exception as error:
                structlog.get_logger().error("unexpected", exc_info=error)
                return _error_page(request, *_BROKEN)

        return handle_page

    async def answer(
        self, request: Request, handle: Callable[[Request], Coroutine[Any, Any, Response]]
    ) -> Response:
        """Answer a request, strangers' too."""
        return await handle(request)


class PersonRoute(PageRoute):
    """A route for people who are signed in; they are ``request.state.person``.

    Strangers are sent to sign in, and back here afterwards. Whatever changes something needs the
    session's token in the form or a header.
    """

    async def answer(
        self, request: Request, handle: Callable[[Request], Coroutine[Any, Any, Response]]
    ) -> Response:
        """Answer a request of somebody who is signed in.

        Raises
        ------
        PageError : the key lacks the scope, or the token is missing or not this session's
        """
        service: Service = request.app.state.service
        person = await find_person(request, service.store)
        if person is None:
            return _to_sign_in(request)
        if not person.key.allows(SCOPE):
            raise PageError(403, "This is not allowed", f"Your key needs the scope {SCOPE}.")
        request.state.person = person
        if request.method not in ("GET", "HEAD") and not await _has_token(request, person):
            raise PageError(
                403,
                "This form is not from here, or it is too old",
                "Nothing was stored. Go back, load the page again and repeat it.",
            )
        return await handle(request)


async def find_person(request: Request, store: Store) -> Person | None:
    """Find who a request's session belongs to; None when it is over or its key no longer valid."""
    token = request.cookies.get(COOKIE, "")
    if not token:
        return None
    key = await run_in_threadpool(_key_of, store, token)
    return None if key is None else Person(key, token)


def _key_of(store: Store, token: str) -> ApiKeyInfo | None:
    now = datetime.now(UTC)
    key_id = store.sessions.find(token, now)
    key = store.get_key(key_id) if key_id is not None else None
    return key if key is not None and key.is_active(now) else None


async def _has_token(request: Request, person: Person) -> bool:
    given = request.headers.get(_CSRF_HEADER)
    if given is None:
        given = str((await request.form()).get(_CSRF_FIELD, ""))
    return hmac.compare_digest(given.encode("utf-8", "replace"), person.csrf.encode())


def _to_sign_in(request: Request) -> Response:
    # A form that was sent is gone; its page is not.
    back = request.url.path if request.method in ("GET", "HEAD") else "/review"
    if request.method in ("GET", "HEAD") and request.url.query:
        back += f"?{request.url.query}"
    address = f"{SIGN_IN}?next={quote(back, safe='/')}"
    if "HX-Request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": address})
    return Response(status_code=303, headers={"Location": address})


def _error_page(request: Request, status: int, title: str, text: str) -> Response:
    headers = {"Retry-After": "1"} if status == 503 else None
    return render(request, "error.html", status=status, headers=headers, title=title, text=text)


async def _person_of(request: Request) -> Person:
    person: Person = request.state.person
    return person


PersonDep = Annotated[Person, Depends(_person_of)]
