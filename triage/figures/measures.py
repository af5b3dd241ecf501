"""What is counted about each ticket that has ended, and how: one measure, one question."""

from collections.abc import Callable

from triage.figures.ended import EndedTicket, TierOrder
from triage.figures.measure import Measure

TICKETS = "tickets"
REACHED = "reached_specialists"
MISSING = "specialists_missing_details"

RESOLVED, ESCALATED, CSAT = "resolved_at_tier", "escalated_from_tier", "csat_of_tier"

FAMILIES = {
    RESOLVED: (
        "Where tickets were resolved",
        "Tickets that each tier resolved, of all whose resolving tier is known.",
    ),
    ESCALATED: (
        "Escalated, tier by tier",
        "Tickets that went on from a tier to a higher one, of all that it held at some time.",
    ),
    CSAT: (
        "Satisfaction (CSAT) by resolving tier",
        "Ratings of requesters on the desk's own scale, on average, by the tier that resolved "
        "the ticket.",
    ),
}
"""Title and reckoning of the figures that there are once a tier."""


def desk_measures(order: TierOrder) -> list[Measure[EndedTicket]]:
    """List what is asked about each ticket of a desk with these tiers."""
    way = _Way(order)
    first, top = order.first, order.specialists
    below = order.daily[:-1]
    through = " and ".join(f"tier {tier}" for tier in below)
    return [
        Measure(
            TICKETS,
            "Tickets that ended",
            "count",
            "Tickets that were resolved or closed, each once, at the day on which they ended.",
            lambda ticket: 1,
        ),
        Measure(
            "first_contact_resolution",
            "First contact resolution",
            "share",
            f"Tickets that the first contact resolved, of all that ended. Where the desk does not "
            f"say so itself: resolved at tier {first}, never reassigned and not opened again.",
            way.is_first_contact,
        ),
        *(
            Measure(
                f"{RESOLVED}_{tier}",
                f"Resolved at tier {tier}",
                "share",
                f"Tickets that tier {tier} resolved, of all whose resolving tier is known.",
                way.is_resolved_at(tier),
                family=RESOLVED,
                tier=tier,
            )
            for tier in order.tiers
        ),
        *(
            Measure(
                f"{ESCALATED}_{tier}",
                f"Escalated from tier {tier}",
                "share",
                f"Tickets that went on from tier {tier} to a higher one, of all that tier {tier} "
                "held at some time. A ticket counts once, however often it went up.",
                way.goes_up_from(tier),
                way.holds(tier),
                ESCALATED,
                tier,
            )
            for tier in order.tiers[:-1]
        ),
        Measure(
            "reassignments",
            "Reassignments of a ticket",
            "mean",
            "How often a ticket changed hands, on average.",
            lambda ticket: ticket.reassignments,
        ),
        Measure(
            "reassigned",
            "Reassigned at all",
            "share",
            "Tickets that changed hands at least once.",
            lambda ticket: None if ticket.reassignments is None else ticket.reassignments > 0,
        ),
        Measure(
            "reopenings",
            "Reopenings of a ticket",
            "mean",
            "How often a ticket was opened again, on average, where that is counted.",
            lambda ticket: ticket.reopenings,
        ),
        Measure(
            "reopened",
            "Reopened at all",
            "share",
            "Tickets that were opened again at least once.",
            lambda ticket: ticket.was_reopened,
        ),
        Measure(
            "csat",
            "Satisfaction (CSAT)",
            "mean",
            "Ratings of requesters, on average, on the desk's own scale. Tickets without a "
            "rating are left out.",
            lambda ticket: ticket.csat,
        ),
        *(
            Measure(
                f"{CSAT}_{tier}",
                f"Satisfaction (CSAT), resolved at tier {tier}",
                "mean",
                f"Ratings of requesters whose ticket tier {tier} resolved, on average, on the "
                "desk's own scale.",
                lambda ticket: ticket.csat,
                way.ends_at(tier),
                CSAT,
                tier,
            )
            for tier in order.tiers
        ),
        Measure(
            REACHED,
            f"Reached tier {top}",
            "share",
            f"Tickets that tier {top} held at some time, of all that ended. A ticket without a "
            "path counts by the tier that resolved it.",
            way.reaches(top),
        ),
        Measure(
            "specialists_directly",
            f"Reached tier {top} without a path through {through or 'another'}",
            "share",
            f"Tickets that came to tier {top} before each of {through or 'the others'} had held "
            f"them, of all that reached tier {top} and whose path is known.",
            way.skips(top, below),
            way.holds(top),
        ),
        Measure(
            "specialists_without_article",
            f"Reached tier {top} without a knowledge article",
            "share",
            f"Tickets that reached tier {top} and for which no knowledge article was used, of "
            "those that say.",
            lambda ticket: None if ticket.used_article is None else not ticket.used_article,
            way.holds(top),
        ),
        Measure(
            MISSING,
            f"Reached tier {top} with details missing",
            "share",
            f"Tickets that reached tier {top} with at least one detail missing that should have "
            "been asked before, of those where that was looked at.",
            lambda ticket: None if ticket.missing_details is None else bool(ticket.missing_details),
            way.holds(top),
        ),
        Measure(
            "specialists_user_facing",
            f"Reached tier {top} while a person waits",
            "share",
            f"Tickets that reached tier {top} and for which a person waits, of those that say.",
            lambda ticket: ticket.user_facing,
            way.holds(top),
        ),
    ]


