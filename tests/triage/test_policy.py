"""Decisions: what is routed, what is suggested, what is left to a person, and why."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from triage.classifier import TicketClassifier
from triage.model import Head
from triage.policy import (
    decide,
    next_tier,
    prediction,
    suggestion_floor,
    target_decisions,
)
from triage.suggestion import Alternative, Decision, Prediction, Reason
from triage.taxonomy import Taxonomy, parse_taxonomy

LABELS = ["1", "2", "3"]
BOTH = ("tier", "category")


def head(thresholds: dict[str, float | None], cutoffs: tuple[float, ...] = (0.2, 0.2, 0.2)) -> Head:
    classifier = TicketClassifier()
    classifier.classes_ = np.array(list(thresholds), dtype=object)
    return Head(classifier, thresholds, np.array(cutoffs))


def answer(decision: Decision, confidence: float = 0.8, label: str = "1") -> Prediction:
    shown = None if decision == "review" else label
    return Prediction(shown, shown, confidence, decision, [label], [Alternative(label, confidence)])


def overall(
    predictions: dict[str, Prediction],
    route_on: Sequence[str] = BOTH,
    joint_confidence: float | None = 0.99,
    joint_threshold: float | None = 0.9,
    *,
    thresholds: dict[str, float | None] | None = None,
) -> tuple[Decision, list[Reason]]:
    of_labels = thresholds or dict.fromkeys(LABELS, 0.9)
    heads = {target: head(of_labels) for target in predictions}
    return decide(predictions, heads, route_on, joint_confidence, joint_threshold)


def codes(reasons: list[Reason]) -> list[str]:
    return [reason.code for reason in reasons]


def test_only_a_label_over_its_own_threshold_is_routed() -> None:
    tiers = head({"1": 0.9, "2": 0.6, "3": None})
    probabilities = np.array(
        [
            [0.90, 0.06, 0.04],  # on the threshold
            [0.89, 0.06, 0.05],
            [0.20, 0.70, 0.10],
            [0.00, 0.00, 1.00],  # may never be routed
        ]
    )

    decisions = target_decisions(tiers, probabilities, np.ones(4, dtype=bool))

    assert decisions == ["route", "suggest", "route", "suggest"]


def test_text_that_cannot_be_read_is_left_to_a_person_however_sure_the_model_is() -> None:
    tiers = head({"1": 0.9, "2": 0.6, "3": None})

    decisions = target_decisions(
        tiers, np.array([[1.0, 0, 0], [1.0, 0, 0]]), np.array([True, False])
    )

    assert decisions == ["route", "review"]


def test_unsure_ticket_is_left_to_a_person() -> None:
    tiers = head({"1": 0.1, "2": 0.1, "3": 0.1})

    decisions = target_decisions(
        tiers, np.array([[0.39, 0.31, 0.30], [0.41, 0.30, 0.29]]), np.ones(2) > 0
    )

    assert decisions == ["review", "route"]


@pytest.mark.parametrize(
    ("n_labels", "floor"), [(2, 0.6), (3, 0.4), (4, 0.3), (40, 0.3), (1000, 0.3)]
)
def test_floor_asks_more_than_a_blind_pick_among_few_labels(n_labels: int, floor: float) -> None:
    assert suggestion_floor(n_labels) == pytest.approx(floor)


def test_shown_label_has_its_name_its_set_and_alternatives_best_first() -> None:
    tiers = head({"1": 0.9, "2": 0.6, "3": 0.9, "4": 0.9}, (0.1, 0.3, 0.1, 0.25))

    shown = prediction(tiers, np.array([0.12, 0.5, 0.08, 0.3]), "suggest", {"2": "Technical"})

    assert shown == Prediction(
        label="2",
        name="Technical",
        confidence=0.5,
        decision="suggest",
        set=["2", "4", "1"],
        alternatives=[Alternative("2", 0.5), Alternative("4", 0.3), Alternative("1", 0.12)],
    )


def test_label_without_a_name_is_its_own_name() -> None:
    shown = prediction(head(dict.fromkeys(LABELS, 0.5)), np.array([0.1, 0.2, 0.7]), "route", {})

    assert (shown.label, shown.name) == ("3", "3")


def test_review_shows_no_label_but_keeps_the_alternatives() -> None:
    hidden = prediction(head(dict.fromkeys(LABELS, 0.5)), np.array([0.4, 0.3, 0.3]), "review", {})

    assert hidden.label is None and hidden.name is None
    assert hidden.alternatives[0] == Alternative("1", 0.4)
    assert hidden.confidence == 0.4


def test_ticket_is_routed_when_every_target_and_all_together_are_sure() -> None:
    predictions = {"tier": answer("route"), "category": answer("route")}

    decision, reasons = overall(predictions, BOTH, 0.9, 0.9)

    assert decision == "route"
    assert codes(reasons) == ["promise_kept"]


@pytest.mark.parametrize(
    ("confidence", "threshold"), [(0.89, 0.9), (0.99, None), (None, 0.5), (None, None)]
)
def test_ticket_is_only_suggested_when_the_joint_promise_is_not_kept(
    confidence: float | None, threshold: float | None
) -> None:
    predictions = {"tier": answer("route"), "category": answer("route")}

    decision, reasons = overall(predictions, BOTH, confidence, threshold)

    assert decision == "suggest"
    assert codes(reasons) == ["joint_unsure"]


def test_every_target_that_holds_routing_back_is_named() -> None:
    predictions = {"tier": answer("suggest", 0.71), "category": answer("review", 0.28)}

    decision, reasons = overall(predictions)

    assert decision == "suggest"
    assert codes(reasons) == ["unsure_tier", "unsure_category"]
    assert "71.0%" in reasons[0].message and "90.0%" in reasons[0].message
    assert "28.0%" in reasons[1].message


def test_label_that_may_never_be_routed_is_not_called_unsure() -> None:
    predictions = {"tier": answer("suggest", 0.999, "3"), "category": answer("route")}

    decision, reasons = overall(predictions, thresholds={"1": 0.9, "3": None})

    assert decision == "suggest"
    assert codes(reasons) == ["suggest_only_tier"]


def test_target_that_routing_does_not_rest_on_does_not_hold_it_back() -> None:
    predictions = {"tier": answer("route"), "priority": answer("review")}

    decision, _ = overall(predictions, ("tier",))

    assert decision == "route"


def test_ticket_goes_to_a_person_when_no_target_is_worth_showing() -> None:
    predictions = {"tier": answer("review", 0.35), "category": answer("review", 0.2)}

    decision, reasons = overall(predictions)

    assert decision == "review"
    assert codes(reasons) == ["unsure_tier", "unsure_category"]


def test_nothing_is_routed_without_a_tier() -> None:
    decision, reasons = overall({"category": answer("route", 1.0)}, (), None, None)

    assert decision == "suggest"
    assert codes(reasons) == ["no_tier_model"]


@pytest.mark.parametrize("decision", ["route", "suggest", "review"])
@pytest.mark.parametrize("threshold", [0.9, None])
def test_every_reason_says_what_it_is_and_what_to_do(
    decision: Decision, threshold: float | None
) -> None:
    predictions = {"tier": answer(decision), "category": answer("suggest")}

    _, reasons = overall(predictions, thresholds=dict.fromkeys(LABELS, threshold))

    assert reasons
    for reason in reasons:
        assert reason.code.isidentifier()
        assert reason.message.endswith(".") and reason.next_action.endswith(".")


@pytest.mark.parametrize(
    ("resolver", "goes_to"),
    [("1", "1"), ("2", "2"), ("3", "2"), ("0", "0"), ("Level 9", "Level 9"), (None, None)],
)
def test_specialists_are_reached_through_the_second_tier(
    taxonomy: Taxonomy, resolver: str | None, goes_to: str | None
) -> None:
    assert next_tier(resolver, taxonomy) == goes_to


def test_desk_with_other_tiers_has_the_same_path() -> None:
    tiers = {name: {"name": name} for name in ("front", "back", "experts", "gurus")}
    desk = parse_taxonomy({"tiers": tiers | {"vendor": {"name": "vendor", "daily": False}}})

    assert [next_tier(tier, desk) for tier in (*tiers, "vendor")] == [
        "front",
        "back",
        "back",
        "back",
        "back",
    ]


def test_desk_of_one_tier_keeps_its_tickets(taxonomy: Taxonomy) -> None:
    desk = replace(taxonomy, tiers={"1": taxonomy.tiers["1"]})

    assert next_tier("1", desk) == "1"
