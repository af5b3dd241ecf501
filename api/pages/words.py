"""Figures, moments and codes as a person reads them."""

from datetime import UTC, datetime, timedelta

_DECISIONS = {
    "route": "Sure enough to route",
    "suggest": "A suggestion to check",
    "review": "Left to a person",
}


def percent(share: float) -> str:
    """Write a share in [0, 1] as a percentage; what is not quite all or nothing never reads so."""
    shown = round(100 * share)
    if shown == 100 and share < 1:
        return ">99%"
    if shown == 0 and share > 0:
        return "<1%"
    return f"{shown}%"


def moment(at: datetime) -> str:
    """Write a moment in UTC."""
    return f"{at.astimezone(UTC):%d %b %Y, %H:%M} UTC"


def age(at: datetime, now: datetime) -> str:
    """Write how long ago a moment was."""
    passed = now - at
    if passed < timedelta(minutes=1):
        return "just now"
    if passed < timedelta(hours=1):
        return f"{passed // timedelta(minutes=1)} min"
    if passed < timedelta(days=1):
        return f"{passed // timedelta(hours=1)} h"
    days = passed.days
    return f"{days} day{'' if days == 1 else 's'}" if days < 60 else f"{at:%d %b %Y}"


def decision_words(decision: str) -> str:
    """Say what a decision means."""
    return _DECISIONS.get(decision, decision)
