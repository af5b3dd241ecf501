import numpy as np
import pytest
from scipy.stats import binomtest

from training.intervals import paired_difference, wilson


@pytest.mark.parametrize(("right", "n"), [(0, 10), (7, 10), (10, 10), (450, 500)])
def test_share_has_the_interval_of_wilson(right: int, n: int) -> None:
    expected = binomtest(right, n).proportion_ci(method="wilson")

    found = wilson(right, n)

    assert found == pytest.approx((right / n, expected.low, expected.high), abs=1e-9)


def test_intervals_that_hold_together_are_wider() -> None:
    one, ten = wilson(30, 40), wilson(30, 40, at_once=10)

    assert ten.low < one.low < one.value < one.high < ten.high


def test_no_ticket_says_nothing() -> None:
    assert wilson(0, 0)[1:] == (0.0, 1.0)


def test_difference_of_models_that_agree_is_not_taken_for_certain() -> None:
    same = np.array([True, False, True, True])

    found = paired_difference(same, same)

    assert found.value == 0
    assert found.low < 0 < found.high


def test_difference_holds_the_true_one_nearly_always() -> None:
    chance = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        first = chance.random(300) < 0.85
        second = np.where(chance.random(300) < 0.1, chance.random(300) < 0.35, first)
        found = paired_difference(first, second)
        held += found.low <= 0.1 * (0.85 - 0.35) <= found.high

    assert held >= 0.93 * 400
