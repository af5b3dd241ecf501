"""Heads learned part by part: what they know, and what they are calibrated on."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from training.tickets import iter_tickets
from triage.averaged import AveragedLearner
from triage.classifier import TicketClassifier
from triage.features import TicketFeatures

N_PARTS = 5


def matrix_and_labels(
    history: pd.DataFrame, target: str = "category"
) -> tuple[sp.csr_matrix, np.ndarray]:
    matrix = TicketFeatures().fit_transform(list(iter_tickets(history)))
    return matrix, history[target].astype(object).to_numpy(dtype=object, copy=True)


def learn(
    matrix: sp.csr_matrix,
    labels: np.ndarray,
    rows: np.ndarray,
    *,
    n_jobs: int = 1,
    n_passes: int = 3,
) -> AveragedLearner:
    """Learn some rows in `N_PARTS` parts."""
    learner = AveragedLearner(labels, rows, matrix.shape[1], n_jobs=n_jobs)
    for _ in range(n_passes):
        for part in np.array_split(rows, N_PARTS):
            learner.learn(matrix[part], part)
    return learner


def finished(
    learner: AveragedLearner, matrix: sp.csr_matrix, checked: np.ndarray
) -> TicketClassifier:
    return learner.classifier(learner, checked, learner.scores(matrix[checked]))


def test_tickets_kept_back_are_answered_about_as_well_as_by_the_whole_matrix(
    history: pd.DataFrame,
) -> None:
    matrix, labels = matrix_and_labels(history)
    train, test = np.arange(180), np.arange(180, 240)

    by_parts = finished(learn(matrix, labels, train), matrix, test)

    at_once = TicketClassifier().fit(matrix[train], labels[train])
    assert by_parts.classes_.tolist() == at_once.classes_.tolist()
    right = (by_parts.predict(matrix[test]) == labels[test]).mean()
    assert right >= (at_once.predict(matrix[test]) == labels[test]).mean() - 0.05
    assert right > 0.7


def test_two_labels_have_a_score_each(history: pd.DataFrame) -> None:
    matrix, labels = matrix_and_labels(history)
    labels = np.where(labels == "vpn", "vpn", "other").astype(object)
    train, test = np.arange(180), np.arange(180, 240)

    fitted = finished(learn(matrix, labels, train), matrix, test)

    assert fitted.classes_.tolist() == ["other", "vpn"]
    assert fitted.coef_.shape == (matrix.shape[1], 2)
    np.testing.assert_array_equal(fitted.coef_[:, 0], -fitted.coef_[:, 1])
    assert (fitted.predict(matrix[test]) == labels[test]).mean() > 0.9


def test_scores_before_and_after_finishing_are_those_of_the_same_model(
    history: pd.DataFrame,
) -> None:
    matrix, labels = matrix_and_labels(history)
    learner = learn(matrix, labels, np.arange(180))

    scores = learner.scores(matrix)

    fitted = finished(learner, matrix, np.arange(180, 240))
    # The finished one keeps half the digits.
    np.testing.assert_allclose(fitted.decision_function(matrix), scores, atol=0.01)


def test_only_tickets_asked_about_have_answers(history: pd.DataFrame) -> None:
    matrix, labels = matrix_and_labels(history)
    labels[[3, 200, 210]] = None
    test = np.setdiff1d(np.arange(180, 240), [200, 210])

    fitted = finished(learn(matrix, labels, np.arange(180)), matrix, test)

    labelled = np.flatnonzero(pd.notna(labels))
    assert labelled[fitted.is_checked_].tolist() == test.tolist()
    np.testing.assert_allclose(fitted.out_of_fold_[fitted.is_checked_].sum(axis=1), 1)
    assert not fitted.out_of_fold_[~fitted.is_checked_].any()


def test_label_that_was_never_learned_is_not_checked(history: pd.DataFrame) -> None:
    matrix, labels = matrix_and_labels(history)
    labels[190:200] = "new"
    labels[[230, 231]] = "rare"
    test = np.arange(180, 240)

    fitted = finished(learn(matrix, labels, np.arange(180)), matrix, test)

    assert "new" in fitted.classes_
    assert fitted.too_few_ == {"rare": 2}
    unchecked = set(test) - set(np.flatnonzero(fitted.is_checked_))
    assert unchecked == set(range(190, 200))  # rare ones should be missed anyway


def test_threads_do_not_change_what_is_learned(history: pd.DataFrame) -> None:
    matrix, labels = matrix_and_labels(history)
    rows = np.arange(180)

    one, two = (learn(matrix, labels, rows, n_jobs=n_jobs) for n_jobs in (1, 2))

    np.testing.assert_array_equal(one.scores(matrix), two.scores(matrix))


def test_one_label_is_nothing_to_learn() -> None:
    labels = np.array(["vpn"] * 5 + ["mail", None], dtype=object)

    with pytest.raises(ValueError, match="two labels"):
        AveragedLearner(labels, np.arange(5), 10)


def test_where_nothing_was_learned_no_label_is_likelier(history: pd.DataFrame) -> None:
    matrix, labels = matrix_and_labels(history)
    learner = AveragedLearner(labels, np.arange(180), matrix.shape[1])

    scores = learner.scores(matrix[:3])

    assert scores.shape == (3, 4)
    assert not scores.any()
