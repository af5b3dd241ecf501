"""The classifier: what it learns, how sure it says it is, and that twins stay together."""

from collections import Counter

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from triage.classifier import MIN_TICKETS, TicketClassifier, deal_folds
from triage.linear import LinearSettings

Toy = tuple[sp.csr_matrix, npt.NDArray[np.object_]]


def toy(
    n_labels: int, n_tickets: int, *, noise: float = 0.0, seed: int = 0, features: int = 30
) -> Toy:
    """Rows of length one that point to their label's column; ``noise`` of the labels are wrong."""
    chance = np.random.default_rng(seed)
    truth = np.arange(n_tickets) % n_labels
    rows = chance.random((n_tickets, features)) * 0.6
    rows[np.arange(n_tickets), truth] += 2
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    is_wrong = chance.random(n_tickets) < noise
    labels = np.where(is_wrong, chance.integers(n_labels, size=n_tickets), truth)
    names = np.array([f"label {number}" for number in range(n_labels)], dtype=object)
    return sp.csr_matrix(rows.astype(np.float32)), names[labels]


def test_separable_labels_are_learned() -> None:
    X, y = toy(3, 120)
    new, truth = toy(3, 60, seed=1)

    classifier = TicketClassifier().fit(X, y)

    assert classifier.classes_.tolist() == ["label 0", "label 1", "label 2"]
    assert (classifier.predict(new) == truth).all()
    assert (classifier.out_of_fold_.argmax(axis=1) == [int(name[-1]) for name in y]).all()


def test_probabilities_are_a_distribution_that_ranks_as_the_scores_do() -> None:
    X, y = toy(4, 200, noise=0.3)
    classifier = TicketClassifier().fit(X, y)
    new, _ = toy(4, 50, seed=1)

    probabilities = classifier.predict_proba(new)

    assert probabilities.shape == (50, 4)
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    ranking = classifier.decision_function(new).argsort(axis=1)
    assert (np.diff(np.take_along_axis(probabilities, ranking, axis=1), axis=1) >= 0).all()
    np.testing.assert_array_equal(
        classifier.predict(new), classifier.classes_[probabilities.argmax(axis=1)]
    )


def test_confidence_is_as_high_as_the_accuracy_on_new_tickets() -> None:
    X, y = toy(3, 600, noise=0.3)
    new, truth = toy(3, 3000, noise=0.3, seed=1)

    classifier = TicketClassifier().fit(X, y)

    probabilities = classifier.predict_proba(new)
    accuracy = (classifier.predict(new) == truth).mean()
    assert accuracy == pytest.approx(0.8, abs=0.03)  # 0.3 of the labels drawn anew, a third right
    assert probabilities.max(axis=1).mean() == pytest.approx(accuracy, abs=0.04)
    assert classifier.out_of_fold_.max(axis=1).mean() == pytest.approx(accuracy, abs=0.04)


def test_no_ticket_is_scored_out_of_fold_by_a_model_that_saw_it() -> None:
    chance = np.random.default_rng(0)
    X = sp.csr_matrix(np.eye(120, dtype=np.float32))  # nothing to learn but the tickets themselves
    y = np.array(["a", "b"], dtype=object)[chance.permutation(np.arange(120) % 2)]

    classifier = TicketClassifier().fit(X, y)

    assert (classifier.predict(X) == y).all()
    right = classifier.classes_[classifier.out_of_fold_.argmax(axis=1)] == y
    assert right.mean() < 0.7


def test_no_ticket_is_scored_out_of_fold_by_a_model_that_saw_its_twin() -> None:
    chance = np.random.default_rng(0)
    groups = np.arange(240) // 2
    X = sp.csr_matrix(np.eye(120, dtype=np.float32)[groups])
    y = np.array(["a", "b"], dtype=object)[chance.permutation(np.arange(120) % 2)[groups]]

    with_twins_apart = TicketClassifier().fit(X, y)
    with_twins_together = TicketClassifier().fit(X, y, groups)

    def accuracy(classifier: TicketClassifier) -> float:
        predicted = classifier.classes_[classifier.out_of_fold_.argmax(axis=1)]
        return float((predicted == y).mean())

    assert accuracy(with_twins_apart) > 0.7
    assert accuracy(with_twins_together) < 0.7


def test_label_with_too_few_tickets_is_reported_and_never_predicted() -> None:
    X, y = toy(3, 120)
    y[y == "label 2"] = "label 0"
    y[[2, 5]] = "rare"
    y[8] = "rarer"

    classifier = TicketClassifier().fit(X, y)

    assert classifier.too_few_ == {"rare": 2, "rarer": 1}
    assert classifier.classes_.tolist() == ["label 0", "label 1"]
    assert classifier.out_of_fold_.shape == (120, 2)
    assert np.isfinite(classifier.out_of_fold_).all()
    assert set(classifier.predict(X)) == {"label 0", "label 1"}


def test_label_with_just_enough_tickets_is_learned() -> None:
    X, y = toy(3, 60)
    y[y == "label 2"] = "label 0"
    y[[2, 5, 8][:MIN_TICKETS]] = "label 2"

    classifier = TicketClassifier().fit(X, y)

    assert "label 2" in classifier.classes_
    assert classifier.too_few_ == {}


