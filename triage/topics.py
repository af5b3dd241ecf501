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
        # One pair, so that whoever reads while another adds has a code for each number.
        self._known = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32)

    def add(self, numbers: Sequence[int], categories: Sequence[str | None]) -> None:
        """Add tickets, in the order of their numbers, all of them above those that are there."""
        for category in categories:
            if category not in self._code_of:
                self._code_of[category] = len(self._names)
                self._names.append(str(category))
        added = np.array([self._code_of[category] for category in categories], dtype=np.int32)
        known, codes = self._known
        self._known = (
            np.concatenate([known, np.asarray(numbers, dtype=np.int64)]),
            np.concatenate([codes, added]),
        )

    def remove(self, numbers: Sequence[int] | IntArray) -> None:
        """Forget tickets; numbers that are not there are passed over."""
        known, codes = self._known
        stays = np.isin(known, numbers, invert=True)
        self._known = known[stays], codes[stays]

    def vote(self, numbers: IntArray, likeness: FloatArray) -> str | None:
        """Name the category of the tickets that are most like one; None where none has any."""
        known, codes = self._known
        if not len(known):
            return None
        places = np.searchsorted(known, numbers).clip(max=len(known) - 1)
        # A ticket may be forgotten between being found and being asked about here.
        found = np.where(known[places] == numbers, codes[places], -1)
        votes: defaultdict[str, float] = defaultdict(float)
        for code, weight in zip(found.tolist(), likeness.tolist(), strict=True):
            if code >= 0:
                votes[self._names[code]] += weight
        return max(votes, key=lambda name: (votes[name], name)) if votes else None


def shares_of(topics: Sequence[str | None]) -> Mapping[str, float]:
    """Give each topic's share of tickets, a little above what was counted: few tell little."""
    counts = Counter(topics)
    named = [topic for topic in counts if topic is not None]
    return {topic: (counts[topic] + 1) / (len(topics) + len(named)) for topic in named}
