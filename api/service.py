"""The parts of a running service, as its routes see them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from api.inference import Inference
from api.metrics import Metrics
from api.past import DeskPast
from api.security import KeyRing
from api.settings import Settings
from api.writer import SuggestionWriter
from triage.store import Store

if TYPE_CHECKING:
    from triage.engine import Engine


@dataclass(frozen=True, slots=True)
class Service:
    """Everything a route may need; made by the application's lifespan."""

    settings: Settings
    past: DeskPast
    inference: Inference
    store: Store
    writer: SuggestionWriter
    keys: KeyRing
    metrics: Metrics

    @property
    def engine(self) -> "Engine":
        """What answers now."""
        return self.inference.engine


async def service_of(request: Request) -> Service:
    """Find the service that a request came to."""
    service: Service = request.app.state.service
    return service


ServiceDep = Annotated[Service, Depends(service_of)]
