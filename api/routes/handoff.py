"""A ticket that a person hands up: the note for the next tier, or what to ask first."""

from dataclasses import replace

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from api.examples import HANDOFF
from api.openapi import problems
from api.past import Glance
from api.problems import Fault, ProblemError
from api.schemas import HandoffIn
from api.security import KeyedRoute, needs
from api.service import Service, ServiceDep
from triage.suggestion import Answer, Handoff

router = APIRouter(route_class=KeyedRoute, tags=["triage"])


@router.post(
    "/v1/handoff",
    summary="Write the note that a ticket goes up with",
    responses={
        200: {"content": {"application/json": {"example": HANDOFF}}},
        **problems(400, 401, 403, 408, 413, 415, 422, 503),
    },
    dependencies=[needs("predict")],
)
async def hand_off(handoff: HandoffIn, service: ServiceDep) -> Handoff:
    """Write the note for the next tier, out of the ticket and of what was recorded about it.

    A note that lacks too much is an answer as well: `is_ready` is false, and `questions` say what
    to ask first. Nothing is stored, and the ticket counts in no incident.
    """
    if faults := handoff.over_long(service.settings):
        raise ProblemError("invalid", "The ticket is too long.", errors=faults)
    (answer,) = await service.inference.suggest([handoff.to_ticket()], past=Glance(service.past))
    return await run_in_threadpool(_written, answer, handoff, service)


def _written(answer: Answer, handoff: HandoffIn, service: Service) -> Handoff:
    # Loaded when first needed: it brings the core along, which a start must not wait for.
    from triage.escalation import UnknownLabel, escalate

    engine = service.engine
    helper = replace(engine.helper, min_completeness=service.settings.handoff_min_completeness)
    try:
        return escalate(
            answer,
            helper,
            engine.thresholds,
            tier=handoff.tier,
            category=handoff.category,
            steps_tried=handoff.steps_tried,
            articles_tried=handoff.articles_tried,
            details=handoff.details,
        )
    except UnknownLabel as error:
        fault = Fault(pointer=f"/{error.part}", problem="unknown")
        raise ProblemError(
            "invalid", "This desk has no such tier, category or detail.", errors=[fault]
        ) from error
