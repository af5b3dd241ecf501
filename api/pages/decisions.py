"""What people decide about a ticket: accept, correct, reject, judge an article, take it back."""

import json
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response

from api.judging import Judgement, feedback_on
from api.pages.queue_query import QueueQuery
from api.pages.rendering import render
from api.pages.said import labels_in_words, ticket_name
from api.pages.session import PageError, Person, PersonDep, PersonRoute
from api.pages.ticket import SuggestionId, find_ticket, is_blind_for, see, to_next
from api.pages.ticket_view import TARGETS, step_texts
from api.service import Service, ServiceDep
from triage.store import AlreadyDecided, ReviewFilter, StoredSuggestion, Verdict

router = APIRouter(route_class=PersonRoute, include_in_schema=False)

Label = Annotated[str, Form(max_length=200)]


@router.post("/review/{suggestion_id}/decision")
def decide(
    suggestion_id: SuggestionId,
    request: Request,
    service: ServiceDep,
    person: PersonDep,
    verdict: Annotated[Literal["accepted", "corrected", "rejected"], Form()],
    revision: Annotated[int, Form(ge=0, le=2**31 - 1)],
    tier: Label = "",
    category: Label = "",
    step: Annotated[list[int] | None, Form(max_length=100)] = None,
) -> Response:
    """Store what a person decided, if nobody was faster, and go on to the next ticket."""
    stored, review = find_ticket(suggestion_id, service)
    query = QueueQuery.of(request.query_params)
    # Once somebody has decided it, it is blind to nobody; the revision then refuses it anyway.
    is_blind = is_blind_for(review, service)
    labels = {"tier": tier or None, "category": category or None}
    if is_blind and verdict != "rejected":
        _require_choice(labels, stored)
    if verdict == "corrected" and not any(labels.values()):
        raise PageError(422, "Choose a tier or a category", "Nothing was corrected, nor stored.")
    if is_blind or verdict == "corrected":
        verdict = _compared(verdict, labels, stored)
    if verdict != "corrected":
        labels = dict.fromkeys(labels)
    texts = step_texts(stored)
    said = Judgement(
        verdict,
        labels["tier"],
        labels["category"],
        steps_done=tuple(texts[number] for number in step or () if 0 <= number < len(texts)),
    )
    feedback = feedback_on(
        stored,
        said,
        service.engine,
        api_key_id=person.key.id,
        at=datetime.now(UTC),
        is_blind=is_blind,
    )
    try:
        service.store.reviews.decide(feedback, revision=revision)
    except AlreadyDecided as error:
        return _conflict_page(request, error, stored, query, service, person)
    return to_next(suggestion_id, query, service, person, done=suggestion_id)


@router.post("/review/{suggestion_id}/article")
def judge_article(
    suggestion_id: SuggestionId,
    request: Request,
    service: ServiceDep,
    person: PersonDep,
    article_id: Annotated[str, Form(min_length=1, max_length=64)],
    helpful: Annotated[bool, Form()],
) -> Response:
    """Store whether an article helped; said twice, it is stored once."""
    stored, review = find_ticket(suggestion_id, service)
    offered = {one["id"] for one in json.loads(stored.answer).get("articles", ())}
    if article_id not in offered or is_blind_for(review, service):
        raise PageError(422, "That does not fit", "This article was not offered for the ticket.")
    before = [
        one.helpful
        for one in service.store.feedback.about(suggestion_id)
        if one.article_id == article_id and one.api_key_id == person.key.id
    ]
    if before[-1:] != [helpful]:
        feedback = feedback_on(
            stored,
            Judgement(None, article_id=article_id, helpful=helpful),
            service.engine,
            api_key_id=person.key.id,
            at=datetime.now(UTC),
        )
        service.store.reviews.take(feedback)
    query = QueueQuery.of(request.query_params)
    return see(query.address(f"/review/{suggestion_id}") + "#articles")


@router.post("/review/undo")
def undo(
    request: Request,
    service: ServiceDep,
    person: PersonDep,
    number: Annotated[int | None, Form(ge=1, le=2**53)] = None,
) -> Response:
    """Take back a decision of one's own: the one named, or else the last one."""
    query = QueueQuery.of(request.query_params)
    number = number or _last_number(service, person)
    if number is None:
        raise PageError(409, "There is nothing to undo", "You have decided no ticket yet.")
    try:
        review = service.store.reviews.undo(number, api_key_id=person.key.id, at=datetime.now(UTC))
    except AlreadyDecided:
        raise PageError(
            409,
            "This cannot be undone any more",
            "It was undone already, somebody has said more about the ticket since, or the ticket "
            "was erased.",
        ) from None
    return see(query.address(f"/review/{review.suggestion_id}", undone="1"))


def _last_number(service: Service, person: Person) -> int | None:
    wanted = ReviewFilter(state="decided", decided_by=person.key.id)
    for review in service.store.reviews.queue(wanted, limit=1):
        for feedback in reversed(service.store.feedback.about(review.suggestion_id)):
            if feedback.api_key_id == person.key.id and feedback.verdict is not None:
                return feedback.number
    return None


def _shown(stored: StoredSuggestion) -> dict[str, str | None]:
    answer = json.loads(stored.answer)
    return {
        target: answer[target]["label"] if answer.get(target) is not None else None
        for target in TARGETS
    }


def _require_choice(labels: dict[str, str | None], stored: StoredSuggestion) -> None:
    """Refuse a blind decision that leaves a target open: nobody can have agreed to it.

    Raises
    ------
    PageError : a label is missing
    """
    answer = json.loads(stored.answer)
    for target, label in labels.items():
        if label is None and answer.get(target) is not None:
            raise PageError(
                422, f"Choose the {target} too", "This ticket is decided without its suggestion."
            )


def _compared(verdict: Verdict, labels: dict[str, str | None], stored: StoredSuggestion) -> Verdict:
    """Tell agreement from correction by the labels chosen, not by the button pressed."""
    if verdict == "rejected":
        return verdict
    shown = _shown(stored)
    is_same = all(label is None or label == shown[target] for target, label in labels.items())
    return "accepted" if is_same and any(labels.values()) else "corrected"


def _conflict_page(
    request: Request,
    error: AlreadyDecided,
    stored: StoredSuggestion,
    query: QueueQuery,
    service: Service,
    person: Person,
) -> Response:
    review = error.review
    verdicts = [one for one in service.store.feedback.about(stored.id) if one.verdict is not None]
    last = verdicts[-1] if verdicts else None
    return render(
        request,
        "conflict.html",
        status=409,
        active="review",
        query=query,
        suggestion_id=stored.id,
        name=ticket_name(stored.ticket_id, stored.id),
        review=review,
        is_mine=review is not None and review.decided_by == person.key.id,
        verdict=last.verdict if last else "",
        labels=labels_in_words(last.tier, last.category, service) if last else "",
    )
