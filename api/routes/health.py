"""For machines that watch: is it alive, is it ready, what has it counted. And where things are."""

from fastapi import APIRouter, Response

from api.metrics import MEDIA_TYPE
from api.openapi import problems
from api.problems import unavailable
from api.schemas import Alive, Index, Ready
from api.security import KeyedRoute, needs
from api.service import ServiceDep
from triage.store import StoreError

router = APIRouter(tags=["health"])

_LINKS = {
    "openapi": "/openapi.json",
    "triage": "/v1/triage",
    "articles": "/v1/articles",
    "model": "/v1/model",
    "alive": "/livez",
    "ready": "/readyz",
}


@router.get("/livez", summary="Ask whether the process answers")
async def live() -> Alive:
    """Answer, and look at nothing: a process that cannot do this should be restarted."""
    return Alive()


@router.get("/readyz", summary="Ask whether tickets can be sent", responses=problems(503))
def ready(service: ServiceDep) -> Ready:
    """Answer 200 when tickets are answered and the database takes what is written to it.

    `model` is false while articles alone answer, because no model was trained yet.
    """
    try:
        service.store.ping()
    except StoreError:
        raise unavailable("Tickets can be answered; the database cannot be reached.") from None
    if service.writer.is_failing:
        raise unavailable("Tickets can be answered; the database cannot be written to.")
    return Ready(model=service.engine.basis == "model")


def index_router(version: str) -> APIRouter:
    """Make the route that says what this service is."""
    index = APIRouter(tags=["health"])

    @index.get("/", summary="Find your way")
    async def read_index() -> Index:
        """Name the service, its version and its addresses."""
        return Index(name="ticket-triage", version=version, links=_LINKS)

    return index


def metrics_router(*, is_open: bool) -> APIRouter:
    """Make the route for Prometheus: open on a loopback address, for scope admin elsewhere."""
    metrics = (
        APIRouter(tags=["health"])
        if is_open
        else APIRouter(
            route_class=KeyedRoute,
            tags=["health"],
            responses=problems(401, 403, 503),
        )
    )

    @metrics.get(
        "/metrics",
        summary="Read the counters",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
        dependencies=[] if is_open else [needs("admin")],
    )
    def read_metrics(service: ServiceDep) -> Response:
        """Give all counters in Prometheus' text format."""
        return Response(service.metrics.render(), media_type=MEDIA_TYPE)

    return metrics
