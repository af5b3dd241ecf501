"""Figures in the words of a page: the same everywhere they are shown."""

from triage.figures.figure import Count, Unit

NOT_KNOWN = "not known"

_NOUNS = {
    "accepted": "suggestion",
    "corrected": "suggestion",
    "rejected": "suggestion",
    "agreed_seen": "suggestion",
    "agreed_blind": "suggestion",
    "ece_people": "answer",
    "ece_outcomes": "answer",
    "articles_never_offered": "article",
    "labels_fixed": "label",
}


def noun_of(figure: str) -> str:
    """Name what a figure counts: tickets, but for a few."""
    return _NOUNS.get(figure, "ticket")


def written(value: float | None, unit: Unit) -> str:
    """Write a value for people: ``63.2%``, ``1.27`` (``0.013``) or ``1,270``."""
    if value is None:
        return NOT_KNOWN
    if unit == "share":
        return f"{value:.1%}"
    if unit == "count":
        return f"{value:,.0f}"
    return f"{value:.3f}" if 0 < value < 0.1 else f"{value:,.2f}"


def how_many(n: int, noun: str) -> str:
    """Write a number of things: ``1 ticket``, ``1,270 tickets``."""
    return f"{n:,} {noun}{'s' * (n != 1)}"


def counted(count: Count, unit: Unit, noun: str = "ticket") -> str:
    """Say what a value is made of: ``1,232 of 1,950 tickets``."""
    tickets = how_many(count.denominator, noun)
    told = f"{count.numerator:,.0f} of {tickets}" if unit == "share" else tickets
    if not count.not_known:
        return told
    return f"{told}; {count.not_known:,} more do not say"
