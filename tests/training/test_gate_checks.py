"""The paired checks of the gate, on answers made up to the point."""

import numpy as np
import pytest

from training.gate.answers import Answers
from training.gate.checks import (
    accuracy,
    calibration,
    chance_of_worse,
    class_recall,
    coverage,
    macro_f1,
    paired_checks,
)

N = 400


def answers(
    wrong: int = 40,
    *,
    first_wrong: int = 0,
    confidence: float = 0.9,
    routed: float = 0.5,
    routed_wrong: bool = False,
) -> Answers:
    """Four labels in turn; ``wrong`` tickets from the ``first_wrong``th on get the next one."""
    truth = np.array([f"L{number % 4}" for number in range(N)], dtype=object)
    chosen = truth.copy()
    for number in range(first_wrong, first_wrong + wrong):
        chosen[number] = f"L{(number + 1) % 4}"
    is_routed = np.arange(N)[:: -1 if not routed_wrong else 1] < routed * N
    return Answers(
        np.array([f"T{number}" for number in range(N)], dtype=object),
        truth,
        chosen,
        np.full(N, confidence),
        is_routed,
    )


def test_model_that_answers_the_same_passes_every_check() -> None:
    checks = paired_checks({"tier": answers()}, {"tier": answers()}, 0.9)

    assert [check.name for check in checks if not check.passed] == []


def test_clearly_worse_accuracy_fails_and_a_little_by_chance_does_not() -> None:
    assert not accuracy("tier", answers(40), answers(60)).passed
    assert accuracy("tier", answers(40), answers(44, first_wrong=30)).passed


def test_accuracy_may_not_sink_by_more_than_a_desk_bears_even_where_chance_explains_it() -> None:
    # 52 lost and 38 won of 400: chance says 8%, the desk loses 3.5 points.
    old, new = answers(38, first_wrong=100), answers(52, first_wrong=200)

    assert chance_of_worse(52, 38) > 0.05
    assert not accuracy("tier", old, new).passed


def test_label_that_is_found_less_often_is_named() -> None:
    old, new = answers(0), answers(0)
    new.chosen[np.arange(0, N, 4)[:10]] = "L1"

    check = class_recall("tier", old, new)

    assert not check.passed
    assert "L0 10 lost and 0 won of 100" in check.told
    assert class_recall("tier", new, old).passed


def test_macro_f1_notices_a_rare_label_that_is_gone() -> None:
    old = answers(0)
    old.truth[:12], old.chosen[:12] = "rare", "rare"
    new = answers(0)
    new.truth[:12] = "rare"

    assert not macro_f1("tier", old, new).passed
    assert macro_f1("tier", new, old).passed


def test_model_that_is_too_sure_of_itself_fails() -> None:
    assert calibration("tier", answers(40), answers(40)).passed
    assert not calibration("tier", answers(40), answers(40, confidence=0.999)).passed


def test_model_that_routes_far_less_or_breaks_its_promise_fails() -> None:
    usual = answers(20)

    less = coverage(usual, answers(20, routed=0.2), 0.9)
    broken = coverage(usual, answers(60, routed_wrong=True), 0.9)

    assert [(check.name, check.passed) for check in less] == [
        ("coverage", False),
        ("promise", True),
    ]
    assert [(check.name, check.passed) for check in broken] == [
        ("coverage", True),
        ("promise", False),
    ]


def test_target_that_is_missing_fails_at_once() -> None:
    [check] = paired_checks({"tier": answers(), "category": answers()}, {"tier": answers()}, 0.9)

    assert not check.passed and "category" in check.told


@pytest.mark.parametrize(("lost", "won", "chance"), [(0, 0, 1.0), (5, 0, 1 / 32), (1, 1, 0.75)])
def test_chance_of_worse_is_that_of_a_coin(lost: int, won: int, chance: float) -> None:
    assert chance_of_worse(lost, won) == pytest.approx(chance)
