"""Learn a head again from other tickets or other columns, and ask it about the newest tickets."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
from sklearn.metrics import f1_score

from triage.classifier import MIN_TICKETS
from triage.confidence import BoolArray
from triage.linear import LinearSettings, fit_linear

LabelArray = npt.NDArray[np.object_]
IndexArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a head learns again: rows to learn from, and rows to ask about.

    ``columns`` are those it may look at, None for all; ``truth`` holds the history's labels;
    ``column_weights`` are as in `triage.linear.fit_linear`, of all columns.
    """

    matrix: sp.csr_matrix
    truth: LabelArray
    train: IndexArray
    test: IndexArray
    settings: LinearSettings
    seed: int
    column_weights: npt.NDArray[np.float32] | None = None
    columns: IndexArray | None = None


def ask_again(
    lessons: Iterable[Lesson], n_jobs: int, on_step: Callable[[], None]
) -> Iterator[LabelArray]:
    """Learn each lesson and give the labels answered for its tickets, in order.

    A lesson with fewer than two labels to learn answers with the commonest one.
    """
    # Lessons are cut out of the matrix one by one, so that few of them are in memory at a time.
    tasks = (joblib.delayed(_answer)(*_cut(lesson)) for lesson in lessons)
    for answer in joblib.Parallel(n_jobs=n_jobs, return_as="generator")(tasks):
        on_step()
        yield answer


def macro_f1(truth: LabelArray, answered: LabelArray) -> float:
    """Average the F1 of the labels that the tickets have, as `training.evaluate.measure` does."""
    labels = sorted(set(truth.tolist()))
    return float(f1_score(truth, answered, labels=labels, average="macro", zero_division=0.0))


def is_right(truth: LabelArray, answered: LabelArray) -> BoolArray:
    """Compare answers with the truth, ticket by ticket."""
    return np.asarray(truth == answered, dtype=bool)


ColumnWeights = npt.NDArray[np.float32] | None

_Cut = tuple[sp.csr_matrix, LabelArray, sp.csr_matrix, LinearSettings, int, ColumnWeights]


def _cut(lesson: Lesson) -> _Cut:
    counts = pd.Series(lesson.truth[lesson.train]).value_counts()
    known = counts.index[counts >= MIN_TICKETS]
    train = lesson.train[np.isin(lesson.truth[lesson.train].astype(str), known.astype(str))]
    if len(known) < 2:
        train = lesson.train[:0]
    X, asked = lesson.matrix[train], lesson.matrix[lesson.test]
    if lesson.columns is not None:
        # Without some columns a row is shorter than it would be had it never had them.
        X, asked = _stretched(X[:, lesson.columns], X), _stretched(asked[:, lesson.columns], asked)
    labels = lesson.truth[train] if len(train) else np.array(counts.index[:1], dtype=object)
    weights = lesson.column_weights
    if weights is not None and lesson.columns is not None:
        weights = weights[lesson.columns]
    return X, labels, asked, lesson.settings, lesson.seed, weights


def _stretched(X: sp.csr_matrix, whole: sp.csr_matrix) -> sp.csr_matrix:
    scale = (_lengths(whole) / np.maximum(_lengths(X), 1e-12)).astype(np.float32)
    return sp.csr_matrix(sp.diags(scale) @ X)


def _lengths(X: sp.csr_matrix) -> npt.NDArray[np.float64]:
    return np.sqrt(np.asarray(X.multiply(X).sum(axis=1), dtype=np.float64).ravel())


def _answer(
    X: sp.csr_matrix,
    labels: LabelArray,
    asked: sp.csr_matrix,
    settings: LinearSettings,
    seed: int,
    column_weights: ColumnWeights,
) -> LabelArray:
    classes, index = np.unique(labels.astype(str), return_inverse=True)
    if len(classes) < 2:
        return np.full(asked.shape[0], classes[0] if len(classes) else "", dtype=object)
    weights, intercept = fit_linear(X, index, settings, seed, column_weights)
    scores = np.asarray(asked @ weights.T + intercept)
    return np.asarray(classes.astype(object)[scores.argmax(axis=1)])