class _Way:
    """Questions about the way of a ticket through the tiers; None where the path leaves it open.

    A step to somebody whose tier is not known could have been to any tier.
    """

    def __init__(self, order: TierOrder) -> None:
        self._order = order

    def is_first_contact(self, ticket: EndedTicket) -> bool | None:
        if ticket.first_contact is not None:
            return ticket.first_contact
        signs = (
            None if ticket.tier is None else ticket.tier == self._order.first,
            None if ticket.reassignments is None else ticket.reassignments == 0,
            None if ticket.was_reopened is None else not ticket.was_reopened,
        )
        if False in signs:  # one is enough, whatever the others would say
            return False
        return None if None in signs else True

    def is_resolved_at(self, tier: str) -> Callable[[EndedTicket], bool | None]:
        return lambda ticket: None if ticket.tier is None else ticket.tier == tier

    def ends_at(self, tier: str) -> Callable[[EndedTicket], bool]:
        return lambda ticket: ticket.tier == tier

    def holds(self, tier: str) -> Callable[[EndedTicket], bool]:
        return lambda ticket: ticket.tier == tier or tier in ticket.tier_path

    def reaches(self, tier: str) -> Callable[[EndedTicket], bool | None]:
        holds = self.holds(tier)

        def answer(ticket: EndedTicket) -> bool | None:
            if holds(ticket):
                return True
            is_open = ticket.tier is None and not ticket.tier_path
            return None if is_open or None in ticket.tier_path else False

        return answer

    def goes_up_from(self, tier: str) -> Callable[[EndedTicket], bool | None]:
        rank = self._order.rank
        place = rank(tier)
        assert place is not None

        def answer(ticket: EndedTicket) -> bool | None:
            if tier not in ticket.tier_path:
                return None
            after = ticket.tier_path[ticket.tier_path.index(tier) + 1 :]
            ranks = [rank(step) for step in after]
            if any(step is not None and step > place for step in ranks):
                return True
            return None if None in ranks else False

        return answer

    def skips(self, top: str, below: tuple[str, ...]) -> Callable[[EndedTicket], bool | None]:
        def answer(ticket: EndedTicket) -> bool | None:
            if top not in ticket.tier_path:
                return None
            before = ticket.tier_path[: ticket.tier_path.index(top)]
            if all(tier in before for tier in below):
                return False
            return None if None in before else True

        return answer
