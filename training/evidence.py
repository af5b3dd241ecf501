"""What a learning was judged by, kept for the report to look into."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from training.split import Split
from triage.meaning import beside

IndexArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a model of the older tickets answered about the newest, both labelled.

    ``train`` and ``test`` are rows of the history; ``probabilities`` has a row for each of
    ``test`` and a column for each of ``labels``.
    """

    train: IndexArray
    test: IndexArray
    labels: list[str]
    probabilities: npt.NDArray[np.float64]

    @property
    def answers(self) -> npt.NDArray[np.object_]:
        """Name the most likely label of each ticket asked about."""
        labels = np.array(self.labels, dtype=object)
        return np.asarray(labels[self.probabilities.argmax(axis=1)])


@dataclass(frozen=True, slots=True)
class Evidence:
    """The tickets as they were learned: their matrix, labels, twins and how they were split.

    ``matrix`` is None for a history that was learned part by part; ``meaning`` holds what the texts
    mean, for the targets of ``reading_meaning``. ``truths`` holds for each
    target learned its labels, None where a ticket has none; ``thresholded`` of shape (n_tickets,)
    marks those that thresholds were set on; ``newest`` has what was answered about the newest
    tickets, for each target that could be asked.
    """

    matrix: sp.csr_matrix | None
    truths: Mapping[str, npt.NDArray[np.object_]]
    clusters: IndexArray
    parts: Split
    thresholded: npt.NDArray[np.bool_]
    newest: Mapping[str, Asked]
    meaning: sp.csr_matrix | None = None
    reading_meaning: frozenset[str] = frozenset()

    def matrix_of(self, target: str) -> sp.csr_matrix:
        """Give the matrix that a target's head learned from."""
        if target in self.reading_meaning:
            return beside(self.matrix, self.meaning)
        return self.matrix
