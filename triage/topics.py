"""What a ticket is about, by the past tickets most like it: their categories vote.

Good for counting tickets of one kind that are worded differently. What a model learned knows more,
but not every desk has one, and what is usual must be reckoned with the same means as what is not.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from triage.similar import FloatArray, IntArray

FLOOR = 0.15
"""Least likeness of a ticket that votes: too little to be shown, enough to hint at a topic."""

VOTERS = 10


class Topics:
    """The categories of past tickets, by the tickets' numbers."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._code_of: dict[str | None, int] = {None: -1}
        self._numbers: IntArray = np.empty(0, dtype=np.int64)
        self._codes = np.empty(0, dtype=np.int32)

    def add(self, numbers: Sequence[int], categories: Sequence[str | None]) -> None:
        """Add tickets, in the order of their numbers, all of them above those that are there."""
        for category in categories:
            if category not in self._code_of:
                self._code_of[category] = len(self._names)
                self._names.append(str(category))
        codes = np.array([self._code_of[category] for category in categories], dtype=np.int32)
        # Codes last: whoever reads meanwhile finds a code for each number there is.
        self._codes = np.concatenate([self._codes, codes])
        self._numbers = np.concatenate([self._numbers, np.asarray(numbers, dtype=np.int64)])

    def vote(self, numbers: IntArray, likeness: FloatArray) -> str | None:
        """Name the category of the tickets that are most like one; None where none has any."""
        places = np.searchsorted(self._numbers, numbers)
        votes: defaultdict[str, float] = defaultdict(float)
        for code, weight in zip(self._codes[places].tolist(), likeness.tolist(), strict=True):
            if code >= 0:
                votes[self._names[code]] += weight
        return max(votes, key=lambda name: (votes[name], name)) if votes else None


def shares_of(topics: Sequence[str | None]) -> Mapping[str, float]:
    """Give each topic's share of tickets, a little above what was counted: few tell little."""
    counts = Counter(topics)
    named = [topic for topic in counts if topic is not None]
    return {topic: (counts[topic] + 1) / (len(topics) + len(named)) for topic in named}
