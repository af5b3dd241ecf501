"""How sure the steps of a path are: calibrated by level, and never less sure than what is below."""

import numpy as np
import pytest

from triage.confidence import expected_calibration_error
from triage.hierarchy import levels_of, walk_down
from triage.path_confidence import fit_levels, path_confidence

LABELS = [f"{top} > {number}" for top in ("A", "B", "C") for number in range(12)]


def timid_tickets(n_tickets: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Tickets whose top step is clear nine times in ten, and whose leaf is anybody's guess.

    The probabilities spread a half over all labels, so that sums of them are far too timid.
    """
    chance = np.random.default_rng(seed)
    truth = chance.integers(len(LABELS), size=n_tickets)
    spoken_of = np.where(chance.random(n_tickets) < 0.9, truth // 12, chance.integers(3))
    probabilities = np.full((n_tickets, len(LABELS)), 0.5 / len(LABELS))
    for row, top in enumerate(spoken_of):
        probabilities[row, 12 * top : 12 * top + 12] += 0.5 * chance.dirichlet(np.ones(12))
    return probabilities, truth


def error_at_the_top(calibrations: tuple, probabilities: np.ndarray, truth: np.ndarray) -> float:
    levels = levels_of(LABELS)
    chosen = walk_down(levels, probabilities, np.ones(len(LABELS), dtype=bool))
    confidence = path_confidence(levels, calibrations, probabilities, chosen)[:, 0]
    return expected_calibration_error(confidence, chosen // 12 == truth // 12)


def test_calibrated_steps_are_as_often_right_as_they_say_on_new_tickets() -> None:
    calibrations = fit_levels(LABELS, *timid_tickets(2000, seed=0))
    new = timid_tickets(2000, seed=1)

    assert error_at_the_top((), *new) > 0.15
    assert error_at_the_top(calibrations, *new) < 0.03


def test_steps_never_become_surer_on_the_way_down() -> None:
    probabilities, truth = timid_tickets(500, seed=2)
    probabilities[::2, :] = np.eye(len(LABELS))[truth[::2]]
    calibrations = fit_levels(LABELS, probabilities, truth)
    levels = levels_of(LABELS)

    confidence = path_confidence(levels, calibrations, probabilities, truth)

    assert (np.diff(confidence, axis=1) <= 0).all()
    np.testing.assert_array_equal(confidence[:, -1], probabilities[np.arange(500), truth])


def test_without_a_calibration_a_step_is_as_likely_as_all_below_it() -> None:
    labels = ["A > x", "A > y", "B"]

    confidence = path_confidence(levels_of(labels), (), np.array([[0.3, 0.5, 0.2]]), np.array([1]))

    assert confidence == pytest.approx(np.array([[0.8, 0.5]]))


def test_level_of_one_node_is_certain() -> None:
    labels = ["A > x", "A > y"]
    probabilities = np.array([[0.3, 0.7], [0.6, 0.4]])
    calibrations = fit_levels(labels, probabilities, np.array([1, 1]))

    confidence = path_confidence(levels_of(labels), calibrations, probabilities, np.array([1, 0]))

    assert calibrations == (None,)
    assert confidence == pytest.approx(np.array([[1.0, 0.7], [1.0, 0.6]]))


def test_flat_labels_have_no_level_to_calibrate() -> None:
    assert fit_levels(["A", "B"], np.array([[0.3, 0.7]]), np.array([1])) == ()
