"""Fit linear support vector machines, one label against the rest, labels and columns weighed."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.svm import LinearSVC

IndexArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LinearSettings:
    """What may be searched for (`training.search`); the defaults serve every history well.

    The defaults were chosen by cross-validation inside training parts only (docs/benchmarks.md).

    Parameters
    ----------
    C : weight of errors against simplicity
    balance : 0 lets each ticket count the same, 1 each label; half-way, rare labels are found much
        more often at no cost in accuracy
    characters, words, subject, description, whole, fields : how much the columns of each kind count
    """

    C: float = 1.0
    balance: float = 0.5
    characters: float = 1.0
    words: float = 1.0
    subject: float = 1.0
    description: float = 1.0
    whole: float = 1.0
    fields: float = 1.0


def fit_linear(
    X: sp.csr_matrix,
    truth: IndexArray,
    settings: LinearSettings,
    seed: int,
    column_weights: npt.NDArray[np.float32] | None = None,
    ticket_weights: npt.NDArray[np.float64] | None = None,
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Fit one against the rest; two classes get mirrored rows, so that every class has a score.

    Parameters
    ----------
    X : csr_matrix of shape (n_tickets, n_features)
    truth : ndarray of shape (n_tickets,), index of each ticket's label
    column_weights : array of shape (n_features,), how much each column counts; all alike if None
    ticket_weights : array of shape (n_tickets,), how much each ticket counts; all alike if None

    Returns
    -------
    ndarray of shape (n_labels, n_features) : coefficients, the column weights folded in
    ndarray of shape (n_labels,) : intercepts
    """
    # tol 0.1 costs no measurable accuracy (docs/benchmarks.md) and spares most of the passes.
    model = LinearSVC(
        C=settings.C, tol=0.1, random_state=seed, class_weight=label_weights(truth, settings)
    )
    with warnings.catch_warnings():
        # Many labels of few tickets are what a desk has; it is no sign of a regression target.
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        weighed = X if column_weights is None else X @ sp.diags(column_weights)
        model.fit(weighed, truth, ticket_weights)
    coefficients, intercept = model.coef_, model.intercept_
    if column_weights is not None:
        # Folded into the coefficients, the weights cost nothing when scoring.
        coefficients = coefficients * column_weights
    if len(model.classes_) > 2:
        return coefficients, intercept
    return np.vstack([-coefficients, coefficients]), np.r_[-intercept, intercept]


def label_weights(truth: IndexArray, settings: LinearSettings) -> dict[int, float]:
    """Weigh labels by how rare they are, ``settings.balance`` of the way; on average a ticket is 1.

    Returns
    -------
    dict of index of a label -> weight of each of its tickets
    """
    labels, counts = np.unique(truth, return_counts=True)
    weights = (len(truth) / counts) ** settings.balance
    weights *= len(truth) / (weights * counts).sum()
    return {int(label): float(weight) for label, weight in zip(labels, weights, strict=True)}
