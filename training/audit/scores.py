"""Probabilities of every ticket's labels, from models that had seen neither it nor its twins."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from training.canonical import TARGET
from training.evaluate import truth_of
from training.fit import OnStep
from training.history import label_columns
from triage.classifier import MIN_TICKETS, TicketClassifier
from triage.linear import LinearSettings

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.int64]
LabelArray = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """One target's tickets and their cross-fitted probabilities.

    ``rows`` of shape (n_tickets,) are rows of the history: those with a label that can be learned.
    ``given`` holds the index of each one's label in ``labels``; ``probabilities`` is of shape
    (n_tickets, n_labels).
    """

    target: str
    labels: list[str]
    rows: IndexArray
    given: IndexArray
    probabilities: FloatArray

    @property
    def predicted(self) -> IndexArray:
        """Find the index of each ticket's most probable label, shape (n_tickets,)."""
        return np.asarray(self.probabilities.argmax(axis=1), dtype=np.int64)


def labels_by_target(frame: pd.DataFrame) -> dict[str, LabelArray]:
    """Take every target's labels from a history, None where a ticket has none."""
    targets = (column.removeprefix(TARGET) for column in label_columns(frame))
    return {target: truth_of(frame, target) for target in targets}


def is_learnable(truth: LabelArray) -> bool:
    """Say whether two labels have enough tickets to learn them."""
    return bool((pd.Series(truth).value_counts() >= MIN_TICKETS).sum() >= 2)


def score_out_of_fold(
    target: str,
    truth: LabelArray,
    matrix: sp.csr_matrix,
    clusters: IndexArray,
    *,
    n_jobs: int,
    on_step: OnStep,
) -> OutOfFold:
    """Cross-fit one target.

    Parameters
    ----------
    truth : ndarray of shape (n_tickets,), str or None, of which `is_learnable` is true
    matrix : features of the tickets, of shape (n_tickets, n_features)
    clusters : near twins of each ticket; they are never split between folds
    """
    # Each ticket counts the same, and the fit is strict: it must not be swayed by the very labels
    # that it is to find wrong.
    classifier = TicketClassifier(settings=LinearSettings(C=0.3, balance=0.0), n_jobs=n_jobs)
    name, done = f"scoring {target}", 0
    on_step(name, done, classifier.n_steps)

    def count() -> None:
        nonlocal done
        done += 1
        on_step(name, done, classifier.n_steps)

    rows = np.flatnonzero(pd.notna(truth))
    classifier.fit(matrix[rows], truth[rows], clusters[rows], on_step=count)
    labels = [str(label) for label in classifier.classes_]
    given = pd.Index(labels).get_indexer(pd.Index(truth[rows]))
    known = given >= 0
    probabilities = classifier.out_of_fold_[known]
    return OutOfFold(target, labels, rows[known], given[known], probabilities)
