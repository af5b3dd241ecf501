"""The figures of a desk, counted in one pass over the tickets that have ended."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, TypeVar

from triage.figures.ended import EndedTicket, TierOrder
from triage.figures.figure import Count, Figure, Point, Series
from triage.figures.measure import Measure
from triage.figures.measures import CSAT, FAMILIES, MISSING, REACHED, desk_measures
from triage.figures.tally import Tally, day_of

NO_CATEGORY = "without a category"

Named = TypeVar("Named", Figure, Series)


@dataclass(frozen=True, slots=True)
class DeskFigures:
    """What became of a desk's tickets.

    ``figures`` are single numbers. ``series`` hold each of them by period and by category, some by
    tier, and what the tickets that reached the specialists were about
    (``specialist_categories``, ``specialist_details``). Tickets ``without_date`` are in no period.
    ``unknown_tiers`` counts the tickets with a tier that the desk does not have; to the figures
    that tier is not known.
    """

    figures: tuple[Figure, ...]
    series: tuple[Series, ...]
    n_tickets: int
    first_day: date | None
    last_day: date | None
    without_date: int
    without_category: int
    unknown_tiers: Mapping[str, int] = field(default_factory=dict)

    def figure(self, name: str) -> Figure:
        """Look up a figure.

        Raises
        ------
        KeyError : there is none of that name
        """
        return _named(self.figures, name)

    def over_time(self, name: str) -> Series:
        """Look up a figure by week or month.

        Raises
        ------
        KeyError : there is none of that name
        """
        return _named([one for one in self.series if one.is_over_time], name)

    def grouped(self, name: str, by: str) -> Series:
        """Look up a series by "category", "tier" or "detail".

        Raises
        ------
        KeyError : there is none of that name
        """
        return _named([one for one in self.series if one.by == by], name)

    @property
    def not_known(self) -> list[Figure]:
        """List the figures that every ticket leaves open; satisfaction is listed once."""
        return [
            one
            for one in self.figures
            if one.count.not_known
            and not one.count.denominator
            and not one.name.startswith(f"{CSAT}_")
        ]

    def to_dict(self) -> dict[str, Any]:
        """Turn it into plain data, ready for JSON."""
        return {
            "tickets": {
                "counted": self.n_tickets,
                "first_day": self.first_day.isoformat() if self.first_day else None,
                "last_day": self.last_day.isoformat() if self.last_day else None,
                "without_date": self.without_date,
                "without_category": self.without_category,
                "unknown_tiers": dict(self.unknown_tiers),
            },
            "figures": [one.to_dict() for one in self.figures],
            "series": [one.to_dict() for one in self.series],
        }


class DeskCounter:
    """Counts tickets that have ended, each shown once (``add``), and tells their figures.

    It keeps sums for each day, category and missing detail, no tickets: memory grows with these
    alone.

    Parameters
    ----------
    categories : their names for people, by label
    """

    def __init__(self, order: TierOrder, categories: Mapping[str, str] | None = None) -> None:
        self._order = order
        self._categories = {"": NO_CATEGORY, **(categories or {})}
        self._tally = Tally(desk_measures(order), _facts)
        self._details: Counter[str] = Counter()
        self._held: set[str | None] = set()
        self._unknown_tiers: Counter[str] = Counter()

    def add(self, ticket: EndedTicket) -> None:
        """Count a ticket; which of two with the same id is right, only the caller can know."""
        ticket = self._with_known_tiers(ticket)
        self._held.update(ticket.tier_path, (ticket.tier,))
        self._tally.add(ticket, day_of(ticket.resolved_at), category=ticket.category)
        top = self._order.specialists
        if ticket.missing_details and (ticket.tier == top or top in ticket.tier_path):
            self._details.update(set(ticket.missing_details))

    def figures(self) -> DeskFigures:
        """Tell the figures of the tickets so far."""
        tally = self._tally
        shown = [
            measure
            for measure in tally.measures
            if measure.tier is None
            or measure.tier in self._order.daily
            or measure.tier in self._held
        ]
        return DeskFigures(
            figures=tuple(tally.figures(shown)),
            series=(
                *tally.over_time(shown),
                *tally.grouped("category", shown, self._categories),
                *self._by_tier(shown),
                *self._about_specialists(),
            ),
            n_tickets=tally.n,
            first_day=min(tally.days, default=None),
            last_day=max(tally.days, default=None),
            without_date=tally.n_without_day,
            without_category=tally.sizes("category").get("", 0),
            unknown_tiers=dict(self._unknown_tiers.most_common()),
        )

    def _with_known_tiers(self, ticket: EndedTicket) -> EndedTicket:
        known = self._order.tiers
        strange = {
            tier
            for tier in (*ticket.tier_path, ticket.tier)
            if tier is not None and tier not in known
        }
        if not strange:
            return ticket
        self._unknown_tiers.update(strange)
        return replace(
            ticket,
            tier=ticket.tier if ticket.tier in known else None,
            tier_path=tuple(tier if tier in known else None for tier in ticket.tier_path),
        )

    def _by_tier(self, shown: Sequence[Measure[EndedTicket]]) -> list[Series]:
        found = []
        for family, (title, how) in FAMILIES.items():
            members = [measure for measure in shown if measure.family == family]
            points = [
                Point(tier, self._tier_name(tier), self._tally.count(measure.name))
                for measure in members
                if (tier := measure.tier)
            ]
            if points:
                found.append(Series(family, title, "tier", members[0].unit, tuple(points), how))
        return found

    def _about_specialists(self) -> list[Series]:
        top, tally = self._order.specialists, self._tally
        n_reached = int(tally.count(REACHED).numerator)
        n_asked = tally.count(MISSING).denominator
        categories = {
            label: int(tally.count(REACHED, by="category", label=label).numerator)
            for label in tally.sizes("category")
        }
        return [
            Series(
                "specialist_categories",
                f"What reaches tier {top}",
                "category",
                "share",
                _ranked(categories, n_reached, self._categories),
                f"Tickets of each category that tier {top} held at some time, of all that it held.",
            ),
            Series(
                "specialist_details",
                f"Details missing when tickets reach tier {top}",
                "detail",
                "share",
                _ranked(self._details, n_asked, {}),
                f"Tickets that reached tier {top} without this detail, of those where missing "
                "details were looked at. One ticket may lack several.",
            ),
        ]

    def _tier_name(self, tier: str) -> str:
        name = self._order.names.get(tier, tier)
        return f"Tier {tier}" if name == tier else f"Tier {tier}: {name}"


def desk_figures(
    tickets: Iterable[EndedTicket],
    order: TierOrder,
    categories: Mapping[str, str] | None = None,
) -> DeskFigures:
    """Count tickets that have ended and tell their figures; each ticket comes once."""
    counter = DeskCounter(order, categories)
    for ticket in tickets:
        counter.add(ticket)
    return counter.figures()


def _facts(ticket: EndedTicket) -> tuple[object, ...]:
    return (
        ticket.tier_path, ticket.tier, ticket.reassignments, ticket.reopened, ticket.first_contact,
        ticket.csat, ticket.user_facing, ticket.used_article, ticket.missing_details,
        ticket.reopenings,
    )  # fmt: skip


def _ranked(counts: Mapping[str, int], n: int, names: Mapping[str, str]) -> tuple[Point, ...]:
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return tuple(
        Point(label, names.get(label, label), Count(hits, n)) for label, hits in ordered if hits
    )


def _named(found: Iterable[Named], name: str) -> Named:
    for one in found:
        if one.name == name:
            return one
    raise KeyError(name)
