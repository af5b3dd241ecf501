"""One ticket: what was suggested and why, and one step to the next."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.judging import known_labels
from api.pages.queue_query import QueueQuery
from api.pages.rendering import render
from api.pages.said import labels_in_words, what_was_done
from api.pages.session import PageError, Person, PersonDep, PersonRoute
from api.pages.ticket_view import TARGETS, LabelView, TicketView, blind_view, ticket_view
from api.pages.walk import Walk
from api.service import Service, ServiceDep
from triage.store import Feedback, Review, StoredSuggestion

router = APIRouter(route_class=PersonRoute, include_in_schema=False)

SuggestionId = Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Cursor = Annotated[str, Query(max_length=64)]


_UNDONE = {
    "open": "Undone: this ticket is open again.",
    "decided": "Undone. What was decided before you holds again.",
    "overtaken": "Undone. The ticket has ended or was answered again: nobody has to decide.",
}


@router.get("/review/{suggestion_id}")
def show_ticket(
    suggestion_id: SuggestionId,
    request: Request,
    service: ServiceDep,
    person: PersonDep,
    done: Cursor = "",
    undone: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """Show a ticket; of a blind one, its text alone."""
    stored, review = find_ticket(suggestion_id, service)
    query = QueueQuery.of(request.query_params)
    is_blind = is_blind_for(review, service)
    words = service.store.feedback.about(suggestion_id)
    verdicts = [one for one in words if one.verdict is not None]
    view = (
        blind_view(stored, review)
        if is_blind
        else ticket_view(stored, review, _judged(words, person), service)
    )
    return render(
        request,
        "ticket.html",
        active="review",
        query=query,
        view=view,
        review=review,
        is_blind=is_blind,
        options={target: _options(target, view, service) for target in TARGETS},
        verdicts=[
            (one, _who(one, service, person), labels_in_words(one.tier, one.category, service))
            for one in verdicts
        ],
        can_undo=_can_undo(review, verdicts, person),
        done=what_was_done(service, person, done) if done else None,
        undone=_UNDONE[review.state] if undone else "",
    )


@router.get("/review/{suggestion_id}/next")
def go_on(
    suggestion_id: SuggestionId, request: Request, service: ServiceDep, person: PersonDep
) -> Response:
    """Go on to the ticket after this one; nothing is stored."""
    return to_next(suggestion_id, QueueQuery.of(request.query_params), service, person)


@router.get("/review/{suggestion_id}/previous")
def go_back(
    suggestion_id: SuggestionId, request: Request, service: ServiceDep, person: PersonDep
) -> Response:
    """Go back to the ticket before this one."""
    query = QueueQuery.of(request.query_params)
    here = service.store.reviews.get(suggestion_id)
    found = walk_of(query, service, person).previous(here) if here else None
    path = f"/review/{found.suggestion_id}" if found else "/review"
    return see(query.address(path))


def to_next(
    suggestion_id: str, query: QueueQuery, service: Service, person: Person, *, done: str = ""
) -> Response:
    """Send a person to the ticket after one, or back to the queue at its end."""
    walk = walk_of(query, service, person)
    here = service.store.reviews.get(suggestion_id)
    found = walk.next(here)
    if found is not None and found.suggestion_id != suggestion_id:
        return see(query.address(f"/review/{found.suggestion_id}", done=done))
    return see(query.address("/review", done=done, end="1"))


def walk_of(query: QueueQuery, service: Service, person: Person) -> Walk:
    """Make the way through a person's queue."""
    return Walk(service.store, query, person.key.id, service.settings.review_blind_share)


def find_ticket(suggestion_id: str, service: Service) -> tuple[StoredSuggestion, Review]:
    """Find a suggestion and where it stands.

    Raises
    ------
    PageError : there is none, or its ticket was erased
    """
    stored = service.store.get_suggestion(suggestion_id)
    review = service.store.reviews.get(suggestion_id)
    if stored is None or review is None:
        raise PageError(404, "This ticket is not here", "It was erased, or the address is wrong.")
    return stored, review


def is_blind_for(review: Review, service: Service) -> bool:
    """Tell whether a ticket is to be decided without its suggestion."""
    query, share = QueueQuery(), service.settings.review_blind_share
    return bool(Walk(service.store, query, "", share).blind_among([review]))


def see(address: str) -> Response:
    """Send a browser to another page."""
    return Response(status_code=303, headers={"Location": address})


def _options(target: str, view: TicketView, service: Service) -> list[LabelView]:
    """List the labels to choose from, in the desk's order, with what is known of their shares."""
    taxonomy = service.engine.helper.taxonomy
    name = taxonomy.tier_name if target == "tier" else taxonomy.category_name
    shares = {
        other.label: other.share
        for one in view.targets
        if one.target == target
        for other in one.alternatives
    }
    return [
        LabelView(label, name(label), shares.get(label))
        for label in known_labels(service.engine, target)
    ]


def _judged(words: list[Feedback], person: Person) -> dict[str, bool]:
    return {
        one.article_id: one.helpful
        for one in words
        if one.article_id is not None
        and one.helpful is not None
        and one.api_key_id == person.key.id
    }


def _who(feedback: Feedback, service: Service, person: Person) -> str:
    if feedback.api_key_id == person.key.id:
        return "You"
    key = service.store.get_key(feedback.api_key_id)
    return key.name if key else "Somebody"


def _can_undo(review: Review, verdicts: list[Feedback], person: Person) -> int | None:
    """Give the number of the feedback that the person may take back."""
    if review.state != "decided" or not verdicts or verdicts[-1].api_key_id != person.key.id:
        return None
    return verdicts[-1].number
