"""Tickets in, suggestions out, and suggestions found again."""

import asyncio
from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from api.examples import SUGGESTION
from api.openapi import problems
from api.problems import Fault, Problem, ProblemError, faults_of, problem, unavailable
from api.records import dumps, record_of
from api.schemas import BODY_FIELDS, BatchIn, BatchOut, TicketIn
from api.security import KeyedRoute, needs
from api.service import Service, ServiceDep
from api.settings import Settings
from triage.store import StoredSuggestion
from triage.suggestion import Suggestion

router = APIRouter(route_class=KeyedRoute, tags=["triage"])

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Up to 200 visible ASCII characters, unique for each request. Sent again with "
        "the same body, it gets the very same answer.",
    ),
]
SuggestionId = Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


@router.post(
    "/v1/triage",
    summary="Suggest where a ticket belongs and what to do first",
    response_model=Suggestion,
    responses={
        200: {"content": {"application/json": {"example": SUGGESTION}}},
        **problems(400, 401, 403, 408, 413, 415, 422, 503),
    },
    dependencies=[needs("predict")],
)
async def triage(
    ticket: TicketIn,
    request: Request,
    service: ServiceDep,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Answer one ticket: its tier, its category, the first steps, and how sure all that is.

    An empty ticket, or one the model knows nothing about, is answered too: its decision is
    `review`. The answer is stored, with the ticket's text redacted, within 50 ms; with an
    `Idempotency-Key` it is stored before you get it.
    """
    if faults := ticket.over_long(service.settings):
        raise ProblemError("invalid", "The ticket is too long.", errors=faults)
    if idempotency_key is None:
        service.writer.require_room(1)
        (answer,) = await service.inference.suggest([ticket.to_ticket()])
        record = record_of(answer, ticket.version)
        service.writer.put([record])
        service.metrics.count_suggestions([record.decision])
        return _json(record.answer)
    body_hash = sha256(await request.body()).hexdigest()
    api_key_id: str = request.state.api_key.id
    standing = await run_in_threadpool(
        service.store.find_by_idempotency_key, api_key_id, idempotency_key
    )
    if standing is None:
        service.writer.require_room(1)
        (answer,) = await service.inference.suggest([ticket.to_ticket()])
        standing = await _stored(
            service,
            record_of(
                answer,
                ticket.version,
                api_key_id=api_key_id,
                idempotency_key=idempotency_key,
                body_hash=body_hash,
            ),
        )
    if standing.body_hash != body_hash:
        raise ProblemError(
            "idempotency-conflict", "Another request was sent with this key; choose a new one."
        )
    return _json(standing.answer)


@router.post(
    "/v1/triage/batch",
    summary="Suggest for several tickets at once",
    response_model=BatchOut,
    responses={
        200: {"content": {"application/json": {"example": {"results": [SUGGESTION]}}}},
        **problems(400, 401, 403, 408, 413, 415, 422, 503),
    },
    dependencies=[needs("predict")],
)
async def triage_batch(batch: BatchIn, service: ServiceDep) -> Response:
    """Answer tickets in their order. A ticket that is not valid gets `{"error": problem}`.

    All suggestions of a batch are taken for storing, or the whole batch is answered 503.
    """
    if len(batch.tickets) > service.settings.max_batch:
        fault = Fault(pointer="/tickets", problem="too_many")
        raise ProblemError("invalid", "The batch has too many tickets.", errors=[fault])
    parsed = [_parse(item, service.settings) for item in batch.tickets]
    tickets = [ticket for ticket in parsed if isinstance(ticket, TicketIn)]
    service.writer.require_room(len(tickets))
    answers = await service.inference.suggest([ticket.to_ticket() for ticket in tickets])
    records = [
        record_of(answer, ticket.version) for answer, ticket in zip(answers, tickets, strict=True)
    ]
    service.writer.put(records)
    service.metrics.count_suggestions(record.decision for record in records)
    waiting = iter(records)
    results = [
        next(waiting).answer if isinstance(ticket, TicketIn) else dumps({"error": ticket.to_dict()})
        for ticket in parsed
    ]
    return _json(f'{{"results":[{",".join(results)}]}}')


@router.get(
    "/v1/suggestions/{suggestion_id}",
    summary="Read a suggestion again",
    response_model=Suggestion,
    responses={
        200: {"content": {"application/json": {"example": SUGGESTION}}},
        **problems(401, 403, 404, 422, 503),
    },
    dependencies=[needs("review")],
)
def read_suggestion(suggestion_id: SuggestionId, service: ServiceDep) -> Response:
    """Give back a suggestion exactly as it was answered."""
    found = service.writer.find(suggestion_id) or service.store.get_suggestion(suggestion_id)
    if found is None:
        raise ProblemError("not-found", "There is no suggestion with this id.")
    return _json(found.answer)


async def _stored(service: Service, record: StoredSuggestion) -> StoredSuggestion:
    """Store a suggestion and tell what now stands for it: perhaps that of a faster twin."""
    (future,) = service.writer.put([record])
    try:
        standing = await asyncio.wait_for(
            asyncio.wrap_future(future), service.settings.request_timeout_s
        )
    except TimeoutError:
        raise unavailable("The answer could not be stored in time; send it again.") from None
    if standing is record:
        service.metrics.count_suggestions([record.decision])
    return standing


def _parse(item: Any, settings: Settings) -> TicketIn | Problem:
    try:
        ticket = TicketIn.model_validate(item)
    except ValidationError as error:
        found: list[Mapping[str, Any]] = [
            {"type": one["type"], "loc": ("body", *one["loc"])} for one in error.errors()
        ]
        faults = faults_of(found, BODY_FIELDS)
    else:
        faults = ticket.over_long(settings)
        if not faults:
            return ticket
    return problem("invalid", "The ticket is not valid.", faults)


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")
