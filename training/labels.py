"""Labels as people type them: which spellings are one label, and which tier resolved a ticket."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from training.mapping import ANY_OTHER
from training.mapping import Mapping as ExportMapping
from training.tables.rows import LIST_SEPARATOR
from triage.hierarchy import with_one_separator

CACHE_SIZE = 2**16
"""Different values remembered a column; labels repeat, so that each is looked at once."""

_ZERO_WIDTH = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))


def tidy(label: str) -> str:
    """Drop what cannot be seen: white space around, doubled or odd, and zero-width characters."""
    return " ".join(unicodedata.normalize("NFC", label.translate(_ZERO_WIDTH)).split())


def label_key(label: str) -> str:
    """Reduce a label to what makes it one: case, white space and Unicode form do not count.

    Nor does it how the parts of a path are separated.
    """
    return with_one_separator(tidy(unicodedata.normalize("NFKC", label).casefold()))


def merged_spellings(counts: Mapping[str, int]) -> dict[str, str]:
    """Find the most frequent spelling for each spelling of a label.

    Parameters
    ----------
    counts : spelling as exported -> number of tickets

    Returns
    -------
    dict : spelling as exported -> tidy spelling to use; ties go to the first in order of the
        alphabet, so that the order of the rows does not matter
    """
    by_key: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for spelling, count in counts.items():
        by_key[label_key(spelling)][tidy(spelling)] += count
    best = {
        key: min(tidied, key=lambda label: (-tidied[label], label))
        for key, tidied in by_key.items()
    }
    return {spelling: best[label_key(spelling)] for spelling in counts}


class Resolution(NamedTuple):
    """The tier that resolved a ticket ("" when no rule applies), and what that rests on."""

    tier: str
    is_assumed: bool
    """Taken from the final assignment group, because there is no path."""
    unmapped_group: str
    """The group that resolved it, when [tiers] does not list it; else empty."""


class TierFinder:
    """Find the tier that resolved a ticket, by the first rule that applies.

    1. the tier column, through [tiers] if its value is listed there
    2. the last group of the path that is not a closing group, through [tiers]
    3. without such a group in a path, the final assignment group, if it is not a closing group

    A group that [tiers] does not list has the tier of ``"*"`` if that is written, else none.
    """

    def __init__(self, mapping: ExportMapping) -> None:
        self._tiers = {
            label_key(value): tier for value, tier in mapping.tiers.items() if value != ANY_OTHER
        }
        self._other = mapping.tiers.get(ANY_OTHER, "")
        self._has_tiers = bool(mapping.tiers)
        self._closing = frozenset(map(label_key, mapping.closing_groups))
        self._separator = mapping.path_separator
        self.path: Callable[[str], tuple[str, ...]] = lru_cache(CACHE_SIZE)(self._path)
        self.find: Callable[[str, str, str], Resolution] = lru_cache(CACHE_SIZE)(self._find)

    def _path(self, text: str) -> tuple[str, ...]:
        """Split a group path; a list cell of JSON or Parquet comes with its own separator."""
        separator = LIST_SEPARATOR if LIST_SEPARATOR in text else self._separator
        return tuple(filter(None, map(tidy, text.split(separator))))

    def _find(self, tier: str, path: str, group: str) -> Resolution:
        if tidy(tier):
            return Resolution(self._tiers.get(label_key(tier), tier), False, "")
        if not self._has_tiers:
            return Resolution("", False, "")
        for resolver in reversed(self.path(path)):
            if label_key(resolver) not in self._closing:
                return self._of_group(resolver, is_assumed=False)
        group = tidy(group)
        if group and label_key(group) not in self._closing:
            return self._of_group(group, is_assumed=True)
        return Resolution("", False, "")

    def _of_group(self, group: str, *, is_assumed: bool) -> Resolution:
        tier = self._tiers.get(label_key(group))
        if tier is not None:
            return Resolution(tier, is_assumed, "")
        return Resolution(self._other, is_assumed and bool(self._other), group)