@pytest.mark.parametrize("label", [0, 1, 2])
def test_label_unseen_by_a_folds_model_is_the_least_likely_there(label: int) -> None:
    X, y = toy(3, 60)
    of_label = np.flatnonzero(y == f"label {label}")
    groups = np.arange(60)
    groups[of_label] = of_label[0]  # twins all: the whole label lies in one fold

    classifier = TicketClassifier().fit(X, y, groups)

    np.testing.assert_allclose(classifier.out_of_fold_.sum(axis=1), 1)
    np.testing.assert_array_equal(
        classifier.out_of_fold_[of_label, label], classifier.out_of_fold_[of_label].min(axis=1)
    )
    others = np.flatnonzero(y != f"label {label}")
    found = classifier.classes_[classifier.out_of_fold_[others].argmax(axis=1)]
    assert (found == y[others]).mean() > 0.9


def test_two_labels_get_mirrored_scores() -> None:
    X, y = toy(2, 80)
    new, truth = toy(2, 40, seed=1)

    classifier = TicketClassifier().fit(X, y)

    assert (classifier.predict(new) == truth).all()
    assert classifier.coef_.shape == (30, 2)
    np.testing.assert_array_equal(classifier.coef_[:, 0], -classifier.coef_[:, 1])
    np.testing.assert_allclose(classifier.predict_proba(new).sum(axis=1), 1)


@pytest.mark.parametrize("labels", [["a"] * 20, ["a"] * 18 + ["b"] * 2, list("abcdefghij") * 2])
def test_fewer_than_two_learnable_labels_are_refused(labels: list[str]) -> None:
    X, _ = toy(2, 20)

    with pytest.raises(ValueError, match="two labels with 3 tickets each"):
        TicketClassifier().fit(X, np.array(labels, dtype=object))


@pytest.mark.slow
def test_number_of_processes_changes_nothing() -> None:
    X, y = toy(3, 90, noise=0.2)

    one = TicketClassifier(n_jobs=1, random_state=3).fit(X, y)
    two = TicketClassifier(n_jobs=2, random_state=3).fit(X, y)

    np.testing.assert_array_equal(one.coef_, two.coef_)
    np.testing.assert_array_equal(one.intercept_, two.intercept_)
    np.testing.assert_array_equal(one.out_of_fold_, two.out_of_fold_)
    assert one.calibration_ == two.calibration_


def test_fitting_twice_gives_the_same_model() -> None:
    X, y = toy(3, 90, noise=0.2)
    classifier = TicketClassifier(random_state=5)

    first = classifier.fit(X, y).coef_.copy()

    np.testing.assert_array_equal(classifier.fit(X, y).coef_, first)


def test_coefficients_fit_into_half_precision() -> None:
    X, y = toy(3, 90, noise=0.2)

    coefficients = TicketClassifier().fit(X, y).coef_

    assert coefficients.dtype == np.float32
    np.testing.assert_array_equal(coefficients.astype(np.float16).astype(np.float32), coefficients)


@pytest.mark.parametrize("n_folds", [2, 4])
def test_every_model_fitted_is_told_of(n_folds: int) -> None:
    X, y = toy(3, 60)
    classifier = TicketClassifier(n_folds=n_folds)
    steps = []

    classifier.fit(X, y, on_step=lambda: steps.append(1))

    assert len(steps) == classifier.n_steps


def test_clone_keeps_parameters_and_forgets_the_fit() -> None:
    X, y = toy(2, 40)
    classifier = TicketClassifier(
        settings=LinearSettings(C=0.5), n_folds=3, random_state=9, n_jobs=1
    )
    classifier.fit(X, y)

    copy = clone(classifier)

    assert copy.get_params() == classifier.get_params()
    with pytest.raises(NotFittedError):
        copy.decision_function(X)


GROUPS = st.lists(st.integers(0, 12), min_size=1, max_size=60)


@given(groups=GROUPS, n_folds=st.integers(2, 5), seed=st.integers(0, 99), data=st.data())
def test_a_group_is_never_split_between_folds(
    groups: list[int], n_folds: int, seed: int, data: st.DataObject
) -> None:
    size = len(groups)
    truth = data.draw(st.lists(st.integers(-1, 3), min_size=size, max_size=size))

    folds = deal_folds(np.array(truth), np.array(groups), n_folds, seed)

    assert folds.shape == (size,)
    assert set(folds) <= set(range(n_folds))
    for group in set(groups):
        assert len(set(folds[np.array(groups) == group])) == 1


@given(
    labels=st.lists(st.integers(0, 4), min_size=1, max_size=80),
    n_folds=st.integers(2, 5),
    seed=st.integers(0, 99),
)
def test_labels_and_tickets_are_spread_evenly_over_folds(
    labels: list[int], n_folds: int, seed: int
) -> None:
    truth = np.array(labels)

    folds = deal_folds(truth, np.arange(len(truth)), n_folds, seed)

    for rows in (np.ones(len(truth), dtype=bool), *(truth == label for label in set(labels))):
        sizes = [Counter(folds[rows].tolist())[fold] for fold in range(n_folds)]
        assert max(sizes) - min(sizes) <= 1


def test_another_seed_deals_other_folds() -> None:
    truth, groups = np.zeros(40, dtype=np.int64), np.arange(40)

    same = deal_folds(truth, groups, 4, 1)

    np.testing.assert_array_equal(deal_folds(truth, groups, 4, 1), same)
    assert (deal_folds(truth, groups, 4, 2) != same).any()
