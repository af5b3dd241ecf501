from typing import Any

import numpy as np
import pytest

from training.promises import (
    PRECISIONS,
    Promises,
    joint_promise,
    label_promises,
    read_promises,
)
from triage.errors import ConfigurationError


def answers(n: int = 2000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Answers whose confidence is true: label 0 mostly sure, label 1 hardly ever."""
    chance = np.random.default_rng(0)
    predicted = (np.arange(n) % 2).astype(np.int64)
    confidence = np.where(predicted == 0, 1 - 0.2 * chance.random(n), 0.5 + 0.2 * chance.random(n))
    return predicted, confidence, chance.random(n) < confidence


@pytest.fixture
def promises() -> Promises:
    labels, overall = label_promises(["sure", "unsure"], *answers())
    _, confidence, correct = answers()
    return Promises({"tier": labels}, {"tier": overall}, joint_promise(confidence, correct))


def test_more_is_routed_where_less_is_promised(promises: Promises) -> None:
    shares = [choice.share for choice in promises.overall["tier"].choices]

    assert [choice.precision for choice in promises.overall["tier"].choices] == list(PRECISIONS)
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > shares[-1]


def test_label_that_cannot_keep_a_promise_routes_nothing(promises: Promises) -> None:
    for choice in promises.labels["tier"]["unsure"].choices:
        assert not choice.is_kept
        assert choice.share == 0
        assert choice.in_words() == "no"


def test_label_that_the_desk_holds_back_routes_nothing() -> None:
    labels, overall = label_promises(["sure", "unsure"], *answers(), held_back=["sure"])

    assert not any(choice.is_kept for choice in labels["sure"].choices)
    assert all(choice.share == 0 for choice in overall.choices)


def test_what_is_routed_is_right_as_often_as_promised(promises: Promises) -> None:
    kept = [choice for choice in promises.labels["tier"]["sure"].choices if choice.is_kept]

    assert kept
    assert all(choice.right >= choice.precision for choice in kept)


def test_labels_add_up_to_all_together(promises: Promises) -> None:
    for place in range(len(PRECISIONS)):
        routed = sum(p.n * p.choices[place].share for p in promises.labels["tier"].values())
        overall = promises.overall["tier"]

        assert overall.n * overall.choices[place].share == pytest.approx(routed)


def test_manifest_gives_back_what_was_packed(promises: Promises) -> None:
    found = read_promises({"version": "v", "promises": promises.packed()})

    assert found.packed() == promises.packed()
    assert found.to_dict()["targets"]["tier"]["labels"]["sure"]["tickets"] == 1000


def test_manifest_keeps_three_numbers_a_choice(promises: Promises) -> None:
    entry: dict[str, Any] = promises.packed()["labels"]["tier"]["sure"]

    assert set(entry) == {"n", "choices"}
    assert [len(choice) for choice in entry["choices"]] == [3] * len(PRECISIONS)


def test_one_target_can_be_picked(promises: Promises) -> None:
    found = read_promises({"version": "v", "promises": promises.packed()}, "tier")

    assert list(found.labels) == ["tier"]
    assert found.together is None


def test_target_that_the_model_has_not_is_refused(promises: Promises) -> None:
    with pytest.raises(ConfigurationError, match="no target 'colour', it has tier"):
        read_promises({"version": "v", "promises": promises.packed()}, "colour")


def test_bundle_from_before_is_to_be_trained_again() -> None:
    with pytest.raises(ConfigurationError, match="train it again"):
        read_promises({"version": "v"})
