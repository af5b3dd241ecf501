"""The sections of a page about the desk: first contact, escalation, hands, specialists, CSAT."""

from collections.abc import Iterator

from triage.figures.desk import DeskFigures
from triage.figures.ended import TierOrder
from triage.figures.measures import CSAT, ESCALATED, MISSING, REACHED, RESOLVED, TICKETS
from triage.figures.sections import Card, Layout, Section

FIRST_CONTACT = "first_contact_resolution"


def desk_headline(figures: DeskFigures, order: TierOrder) -> list[Card]:
    """Give what a head of a desk asks first."""
    below = [f"{ESCALATED}_{tier}" for tier in order.daily[:-1]]
    layout = Layout(figures.figures, figures.series)
    return layout.cards([FIRST_CONTACT, *below, REACHED, "reassigned", "reopened", "csat"])


def desk_sections(figures: DeskFigures, order: TierOrder) -> Iterator[Section]:
    """Give the parts that have something to show; no tickets, no parts."""
    if not figures.n_tickets:
        return
    at = Layout(figures.figures, figures.series)
    escalated = [f"{ESCALATED}_{tier}" for tier in order.tiers]
    resolved = [f"{RESOLVED}_{tier}" for tier in order.tiers]
    below = [f"{ESCALATED}_{tier}" for tier in order.daily[:-1]]
    hands = ["reassigned", "reassignments", "reopened", "reopenings"]
    reasons = [
        *("specialists_directly", "specialists_without_article"),
        *(MISSING, "specialists_user_facing"),
    ]
    title = figures.figure(REACHED).title.replace("Reached", "What reaches")
    sections = (
        at.section(
            ("first-contact", "First contact"),
            [FIRST_CONTACT],
            [
                at.over_time([FIRST_CONTACT]),
                at.over_time([TICKETS]),
                at.by("category", FIRST_CONTACT),
                at.by("category", TICKETS),
            ],
            [
                at.table("over time", [TICKETS, FIRST_CONTACT]),
                at.table("category", [TICKETS, FIRST_CONTACT]),
            ],
        ),
        at.section(
            ("escalation", "Escalation"),
            [REACHED, *escalated, *resolved],
            [
                at.over_time(below, "Escalated from each tier"),
                at.over_time([REACHED]),
                at.by("tier", RESOLVED),
                at.by("tier", ESCALATED),
                at.by("category", REACHED),
                *(at.by("category", name) for name in below),
            ],
            [
                at.table("tier", [RESOLVED, ESCALATED]),
                at.table("over time", [REACHED, *escalated]),
                at.table("category", [REACHED, *escalated]),
            ],
        ),
        at.section(
            ("hands", "Reassignments and reopenings"),
            hands,
            [
                at.over_time(["reassigned"]),
                at.over_time(["reopened"]),
                at.by("category", "reassignments"),
                at.by("category", "reopened"),
            ],
            [at.table("over time", hands), at.table("category", hands)],
        ),
        at.section(
            ("specialists", title),
            reasons,
            [
                *(at.over_time([name]) for name in reasons),
                at.by("category", "specialist_categories"),
                at.by("detail", "specialist_details"),
                *(at.by("category", name) for name in reasons[1:]),
            ],
            [
                at.table("category", ["specialist_categories"], title),
                at.table("detail", ["specialist_details"], "Missing details"),
                at.table("over time", reasons),
                at.table("category", reasons),
            ],
        ),
        at.section(
            ("satisfaction", "Satisfaction"),
            ["csat"],
            [
                at.over_time(["csat"]),
                at.by("tier", CSAT),
                at.by("category", "csat"),
            ],
            [
                at.table("tier", [CSAT], "By resolving tier"),
                at.table("over time", ["csat"]),
                at.table("category", ["csat"]),
            ],
        ),
    )
    yield from (one for one in sections if one.cards)
