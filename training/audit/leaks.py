"""What gives a label away: the rules that form fields and words have in common."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from training.audit.scores import FloatArray, IndexArray, LabelArray
from training.canonical import FIELD

MIN_TICKETS = 10
"""Fewest tickets with a sign; fewer agree by chance."""

MIN_PRECISION = 0.98
"""Share of the tickets with a sign that have one and the same label."""

MIN_SHARE = 0.5
"""Share of a label's tickets that have the sign; hardly an honest word is in so many."""

MAX_BASE = 0.9
"""Share of all tickets from which on a label has nothing left to give away."""

_REQUESTERS = (f"{FIELD}caller", f"{FIELD}requester")
_MIN_REQUESTERS = 3


@dataclass(frozen=True, slots=True)
class Signs:
    """Signs that tickets have or have not, counted against a target's labels.

    ``counts`` of shape (n_signs, n_labels) holds tickets; ``sizes`` are those of the labels.
    """

    labels: list[str]
    counts: FloatArray
    sizes: FloatArray

    @property
    def label(self) -> IndexArray:
        """Find the commonest label of each sign, as an index."""
        return np.asarray(self.counts.argmax(axis=1), dtype=np.int64)

    @property
    def tickets(self) -> FloatArray:
        """Count the tickets with each sign."""
        return np.asarray(self.counts.sum(axis=1))

    @property
    def precision(self) -> FloatArray:
        """Share of each sign's tickets that have its commonest label."""
        return np.asarray(self.counts.max(axis=1) / np.maximum(self.tickets, 1))

    @property
    def share(self) -> FloatArray:
        """Share of that label's tickets that have the sign."""
        return np.asarray(self.counts.max(axis=1) / self.sizes[self.label])

    @property
    def base(self) -> FloatArray:
        """Share of all tickets that have that label."""
        return np.asarray((self.sizes / self.sizes.sum())[self.label])

    @property
    def is_precise(self) -> npt.NDArray[np.bool_]:
        """Mark signs that stand for one label wherever they are."""
        is_frequent = self.tickets >= MIN_TICKETS
        return is_frequent & (self.precision >= MIN_PRECISION) & (self.base <= MAX_BASE)


def count_signs(has: sp.csr_matrix, truth: LabelArray) -> Signs:
    """Count which labels the tickets with each sign have.

    Parameters
    ----------
    has : of shape (n_tickets, n_signs), 1 where a ticket has a sign
    truth : ndarray of shape (n_tickets,), str
    """
    labels, index = np.unique(truth.astype(str), return_inverse=True)
    is_label = sp.csr_matrix((np.ones(len(index)), (np.arange(len(index)), index)))
    counts = (has.T.astype(np.float64) @ is_label).toarray()
    return Signs(labels.tolist(), counts, np.bincount(index).astype(np.float64))


@dataclass(frozen=True, slots=True)
class Requesters:
    """Who asked, row by row; ``names`` is None where no form field tells it."""

    names: LabelArray | None

    def are_many(self, rows: IndexArray) -> bool:
        """Say whether what these tickets share may be shown, for it is not one person's."""
        return self.names is None or pd.Series(self.names[rows]).nunique() >= _MIN_REQUESTERS


def requesters(frame: pd.DataFrame) -> Requesters:
    """Take who asked from the form fields of a history."""
    for column in _REQUESTERS:
        if column in frame.columns and frame[column].notna().any():
            return Requesters(cells(frame[column]))
    return Requesters(None)


def cells(column: pd.Series) -> LabelArray:
    """Take a column's values, None where one is missing."""
    return column.astype(object).where(column.notna(), None).to_numpy(dtype=object)
