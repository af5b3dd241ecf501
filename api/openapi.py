"""The service's description of itself: how its errors are declared."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.problems import MEDIA_TYPE, Problem

_MEANINGS = {
    400: "The body is not JSON",
    401: "No key, or one that is unknown, revoked or expired",
    403: "The key lacks the scope",
    404: "There is no such thing",
    408: "The body did not arrive in time",
    413: "The body is too large",
    415: "The body is not JSON by its Content-Type, or is compressed",
    422: "The request is not valid",
    503: "Not possible right now; Retry-After says when to try again",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Declare the problems that a route answers."""
    return {
        status: {"model": Problem, "description": _MEANINGS[status]} for status in sorted(statuses)
    }


def describe(app: FastAPI) -> None:
    """Let the application describe its errors as problem documents, which FastAPI cannot say."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                description=app.description,
                routes=app.routes,
            )
            for operations in schema["paths"].values():
                for operation in operations.values():
                    if "security" in operation:
                        # A list of scopes would mean all of them; here any one will do.
                        operation["security"] = [
                            {scheme: [scope]}
                            for needed in operation["security"]
                            for scheme, scopes in needed.items()
                            for scope in scopes
                        ]
                    for status, response in operation["responses"].items():
                        if status >= "400":
                            response["content"] = {
                                MEDIA_TYPE: response["content"].pop("application/json")
                            }
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
