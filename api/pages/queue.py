"""The review queue: what waits for a person, what is most worth a look first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.judging import known_labels
from api.pages.queue_query import DECISIONS, STATES, QueueQuery
from api.pages.rendering import render
from api.pages.said import what_was_done
from api.pages.session import PersonDep, PersonRoute
from api.pages.walk import QueuePage, Walk
from api.pages.words import decision_words
from api.service import Service, ServiceDep
from triage.language import LANGUAGE_NAMES
from triage.store import Review, Reviews

router = APIRouter(route_class=PersonRoute, include_in_schema=False)

PAGE = 40
_MOST_COUNTED = 1_000

_WHY = {
    "conflict": ("Two people disagree", "bad"),
    "incident": ("Possible incident", "bad"),
    "nothing_suggested": ("Nothing suggested", "warn"),
    "unsure": ("Unsure", "warn"),
    "costly_tier": ("Goes above tier 1", "info"),
}
_TELLING = ("nothing_suggested", "unsure", "costly_tier")

Cursor = Annotated[str, Query(max_length=64)]


@dataclass(frozen=True, slots=True)
class Row:
    """A review as the queue lists it; of a blind one no more than its ticket says."""

    review: Review
    is_blind: bool
    tier_name: str
    category_name: str
    why: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Choice:
    """A value to narrow the queue by, and its name."""

    value: str
    name: str


@router.get("/review")
def show_queue(
    request: Request,
    service: ServiceDep,
    person: PersonDep,
    after: Cursor = "",
    before: Cursor = "",
    done: Cursor = "",
    end: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """List the reviews that a person has asked for."""
    query = QueueQuery.of(request.query_params)
    reviews = service.store.reviews
    walk = Walk(service.store, query, person.key.id, service.settings.review_blind_share)
    page = walk.page(
        reviews.get(after) if after else None, reviews.get(before) if before else None, PAGE
    )
    is_all = not (page.has_more or page.has_before)
    models = dict.fromkeys([service.engine.version, *(one.model_version for one in page.reviews)])
    return render(
        request,
        "queue.html",
        active="review",
        query=query,
        rows=[_row(review, page.blind, service) for review in page.reviews],
        count=_count(page, walk, is_all=is_all, is_search=bool(query.q), reviews=reviews),
        models=list(models),
        page=page,
        choices=_choices(service),
        states=STATES,
        done=what_was_done(service, person, done) if done else None,
        is_end=bool(end),
    )


def _count(page: QueuePage, walk: Walk, *, is_all: bool, is_search: bool, reviews: Reviews) -> str:
    """Tell how many tickets there are, as far as that is quickly known."""
    if is_all:
        count = len(page.reviews)
        return f"{count} ticket" if count == 1 else f"{count} tickets"
    if is_search:
        # To count what words are found in, every text would be gone through once more.
        return f"More than {PAGE} tickets"
    count = reviews.count(walk.wanted, most=_MOST_COUNTED)
    return f"{count:,}{'+' if count >= _MOST_COUNTED else ''} tickets"


def _row(review: Review, blind: frozenset[str], service: Service) -> Row:
    taxonomy = service.engine.helper.taxonomy
    is_blind = review.suggestion_id in blind
    reasons = [one for one in review.reasons if not (is_blind and one in _TELLING)]
    return Row(
        review=review,
        is_blind=is_blind,
        tier_name=taxonomy.tier_name(review.tier) if review.tier else "",
        category_name=taxonomy.category_name(review.category) if review.category else "",
        why=[_WHY[reason] for reason in reasons if reason in _WHY],
    )


def _choices(service: Service) -> dict[str, Sequence[Choice]]:
    """List what the queue can be narrowed by: the desk's labels, not those of every review."""
    engine = service.engine
    taxonomy = engine.helper.taxonomy
    return {
        "tier": [
            Choice(label, f"{label} {taxonomy.tier_name(label)}")
            for label in known_labels(engine, "tier")
        ],
        "category": [
            Choice(label, taxonomy.category_name(label))
            for label in known_labels(engine, "category")
        ],
        "decision": [Choice(one, decision_words(one)) for one in DECISIONS],
        "language": [Choice(code, name.capitalize()) for code, name in LANGUAGE_NAMES.items()],
    }
