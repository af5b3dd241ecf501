"""Trouble that comes back: kinds of tickets that say the same in week after week."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from triage.recurrence import cluster
from triage.shared_terms import shared_terms
from triage.similar import TicketIndex
from triage.ticket import Ticket

MIN_TICKETS = 5
MIN_WEEKS = 3
"""Tickets, and different weeks with one, from which on something comes back."""

MAX_LISTED = 100
"""Tickets that are named of each kind at most, the newest."""

_MIN_TERM_TICKETS = 3


class Resolved(Protocol):
    """A ticket of the past, as the store keeps it."""

    @property
    def ticket_id(self) -> str: ...
    @property
    def created_at(self) -> datetime | None: ...
    @property
    def subject(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def tier(self) -> str | None: ...
    @property
    def category(self) -> str | None: ...
    @property
    def signature(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Recurring:
    """Tickets that say the same, week after week.

    ``tiers`` counts the tickets by tier. ``cost`` adds them up, each by its tier's place in the
    taxonomy: one that the third tier solved costs as much as three of the first.
    """

    n_tickets: int
    n_weeks: int
    first_seen: str
    last_seen: str
    category: str | None
    tiers: dict[str, int]
    cost: int
    terms: list[str]
    tickets: list[str]


def find_recurring(
    tickets: Sequence[Resolved],
    tiers: Sequence[str],
    *,
    index: TicketIndex | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> list[Recurring]:
    """Find the kinds of trouble that come back, the costliest first.

    Parameters
    ----------
    tickets : in the order they came in
    tiers : of the desk, from the lowest up
    index : holds their signatures by place; made here unless given
    on_progress : called now and then with the number of tickets looked at
    """
    if index is None:
        index = TicketIndex()
        index.add(range(len(tickets)), [ticket.signature for ticket in tickets])
    weight_of = {tier: place for place, tier in enumerate(tiers, 1)}
    clusters = cluster([ticket.signature for ticket in tickets], on_progress=on_progress)
    if on_progress:
        on_progress(len(tickets))
    found = []
    for places in clusters:
        of_cluster = [tickets[place] for place in places.tolist()]
        moments = [one.created_at for one in of_cluster if one.created_at is not None]
        weeks = {moment.isocalendar()[:2] for moment in moments}
        if len(of_cluster) >= MIN_TICKETS and len(weeks) >= MIN_WEEKS:
            found.append(_described(of_cluster, moments, len(weeks), index, weight_of))
    return sorted(found, key=lambda one: (-one.cost, -one.n_tickets, one.tickets))


def _described(
    tickets: Sequence[Resolved],
    moments: Sequence[datetime],
    n_weeks: int,
    index: TicketIndex,
    weight_of: Mapping[str, int],
) -> Recurring:
    tiers = Counter(ticket.tier or "unknown" for ticket in tickets)
    categories = Counter(ticket.category for ticket in tickets if ticket.category)
    texts = (Ticket(ticket.subject, ticket.description) for ticket in tickets)
    return Recurring(
        n_tickets=len(tickets),
        n_weeks=n_weeks,
        first_seen=min(moments).isoformat(),
        last_seen=max(moments).isoformat(),
        category=categories.most_common(1)[0][0] if categories else None,
        tiers=dict(sorted(tiers.items())),
        cost=sum(weight_of.get(tier, 1) * count for tier, count in tiers.items()),
        terms=shared_terms(texts, index, least=_MIN_TERM_TICKETS),
        tickets=[ticket.ticket_id for ticket in tickets][-MAX_LISTED:],
    )
