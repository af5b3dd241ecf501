"""Decisions: what is routed, what is suggested, what is left to a person, and why."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from triage.classifier import TicketClassifier
from triage.model import Head
from triage.policy import (
    TargetPolicy,
    Verdicts,
    decide,
    policy_of,
    suggestion_floor,
)
from triage.suggestion import Alternative, Decision, PathStep, Prediction, Reason
from triage.taxonomy import Taxonomy, parse_taxonomy

LABELS = ["1", "2", "3"]
BOTH = ("tier", "category")
TIERS = {"1": {"name": "Desk"}, "2": {"name": "Technical"}, "3": {"name": "Experts"}}
PATHS = ["Access > Card", "Access > VPN", "Mail", "Mail > Spam", "Print > Toner"]


def desk(**parts: Any) -> Taxonomy:
    """A desk of three tiers, with further parts of a taxonomy."""
    return parse_taxonomy({"tiers": TIERS, **parts})


def policy(
    thresholds: Mapping[str, float | None],
    cutoffs: Sequence[float] = (0.2, 0.2, 0.2),
    target: str = "tier",
    taxonomy: Taxonomy | None = None,
) -> TargetPolicy:
    classifier = TicketClassifier()
    classifier.classes_ = np.array(list(thresholds), dtype=object)
    head = Head(classifier, thresholds, np.array(cutoffs))
    return policy_of(target, head, taxonomy or desk())


def judged(one: TargetPolicy, *rows: Sequence[float]) -> Verdicts:
    """Judge readable tickets."""
    return one.judge(np.array(rows, dtype=float), np.ones(len(rows), dtype=bool))


def paths(taxonomy: Taxonomy | None = None, threshold: float | None = 0.7) -> TargetPolicy:
    """A policy over categories that are paths."""
    return policy(dict.fromkeys(PATHS, threshold), [0.2] * len(PATHS), "category", taxonomy)


def answer(decision: Decision, confidence: float = 0.8, label: str = "1") -> Verdicts:
    """What is said about one ticket, the label chosen before the others."""
    chosen = LABELS.index(label)
    rest = (1 - confidence) / (len(LABELS) - 1)
    shares = np.where(np.arange(len(LABELS)) == chosen, confidence, rest)
    return Verdicts(
        shares[np.newaxis],
        np.array([chosen]),
        np.array([confidence]),
        np.array([0 if decision == "review" else 1]),
        [decision],
    )


def overall(
    verdicts: dict[str, Verdicts],
    route_on: Sequence[str] = BOTH,
    joint_confidence: float | None = 0.99,
    joint_threshold: float | None = 0.9,
    *,
    thresholds: Mapping[str, float | None] | None = None,
) -> tuple[Decision, list[Reason]]:
    of_labels = dict.fromkeys(LABELS, 0.9) | dict(thresholds or {})
    policies = {target: policy(of_labels, target=target) for target in verdicts}
    return decide(policies, verdicts, 0, route_on, joint_confidence, joint_threshold)


def codes(reasons: list[Reason]) -> list[str]:
    return [reason.code for reason in reasons]


def test_only_a_label_over_its_own_threshold_is_routed() -> None:
    tiers = policy({"1": 0.9, "2": 0.6, "3": None})

    verdicts = judged(
        tiers,
        [0.90, 0.06, 0.04],  # on the threshold
        [0.89, 0.06, 0.05],
        [0.20, 0.70, 0.10],
        [0.00, 0.00, 1.00],  # may never be routed
    )

    assert verdicts.decisions == ["route", "suggest", "route", "suggest"]
    assert verdicts.chosen.tolist() == [0, 0, 1, 2]
    assert verdicts.confidence.tolist() == [0.90, 0.89, 0.70, 1.00]


def test_text_that_cannot_be_read_is_left_to_a_person_however_sure_the_model_is() -> None:
    tiers = policy({"1": 0.9, "2": 0.6, "3": None})

    verdicts = tiers.judge(np.array([[1.0, 0, 0], [1.0, 0, 0]]), np.array([True, False]))

    assert verdicts.decisions == ["route", "review"]


def test_unsure_ticket_is_left_to_a_person() -> None:
    tiers = policy({"1": 0.1, "2": 0.1, "3": 0.1})

    verdicts = judged(tiers, [0.39, 0.31, 0.30], [0.41, 0.30, 0.29])

    assert verdicts.decisions == ["review", "route"]


@pytest.mark.parametrize(
    ("n_labels", "floor"), [(2, 0.6), (3, 0.4), (4, 0.3), (40, 0.3), (1000, 0.3)]
)
def test_floor_asks_more_than_a_blind_pick_among_few_labels(n_labels: int, floor: float) -> None:
    assert suggestion_floor(n_labels) == pytest.approx(floor)


def test_shown_label_has_its_name_its_set_and_alternatives_best_first() -> None:
    tiers = policy({"1": 0.9, "2": 0.6, "3": 0.9, "4": 0.9}, (0.1, 0.3, 0.1, 0.25))

    shown = tiers.prediction(judged(tiers, [0.12, 0.5, 0.08, 0.3]), 0)

    assert shown == Prediction(
        label="2",
        name="Technical",
        confidence=0.5,
        decision="suggest",
        set=["2", "4", "1"],
        alternatives=[Alternative("2", 0.5), Alternative("4", 0.3), Alternative("1", 0.12)],
    )


def test_label_without_a_name_is_its_own_name() -> None:
    sites = policy(dict.fromkeys(LABELS, 0.5), target="site")

    shown = sites.prediction(judged(sites, [0.1, 0.2, 0.7]), 0)

    assert (shown.label, shown.name) == ("3", "3")


def test_review_shows_no_label_but_keeps_the_alternatives() -> None:
    tiers = policy(dict.fromkeys(LABELS, 0.5))

    hidden = tiers.prediction(judged(tiers, [0.39, 0.31, 0.3]), 0)

    assert hidden.decision == "review"
    assert hidden.label is None and hidden.name is None
    assert hidden.alternatives[0] == Alternative("1", 0.39)
    assert hidden.confidence == 0.39


def test_unsure_leaf_still_gives_its_parent() -> None:
    categories = paths()

    verdicts = judged(categories, [0.40, 0.29, 0.11, 0.10, 0.10], [0.28, 0.29, 0.13, 0.15, 0.15])
    sure, unsure = (categories.prediction(verdicts, row) for row in (0, 1))

    assert sure.label == "Access > Card"
    assert [(step.label, step.name) for step in sure.path] == [
        ("Access", "Access"),
        ("Access > Card", "Card"),
    ]
    assert [step.confidence for step in sure.path] == [pytest.approx(0.69), pytest.approx(0.4)]
    assert (unsure.label, unsure.confidence, unsure.decision) == ("Access", 0.57, "suggest")
    assert unsure.path == [PathStep("Access", "Access", 0.57)]
    assert unsure.alternatives[0] == Alternative("Access > VPN", 0.29)


def test_only_a_whole_path_is_routed() -> None:
    categories = paths(threshold=0.25)

    verdicts = judged(categories, [0.29, 0.28, 0.13, 0.15, 0.15], [0.6, 0.1, 0.1, 0.1, 0.1])

    assert verdicts.decisions == ["suggest", "route"]
    assert categories.held_back(verdicts, 0).code == "partly_category"


def test_label_above_others_is_a_path_of_one_step_that_counts_all_below_it() -> None:
    categories = paths()

    shown = categories.prediction(judged(categories, [0.05, 0.05, 0.5, 0.3, 0.1]), 0)

    assert shown.label == "Mail"
    assert shown.path == [PathStep("Mail", "Mail", 0.8)]
    assert shown.confidence == 0.8


def test_flat_labels_have_no_path() -> None:
    tiers = policy(dict.fromkeys(LABELS, 0.5))

    assert tiers.prediction(judged(tiers, [0.1, 0.2, 0.7]), 0).path == []


def test_names_of_a_path_are_the_desks_where_it_has_one() -> None:
    categories = paths(desk(categories={"Access": {"name": "Accounts"}}))

    shown = categories.prediction(judged(categories, [0.9, 0.1, 0, 0, 0]), 0)

    assert [step.name for step in shown.path] == ["Accounts", "Card"]


@pytest.mark.parametrize(
    ("costs", "shown"),
    [
        ({"under_escalation": 1, "over_escalation": 1}, "2"),  # the tier in the middle
        ({"under_escalation": 9, "over_escalation": 1}, "3"),
        ({"under_escalation": 1, "over_escalation": 9}, "1"),
    ],
)
def test_costs_choose_the_tier_of_least_expected_cost(costs: dict[str, float], shown: str) -> None:
    tiers = policy(dict.fromkeys(LABELS, 0.4), taxonomy=desk(costs={"tier": costs}))

    verdicts = judged(tiers, [0.45, 0.30, 0.25])
    prediction = tiers.prediction(verdicts, 0)

    assert prediction.label == shown
    assert prediction.basis == "cost"
    assert prediction.confidence == {"1": 0.45, "2": 0.30, "3": 0.25}[shown]


def test_tier_shown_for_its_cost_is_said_to_be_and_is_never_routed() -> None:
    costs = {"under_escalation": 4, "over_escalation": 1}
    tiers = policy(dict.fromkeys(LABELS, 0.2), taxonomy=desk(costs={"tier": costs}))

    verdicts = judged(tiers, [0.7, 0.3, 0.0], [0.9, 0.1, 0.0])
    decision, reasons = decide({"tier": tiers}, {"tier": verdicts}, 0, (), 0.99, 0.9)

    assert verdicts.decisions == ["suggest", "route"]
    assert tiers.held_back(verdicts, 0).code == "least_cost"
    assert "70.0%" in tiers.held_back(verdicts, 0).message
    assert (decision, codes(reasons)) == ("route", ["promise_kept", "least_cost"])


def test_unclear_case_is_left_to_a_person_whatever_it_costs() -> None:
    costs = {"under_escalation": 9, "over_escalation": 1}
    tiers = policy(dict.fromkeys(LABELS, 0.2), taxonomy=desk(costs={"tier": costs}))

    verdicts = judged(tiers, [0.36, 0.33, 0.31])

    assert verdicts.decisions == ["review"]
    assert tiers.overruled(verdicts, 0) is None


def test_excluded_label_is_never_suggested_and_keeps_its_probability() -> None:
    taxonomy = desk(categories={"Access": {"name": "Accounts", "exclude": True}})
    categories = paths(taxonomy)

    verdicts = judged(categories, [0.5, 0.1, 0.0, 0.1, 0.3], [0.5, 0.3, 0.0, 0.1, 0.1])
    shown = categories.prediction(verdicts, 0)

    assert (shown.label, shown.confidence, shown.decision) == ("Print > Toner", 0.3, "suggest")
    assert [one.label for one in shown.alternatives] == ["Print > Toner", "Mail > Spam", "Mail"]
    assert verdicts.decisions == ["suggest", "review"]
    assert [categories.held_back(verdicts, row).code for row in (0, 1)] == 2 * ["excluded_category"]


def test_ticket_goes_to_a_person_where_every_label_is_excluded() -> None:
    tiers = {tier: {"name": tier, "exclude": True} for tier in LABELS}
    nothing = policy(dict.fromkeys(LABELS, 0.1), taxonomy=parse_taxonomy({"tiers": tiers}))

    verdicts = judged(nothing, [0.9, 0.1, 0.0])

    assert verdicts.decisions == ["review"]
    assert nothing.prediction(verdicts, 0).alternatives == []
    assert nothing.held_back(verdicts, 0).code == "excluded_tier"


def test_label_that_the_desk_does_not_let_go_unseen_is_suggested_however_sure() -> None:
    taxonomy = desk(categories={"Access": {"name": "Accounts", "route": False}})
    categories = paths(taxonomy)

    verdicts = judged(categories, [1.0, 0, 0, 0, 0], [0, 0, 1.0, 0, 0])

    assert verdicts.decisions == ["suggest", "route"]
    assert categories.held_back(verdicts, 0).code == "never_routed_category"


def test_explanation_of_a_parent_stands_against_what_is_not_below_it() -> None:
    categories = paths()

    verdicts = judged(categories, [0.28, 0.29, 0.13, 0.15, 0.15], [0.6, 0.3, 0.0, 0.1, 0.0])

    assert PATHS[categories.rival(verdicts, 0)] == "Mail > Spam"
    assert PATHS[categories.rival(verdicts, 1)] == "Access > VPN"


def test_ticket_is_routed_when_every_target_and_all_together_are_sure() -> None:
    verdicts = {"tier": answer("route"), "category": answer("route")}

    decision, reasons = overall(verdicts, BOTH, 0.9, 0.9)

    assert decision == "route"
    assert codes(reasons) == ["promise_kept"]


@pytest.mark.parametrize(
    ("confidence", "threshold"), [(0.89, 0.9), (0.99, None), (None, 0.5), (None, None)]
)
def test_ticket_is_only_suggested_when_the_joint_promise_is_not_kept(
    confidence: float | None, threshold: float | None
) -> None:
    verdicts = {"tier": answer("route"), "category": answer("route")}

    decision, reasons = overall(verdicts, BOTH, confidence, threshold)

    assert decision == "suggest"
    assert codes(reasons) == ["joint_unsure"]


def test_every_target_that_holds_routing_back_is_named() -> None:
    verdicts = {"tier": answer("suggest", 0.71), "category": answer("review", 0.28)}

    decision, reasons = overall(verdicts)

    assert decision == "suggest"
    assert codes(reasons) == ["unsure_tier", "unsure_category"]
    assert "71.0%" in reasons[0].message and "90.0%" in reasons[0].message
    assert "28.0%" in reasons[1].message


def test_label_that_may_never_be_routed_is_not_called_unsure() -> None:
    verdicts = {"tier": answer("suggest", 0.999, "3"), "category": answer("route")}

    decision, reasons = overall(verdicts, thresholds={"1": 0.9, "3": None})

    assert decision == "suggest"
    assert codes(reasons) == ["suggest_only_tier"]


def test_target_that_routing_does_not_rest_on_does_not_hold_it_back() -> None:
    verdicts = {"tier": answer("route"), "priority": answer("review")}

    decision, _ = overall(verdicts, ("tier",))

    assert decision == "route"


def test_ticket_goes_to_a_person_when_no_target_is_worth_showing() -> None:
    verdicts = {"tier": answer("review", 0.35), "category": answer("review", 0.2)}

    decision, reasons = overall(verdicts)

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
    verdicts = {"tier": answer(decision), "category": answer("suggest")}

    _, reasons = overall(verdicts, thresholds=dict.fromkeys(LABELS, threshold))

    assert reasons
    for reason in reasons:
        assert reason.code.isidentifier()
        assert reason.message.endswith(".") and reason.next_action.endswith(".")


def test_every_reason_is_in_the_documentation() -> None:
    root = Path(__file__).parents[2]
    text = (root / "docs" / "api.md").read_text("utf-8")
    sources = [path.read_text("utf-8") for path in sorted((root / "triage").glob("*.py"))]

    written = {
        code.replace("{target}", "TARGET")
        for source in sources
        for code in re.findall(r'Reason\(\s*f?"([a-z_{}]+)"', source)
    }

    assert {"least_cost", "partly_TARGET", "out_of_domain"} <= written
    assert [code for code in sorted(written) if f"`{code}`" not in text] == []
