"""The reference profile: how often everything drift looks at occurred when the model learned.

Counts of hashed words, of bins and of labels the model knows: nothing personal, and small enough to
lie in a bundle's manifest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from triage.drift.observed import N_BUCKETS, Observed

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

RUN = 10
"""Tickets, one after the other, in which a word counts once: an outage that thirty people report
within an hour is no new product."""

N_TERMS = 512
"""Buckets that the distribution of words is compared over."""

_N_QUANTILES = 10


@dataclass(frozen=True, slots=True)
class Bins:
    """How a signal's values are counted: by name, others together last; or between edges."""

    names: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()

    @property
    def size(self) -> int:
        return len(self.edges) + 1 if self.edges else len(self.names) + 1

    @classmethod
    def named(cls, names: "npt.NDArray[np.object_] | tuple[str, ...]") -> Self:
        """Count by name."""
        return cls(names=tuple(str(name) for name in names))

    @classmethod
    def between(cls, edges: FloatArray) -> Self:
        """Count between edges."""
        return cls(edges=tuple(round(float(edge), 4) for edge in edges))

    @classmethod
    def quantiles(cls, values: FloatArray) -> Self:
        """Count in ten bins that hold about as many of these values each."""
        known = values[~np.isnan(values)]
        if not len(known):
            return cls.between(np.zeros(1))
        shares = np.linspace(0, 1, _N_QUANTILES + 1)[1:-1]
        return cls.between(np.unique(np.round(np.quantile(known, shares), 4)))

    def codes(self, values: npt.NDArray[np.object_] | FloatArray) -> IntArray:
        """Give the bin of each value; -1 where it is not known."""
        if self.edges:
            numbers = values.astype(np.float64)
            codes = np.searchsorted(self.edges, numbers, side="right").astype(np.int64)
            return np.where(np.isnan(numbers), -1, codes)
        place = {name: index for index, name in enumerate(self.names)}
        return np.array(
            [-1 if value is None else place.get(str(value), len(place)) for value in values],
            dtype=np.int64,
        )


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts over some tickets.

    ``terms`` of shape (`N_TERMS`,) counts tickets with words of each bucket, ``risen`` of shape
    (`N_BUCKETS`,) the runs of tickets with such words, of ``n_runs``; ``binned`` the tickets in
    each bin of each signal.
    """

    terms: IntArray
    risen: IntArray
    n_runs: int
    binned: Mapping[str, IntArray]

    def without(self, part: "Tally") -> "Tally":
        """Take the tickets of a part of these away."""
        return Tally(
            self.terms - part.terms,
            self.risen - part.risen,
            self.n_runs - part.n_runs,
            {name: counts - part.binned[name] for name, counts in self.binned.items()},
        )


@dataclass(frozen=True, slots=True)
class Runs:
    """Tickets counted run by run, so that the tally of any of them is a sum of rows."""

    terms: IntArray
    has_word: IntArray
    binned: Mapping[str, IntArray]

    def __len__(self) -> int:
        return len(self.terms)

    def tally(self, rows: IntArray | None = None) -> Tally:
        """Add up some runs; all of them by default."""
        rows = np.arange(len(self)) if rows is None else rows
        return Tally(
            self.terms[rows].sum(axis=0),
            self.has_word[rows].sum(axis=0),
            len(rows),
            {name: counts[rows].sum(axis=0) for name, counts in self.binned.items()},
        )


def count_runs(observed: Observed, bins: Mapping[str, Bins]) -> Runs:
    """Count tickets run by run; signals without bins, or without values, are left out."""
    n_tickets = len(observed.words)
    run_of = np.arange(n_tickets) // RUN
    n_runs = int(run_of[-1]) + 1 if n_tickets else 0
    terms = np.zeros((n_runs, N_TERMS), dtype=np.int64)
    has_word = np.zeros((n_runs, N_BUCKETS), dtype=np.int64)
    if n_tickets:
        folded = observed.words.reshape(n_tickets, N_BUCKETS // N_TERMS, N_TERMS).any(axis=1)
        starts = np.arange(0, n_tickets, RUN)
        terms = np.add.reduceat(folded.astype(np.int64), starts, axis=0)
        has_word = np.logical_or.reduceat(observed.words, starts, axis=0).astype(np.int64)
    binned = {}
    for name, how in bins.items():
        if name not in observed.values:
            continue
        codes = how.codes(observed.values[name])
        counts = np.zeros((n_runs, how.size), dtype=np.int64)
        np.add.at(counts, (run_of[codes >= 0], codes[codes >= 0]), 1)
        binned[name] = counts
    return Runs(terms, has_word, binned)


@dataclass(frozen=True, slots=True)
class Profile:
    """What was usual when the model learned, and from where on something is not usual any more.

    ``levels`` hold for each size of a window, in tickets, the value of each signal that quiet
    history does not reach; empty where the history was too short to tell.
    """

    n_tickets: int
    tally: Tally
    bins: Mapping[str, Bins]
    levels: Mapping[int, Mapping[str, float]] = field(default_factory=dict)

    def level(self, signal: str, n_tickets: int) -> float | None:
        """Give the alarm level of a signal for a window; None where nothing can be said."""
        sizes = [size for size in self.levels if size <= n_tickets]
        return self.levels[max(sizes)].get(signal) if sizes else None

    def packed(self) -> dict[str, Any]:
        """Turn it into what a manifest keeps; rows of numbers are one text, not a line each."""
        tally = self.tally
        return {
            "n_tickets": self.n_tickets,
            "n_runs": tally.n_runs,
            "terms": _joined(tally.terms),
            "risen": _joined(tally.risen),
            "signals": {
                name: {
                    "names": list(how.names),
                    "edges": _joined(how.edges),
                    "counts": _joined(tally.binned[name]),
                }
                for name, how in self.bins.items()
            },
            "levels": {
                str(size): {name: round(level, 5) for name, level in levels.items()}
                for size, levels in self.levels.items()
            },
        }

    @classmethod
    def unpacked(cls, packed: Mapping[str, Any]) -> Self:
        """Make it of what `packed` gave.

        Raises
        ------
        KeyError, ValueError : a part is missing or malformed
        """
        signals = packed["signals"]
        return cls(
            n_tickets=int(packed["n_tickets"]),
            tally=Tally(
                _split(packed["terms"]),
                _split(packed["risen"]),
                int(packed["n_runs"]),
                {name: _split(one["counts"]) for name, one in signals.items()},
            ),
            bins={
                name: Bins(tuple(one["names"]), tuple(float(edge) for edge in one["edges"].split()))
                for name, one in signals.items()
            },
            levels={int(size): dict(levels) for size, levels in packed["levels"].items()},
        )


def _joined(numbers: "IntArray | tuple[float, ...]") -> str:
    return " ".join(f"{number:g}" if number % 1 else str(int(number)) for number in numbers)


def _split(text: str) -> IntArray:
    return np.array([int(number) for number in text.split()], dtype=np.int64)
