"""The pull of a suggestion on people: do they agree more often when they have seen it?"""

import math
from dataclasses import dataclass
from typing import Any

from triage.figures.figure import Count
from triage.figures.intervals import share_interval

ENOUGH_BLIND = 30
"""Blind decisions below which the difference says nothing."""


@dataclass(frozen=True, slots=True)
class Pull:
    """How much more often people agree with a suggestion in view than with one they do not see.

    The true ``difference`` lies between ``low`` and ``high`` 95 times in 100.
    """

    seen: Count
    blind: Count
    difference: float
    low: float
    high: float

    @property
    def sentence(self) -> str:
        """Tell it to a person."""
        if self.blind.denominator < ENOUGH_BLIND:
            return (
                f"The pull of the suggestion: too few blind decisions to tell "
                f"({self.blind.denominator} of at least {ENOUGH_BLIND})."
            )
        points = (
            f"{100 * self.difference:+.1f} points ({100 * self.low:+.1f} to {100 * self.high:+.1f})"
        )
        if self.low > 0:
            return (
                f"The pull of the suggestion: people agree {points} more often when they see it. "
                "What they accept in view makes it look better than it is; the blind share is the "
                "honest one."
            )
        return (
            f"The pull of the suggestion: {points} between seen and blind decisions, which may be "
            "chance."
        )

    def to_dict(self) -> dict[str, Any]:
        """Turn it into plain data, ready for JSON."""
        return {
            "difference": self.difference,
            "low": self.low,
            "high": self.high,
            "is_enough": self.blind.denominator >= ENOUGH_BLIND,
        }


def pull_of(seen: Count, blind: Count) -> Pull | None:
    """Compare two shares; None where one of them was counted from nothing.

    Notes
    -----
    The interval is made of the two Wilson intervals (Newcombe, Statistics in Medicine 17, 1998,
    method 10).
    """
    if not seen.denominator or not blind.denominator:
        return None
    one, other = seen.numerator / seen.denominator, blind.numerator / blind.denominator
    low_one, high_one = share_interval(seen.numerator, seen.denominator)
    low_other, high_other = share_interval(blind.numerator, blind.denominator)
    difference = one - other
    return Pull(
        seen,
        blind,
        difference,
        difference - math.hypot(one - low_one, high_other - other),
        difference + math.hypot(high_one - one, other - low_other),
    )
