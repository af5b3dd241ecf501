"""Trouble that many tickets share: bursts that suggestions told of, and what comes back."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from triage.figures.figure import Count, Point, Series
from triage.figures.handled import Incident

if TYPE_CHECKING:
    from triage.recurring import Recurring

INCIDENTS, RECURRING = "incidents", "recurring"


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for in the review queue to find the tickets of some trouble."""

    words: str
    since: str = ""
    """A day, ``2026-03-31``; empty for any."""


def searches(incidents: Iterable[Incident], recurring: "Iterable[Recurring]") -> dict[str, Search]:
    """Give for each point of the two series what finds its tickets; without words, nothing does."""
    found = {one.id: Search(one.terms[0], one.since[:10]) for one in incidents if one.terms}
    found |= {one.tickets[-1]: Search(one.terms[0]) for one in recurring if one.terms}
    return found


def incident_series(found: Iterable[Incident]) -> Series:
    """Count the tickets of each burst, the latest burst first.

    Parameters
    ----------
    found : as suggestions told of them, the same burst once for each
    """
    tickets: dict[str, set[str]] = {}
    known: dict[str, Incident] = {}
    for one in found:
        tickets.setdefault(one.id, set()).update(one.tickets)
        # The suggestion that came last has listed the words anew.
        if one.id not in known or len(one.tickets) >= len(known[one.id].tickets):
            known[one.id] = one
    ordered = sorted(known.values(), key=lambda one: (one.since, one.id), reverse=True)
    return Series(
        INCIDENTS,
        "Possible incidents",
        "incident",
        "count",
        tuple(
            Point(one.id, _named(one), Count(len(tickets[one.id]), len(tickets[one.id])))
            for one in ordered
        ),
        "Bursts that suggestions have told of, and the tickets that they named for each: many more "
        "tickets than usual that said the same.",
    )


def recurring_series(found: "Iterable[Recurring]") -> Series:
    """Tell how many tickets each kind of returning trouble has."""
    return Series(
        RECURRING,
        "What comes back",
        "trouble",
        "count",
        tuple(
            Point(
                one.tickets[-1],
                f"{', '.join(one.terms) or one.tickets[-1]} (in {one.n_weeks} weeks, last on "
                f"{one.last_seen[:10]})",
                Count(one.n_tickets, one.n_tickets),
            )
            for one in found
        ),
        "Resolved tickets that say the same in three and more different weeks, five and more of "
        "them: candidates for a problem record.",
    )


def _named(one: Incident) -> str:
    terms = ", ".join(one.terms) or one.id
    return f"{terms} (since {one.since[:16].replace('T', ' ')} UTC)"
