"""Tickets that are to be forgotten."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Path

from api.erasing import ErasedTicket, erase_ticket
from api.openapi import problems
from api.security import KeyedRoute, needs
from api.service import ServiceDep

router = APIRouter(route_class=KeyedRoute, tags=["tickets"])

TicketId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="The help desk's id of the ticket, percent-encoded.",
        examples=["INC-20418"],
    ),
]


# An id may hold slashes.
@router.delete(
    "/v1/tickets/{ticket_id:path}",
    summary="Erase a ticket",
    responses=problems(401, 403, 422, 503),
    dependencies=[needs("admin")],
)
def erase(ticket_id: TicketId, service: ServiceDep) -> ErasedTicket:
    """Erase all that is kept of a ticket, and leave it out of later imports and models.

    A ticket that nothing is known of is noted too, and a second call changes nothing: both are
    answered 200. The counts tell what is gone.
    """
    erased = erase_ticket(service.store, service.settings.models, ticket_id)
    if not (erased.log_cleared and erased.caches_cleared):
        structlog.get_logger().warning(
            "erasure not finished",
            log_cleared=erased.log_cleared,
            caches_cleared=erased.caches_cleared,
            next="erase the ticket again",
        )
    return erased
