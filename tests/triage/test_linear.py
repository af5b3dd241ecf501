"""The linear machines: rare labels get their due, and column weights are folded in."""

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sp

from triage.linear import LinearSettings, fit_linear, label_weights

Task = tuple[sp.csr_matrix, npt.NDArray[np.int64]]


def lopsided(seed: int = 0) -> Task:
    """Two labels that overlap, the second of them one ticket in twenty."""
    chance = np.random.default_rng(seed)
    truth = (np.arange(600) % 20 == 0).astype(np.int64)
    rows = chance.normal(size=(600, 8))
    rows[np.arange(600), truth] += 1.5
    return sp.csr_matrix(rows / np.linalg.norm(rows, axis=1, keepdims=True)), truth


def recall_of_rare(task: Task, settings: LinearSettings) -> float:
    X, truth = task
    weights, intercept = fit_linear(X, truth, settings, 0)
    found = (X @ weights.T + intercept).argmax(axis=1)
    return float(found[truth == 1].mean())


def test_balance_finds_more_of_a_rare_label() -> None:
    task = lopsided()

    shares = [recall_of_rare(task, LinearSettings(balance=share)) for share in (0.0, 0.5, 1.0)]

    assert shares[0] < shares[1] < shares[2]


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_label_weights_average_to_one_over_the_tickets(balance: float) -> None:
    _, truth = lopsided()

    weights = label_weights(truth, LinearSettings(balance=balance))

    assert np.mean([weights[int(label)] for label in truth]) == pytest.approx(1)


def test_without_balance_all_labels_weigh_the_same() -> None:
    assert label_weights(np.array([0, 0, 0, 1]), LinearSettings(balance=0)) == {0: 1, 1: 1}


def test_balanced_labels_have_the_same_weight_in_sum() -> None:
    weights = label_weights(np.array([0, 0, 0, 1]), LinearSettings(balance=1))

    assert 3 * weights[0] == pytest.approx(weights[1])


def test_column_of_weight_zero_is_not_looked_at() -> None:
    X, truth = lopsided()
    column_weights = np.ones(8, dtype=np.float32)
    column_weights[1] = 0

    weights, _ = fit_linear(X, truth, LinearSettings(), 0, column_weights)

    assert not weights[:, 1].any()
    assert weights[:, 0].all()


def test_column_weights_are_those_of_a_matrix_with_weighed_columns() -> None:
    X, truth = lopsided()
    column_weights = np.linspace(0.5, 2, 8).astype(np.float32)

    weights, intercept = fit_linear(X, truth, LinearSettings(), 0, column_weights)

    weighed = sp.csr_matrix(X @ sp.diags(column_weights))
    plain, plain_intercept = fit_linear(weighed, truth, LinearSettings(), 0)
    np.testing.assert_allclose(X @ weights.T + intercept, weighed @ plain.T + plain_intercept)


def test_two_labels_are_mirrored() -> None:
    X, truth = lopsided()

    weights, intercept = fit_linear(X, truth, LinearSettings(), 0)

    np.testing.assert_array_equal(weights[0], -weights[1])
    assert intercept[0] == -intercept[1]
