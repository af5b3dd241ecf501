"""What people say about suggestions, and how tickets ended: on disk before the answer, once."""

import time
from datetime import UTC, datetime
from hashlib import sha256

from fastapi import APIRouter, Request
from pydantic import BaseModel

from api.judging import Judgement, feedback_on, known_labels
from api.openapi import problems
from api.problems import Fault, ProblemError, unavailable
from api.routes.triage import IdempotencyKey
from api.schemas import FeedbackIn, FeedbackOut, OutcomeIn, OutcomeOut
from api.security import KeyedRoute, needs
from api.service import Service, ServiceDep
from triage.store import Outcome, PastTicket, StoredSuggestion

router = APIRouter(route_class=KeyedRoute, tags=["feedback"])

_LOOKS = 3
_LOOK_AGAIN_S = 0.06


@router.post(
    "/v1/feedback",
    status_code=201,
    summary="Say what a person made of a suggestion",
    responses=problems(400, 401, 403, 404, 408, 413, 415, 422, 503),
    dependencies=[needs("feedback"), needs("review")],
)
def give_feedback(
    feedback: FeedbackIn,
    request: Request,
    service: ServiceDep,
    idempotency_key: IdempotencyKey = None,
) -> FeedbackOut:
    """Keep a verdict, a correction, or whether an article helped.

    With an `Idempotency-Key` the same body is kept once, however often it is sent. What contradicts
    another person's verdict opens the review of the ticket again.
    """
    suggestion = _stored(feedback.suggestion_id, service)
    said = Judgement(
        feedback.verdict,
        feedback.tier,
        feedback.category,
        feedback.article_id,
        feedback.helpful,
        comment=feedback.comment,
    )
    body_hash = _hash(feedback)
    standing = service.store.reviews.take(
        feedback_on(
            suggestion,
            said,
            service.engine,
            api_key_id=request.state.api_key.id,
            at=datetime.now(UTC),
            idempotency_key=idempotency_key,
            body_hash=body_hash,
        )
    )
    _require_same(standing.body_hash, body_hash, idempotency_key)
    return FeedbackOut(
        feedback_id=standing.number or 0,
        suggestion_id=standing.suggestion_id,
        ticket_id=standing.ticket_id,
        verdict=standing.verdict,
        tier=standing.tier,
        category=standing.category,
    )


@router.post(
    "/v1/outcomes",
    status_code=201,
    summary="Say how a ticket ended",
    responses=problems(400, 401, 403, 408, 413, 415, 422, 503),
    dependencies=[needs("feedback")],
)
def tell_outcome(
    outcome: OutcomeIn,
    request: Request,
    service: ServiceDep,
    idempotency_key: IdempotencyKey = None,
) -> OutcomeOut:
    """Keep how a ticket ended: what the next model learns from, and what the figures count.

    Of several outcomes of a ticket the last one stands. A ticket that was triaged here is told to
    later ones that say much the same, with its resolution redacted.
    """
    _check(outcome, service)
    body_hash = _hash(outcome)
    told = _outcome(outcome, request.state.api_key.id, idempotency_key, body_hash)
    triaged = service.store.newest_suggestion_for(outcome.ticket_id)
    past = _past_ticket(triaged, told) if triaged else None
    standing = service.store.outcomes.add(told, past)
    _require_same(standing.body_hash, body_hash, idempotency_key)
    return OutcomeOut(outcome_id=standing.number or 0, ticket_id=standing.ticket_id)


def _stored(suggestion_id: str, service: Service) -> StoredSuggestion:
    """Find a suggestion in the store, where it gets within moments of its answer.

    Raises
    ------
    ProblemError : not-found, or unavailable while it waits to be stored
    """
    for _ in range(_LOOKS):
        found = service.store.get_suggestion(suggestion_id)
        if found is not None:
            return found
        # Perhaps another worker answered it a moment ago, and writes it now.
        time.sleep(_LOOK_AGAIN_S)
    if service.writer.find(suggestion_id) is not None:
        raise unavailable("The suggestion is not stored yet; try again in a moment.")
    raise ProblemError("not-found", "There is no suggestion with this id.")


def _check(outcome: OutcomeIn, service: Service) -> None:
    """Refuse tiers and details that the desk does not have; new categories come up by themselves.

    Raises
    ------
    ProblemError : invalid, with the names of the parts
    """
    tiers = set(known_labels(service.engine, "tier"))
    unknown = {
        "/tier": {outcome.tier} - tiers,
        "/tier_path": set(outcome.tier_path) - tiers,
        "/asked_details": set(outcome.asked_details)
        - service.engine.helper.taxonomy.details.keys(),
    }
    faults = [Fault(pointer=part, problem="unknown") for part, names in unknown.items() if names]
    if faults:
        raise ProblemError("invalid", "This desk has no such tier or detail.", errors=faults)


def _outcome(
    outcome: OutcomeIn, api_key_id: str, idempotency_key: str | None, body_hash: str
) -> Outcome:
    # Loaded when first needed: they bring the core along, which a start must not wait for.
    from triage.redact import redact
    from triage.text import normalise

    return Outcome(
        received_at=datetime.now(UTC),
        ticket_id=outcome.ticket_id,
        api_key_id=api_key_id,
        tier=outcome.tier,
        category=outcome.category,
        tier_path=tuple(outcome.tier_path),
        reassignments=outcome.reassignments,
        reopened=None if outcome.reopened is None else int(outcome.reopened),
        first_contact=outcome.first_contact,
        csat=outcome.csat,
        article_ids=tuple(dict.fromkeys(outcome.article_ids)),
        asked_details=tuple(dict.fromkeys(outcome.asked_details)),
        resolution=redact(normalise(outcome.resolution)),
        resolved_at=outcome.resolved_at,
        idempotency_key=idempotency_key,
        body_hash=body_hash,
    )


def _past_ticket(triaged: StoredSuggestion, outcome: Outcome) -> PastTicket:
    from triage.signature import sign_ticket
    from triage.ticket import Ticket

    return PastTicket(
        ticket_id=outcome.ticket_id,
        created_at=triaged.created_at,
        subject=triaged.subject,
        description=triaged.description,
        resolution=outcome.resolution,
        tier=outcome.tier,
        category=outcome.category,
        signature=sign_ticket(Ticket(triaged.subject, triaged.description)),
    )


def _hash(body: BaseModel) -> str:
    return sha256(body.model_dump_json().encode()).hexdigest()


def _require_same(stands: str | None, sent: str, idempotency_key: str | None) -> None:
    if idempotency_key is not None and stands != sent:
        raise ProblemError(
            "idempotency-conflict", "Another request was sent with this key; choose a new one."
        )
