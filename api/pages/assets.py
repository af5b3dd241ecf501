"""Scripts, styles and the icon of the pages, served from the service itself and nowhere else."""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib import resources
from types import MappingProxyType

from fastapi import APIRouter, HTTPException, Path, Request, Response

from triage import charts

_MEDIA_TYPES = MappingProxyType(
    {
        "htmx.min.js": "text/javascript",
        "review.js": "text/javascript",
        "triage.css": "text/css",
        "insights.css": "text/css",
        "charts.css": "text/css",
        "icon.svg": "image/svg+xml",
    }
)

# The address changes with the content, so what was loaded once never has to be asked for again.
_FOR_EVER = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)


def asset_path(name: str) -> str:
    """Give the address of a file, with its version."""
    return f"/static/{name}?v={_files()[name][1]}"


@router.get("/static/{name}")
async def read_asset(request: Request, name: str = Path(max_length=40)) -> Response:
    """Give a file. It may be kept for ever when it was asked for by its version."""
    if name not in _MEDIA_TYPES:
        raise HTTPException(404)
    content, version = _files()[name]
    is_this_one = request.query_params.get("v") == version
    return Response(
        content,
        media_type=_MEDIA_TYPES[name],
        headers={"Cache-Control": _FOR_EVER if is_this_one else "no-cache"},
    )


@cache
def _files() -> Mapping[str, tuple[bytes, str]]:
    folder = resources.files("api") / "static"
    made = {"charts.css": charts.STYLE.encode()}
    contents = {
        name: made[name] if name in made else (folder / name).read_bytes() for name in _MEDIA_TYPES
    }
    return {name: (content, sha256(content).hexdigest()[:12]) for name, content in contents.items()}
