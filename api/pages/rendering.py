"""Templates into pages: all escaped, nothing inline, and headers that hold a page to that."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from api.pages.assets import asset_path
from api.pages.words import age, decision_words, moment, percent

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

# Signs that turn the reading direction: in a strange text they could make a page say what it does
# not say. Each element that shows one finds its own direction (dir="auto").
_DIRECTION_SIGNS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])


def render(
    request: Request,
    template: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **context: Any,
) -> HTMLResponse:
    """Make a page out of a template and what it shows.

    Templates extend ``base.html``, which shows who is signed in (``person``, None for nobody).
    """
    person = getattr(request.state, "person", None)
    content = _environment().get_template(template).render(person=person, **context)
    return HTMLResponse(
        content, status, {"Content-Security-Policy": CONTENT_SECURITY_POLICY, **(headers or {})}
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("api", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=_plain,
    )
    environment.globals["asset"] = asset_path
    environment.globals["now"] = lambda: datetime.now(UTC)
    environment.filters.update(
        age=age, moment=moment, percent=percent, decision_words=decision_words
    )
    return environment


def _plain(value: Any) -> Any:
    return value.translate(_DIRECTION_SIGNS) if type(value) is str else value
