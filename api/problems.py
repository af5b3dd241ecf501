"""Errors as RFC 9457 problem documents. They say what is wrong and never repeat what was sent."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal

import structlog
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException as StarletteHTTPException

from api.writer import QueueFull
from triage.store import StoreError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
"""Told with every 503: the queue drains, and the database is tried again, once a second."""

Code = Literal[
    "malformed",
    "unauthenticated",
    "forbidden",
    "not-found",
    "method-not-allowed",
    "timeout",
    "too-large",
    "unsupported-media-type",
    "invalid",
    "idempotency-conflict",
    "internal",
    "unavailable",
]

_PROBLEMS: Mapping[Code, tuple[int, str]] = {
    "malformed": (400, "The request is malformed"),
    "unauthenticated": (401, "A valid API key is needed"),
    "forbidden": (403, "The API key may not do this"),
    "not-found": (404, "There is nothing here"),
    "method-not-allowed": (405, "This method is not offered here"),
    "timeout": (408, "The request took too long to arrive"),
    "too-large": (413, "The body is too large"),
    "unsupported-media-type": (415, "The body is not in a supported format"),
    "invalid": (422, "The request is not valid"),
    "idempotency-conflict": (422, "The idempotency key was used for another request"),
    "internal": (500, "Something went wrong on our side"),
    "unavailable": (503, "The service cannot do this right now"),
}
_CODE_OF_STATUS = {
    status: code for code, (status, _) in _PROBLEMS.items() if code != "idempotency-conflict"
}

_CAUSES = {
    "missing": "missing",
    "extra_forbidden": "unknown_field",
    "string_too_long": "too_long",
    "too_long": "too_many",
    "string_too_short": "too_short",
    "too_short": "too_few",
    "string_type": "not_text",
    "string_unicode": "not_text",
    "string_pattern_mismatch": "bad_characters",
    "dict_type": "not_an_object",
    "model_type": "not_an_object",
    "model_attributes_type": "not_an_object",
    "list_type": "not_a_list",
    "both_absent": "missing",
}


class Fault(BaseModel):
    """One thing that is wrong with a request."""

    model_config = ConfigDict(extra="forbid")

    pointer: str | None = Field(default=None, description="JSON pointer into the body.")
    parameter: str | None = Field(
        default=None, description="Name of a header, query or path parameter."
    )
    problem: str = Field(description="What is wrong with it, as a stable code.")


class Problem(BaseModel):
    """An error, as RFC 9457 has it. `type` is stable; `title` and `detail` are for people."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:ticket-triage:invalid",
                    "title": "The request is not valid",
                    "status": 422,
                    "detail": "See errors for what is wrong and where.",
                    "errors": [{"pointer": "/subject", "problem": "too_long"}],
                }
            ]
        },
    )

    type: str
    title: str
    status: int
    detail: str
    errors: list[Fault] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Turn the problem into plain data, without what it does not say."""
        return self.model_dump(exclude_none=True)


class ProblemError(HTTPException):
    """Raised to answer a request with a problem."""

    def __init__(
        self,
        code: Code,
        detail: str,
        *,
        errors: Sequence[Fault] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.problem = problem(code, detail, errors)
        super().__init__(self.problem.status, detail, dict(headers) if headers else None)


def problem(code: Code, detail: str, errors: Sequence[Fault] | None = None) -> Problem:
    """Write the problem for a code."""
    status, title = _PROBLEMS[code]
    return Problem(
        type=f"urn:ticket-triage:{code}",
        title=title,
        status=status,
        detail=detail,
        errors=list(errors) if errors is not None else None,
    )


def unavailable(detail: str) -> ProblemError:
    """Make the error for something that will work again soon."""
    return ProblemError("unavailable", detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def respond(content: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Answer with a problem."""
    return JSONResponse(
        content.to_dict(), content.status, dict(headers) if headers else None, MEDIA_TYPE
    )


def faults_of(errors: Sequence[Mapping[str, Any]], names: frozenset[str]) -> list[Fault]:
    """Turn validation errors into faults, naming only what ``names`` has: never what was sent.

    A pointer ends where the caller's own names begin, such as at an unknown field.
    """
    causes = dict.fromkeys(_place_and_cause(error, names) for error in errors)
    return [
        Fault(pointer=pointer, parameter=parameter, problem=cause)
        for pointer, parameter, cause in causes
    ]


def _place_and_cause(
    error: Mapping[str, Any], names: frozenset[str]
) -> tuple[str | None, str | None, str]:
    source, *path = error["loc"]
    cause = _CAUSES.get(error["type"], "invalid")
    if source != "body":
        # Parameters are looked up by our names: a caller's own are never reported.
        return None, str(path[0]), cause
    pointer = ""
    for part in path:
        if not isinstance(part, int) and part not in names:
            break
        pointer += f"/{part}"
    return pointer, None, cause


def install(app: FastAPI, names: frozenset[str]) -> None:
    """Make an application answer every error with a problem document.

    ``names`` are the fields of bodies, all that an answer may name.
    """

    async def on_invalid(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        errors = error.errors()
        if any(one["type"] == "json_invalid" for one in errors):
            return respond(problem("malformed", "The body is not JSON as RFC 8259 has it."))
        return respond(
            problem("invalid", "See errors for what is wrong and where.", faults_of(errors, names))
        )

    async def on_http_error(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, StarletteHTTPException)
        if isinstance(error, ProblemError):
            return respond(error.problem, error.headers)
        code = _CODE_OF_STATUS.get(error.status_code)
        if code is None:
            phrase = HTTPStatus(error.status_code).phrase
            content = Problem(
                type="about:blank", title=phrase, status=error.status_code, detail=phrase
            )
        else:
            content = problem(code, _PROBLEMS[code][1] + ".")
        return respond(content, error.headers)

    async def on_store_error(_request: Request, error: Exception) -> JSONResponse:
        structlog.get_logger().error("store", problem=str(error))
        refusal = unavailable("The database cannot be reached; try again in a moment.")
        return respond(refusal.problem, refusal.headers)

    async def on_queue_full(_request: Request, _error: Exception) -> JSONResponse:
        refusal = unavailable("Too many suggestions wait to be stored; try again in a moment.")
        return respond(refusal.problem, refusal.headers)

    app.add_exception_handler(QueueFull, on_queue_full)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(StarletteHTTPException, on_http_error)
    app.add_exception_handler(StoreError, on_store_error)
