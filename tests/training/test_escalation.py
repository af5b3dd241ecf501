"""Tiers missed: counted by hand on a few tickets."""

from typing import Any

import numpy as np
import pytest

from training.escalation import escalation_errors
from training.evaluate import measure, measure_target
from triage.taxonomy import Taxonomy, parse_taxonomy

TRUTH = np.array(["1", "1", "3", "2", "9"], dtype=object)
SHOWN = np.array(["1", "3", "1", "3", "1"], dtype=object)
LABELS = ["1", "2", "3"]


def desk(**parts: Any) -> Taxonomy:
    return parse_taxonomy({"tiers": {tier: {"name": tier} for tier in LABELS}, **parts})


COSTS = {"tier": {"under_escalation": 2, "over_escalation": 1}}


def test_tickets_sent_too_low_and_too_high_are_told_apart() -> None:
    found = escalation_errors(TRUTH, SHOWN, desk())

    # the tier that the desk does not have is neither too low nor too high
    assert found == {"under_escalated": 1 / 5, "over_escalated": 2 / 5}


def test_mean_cost_is_told_where_costs_are_set() -> None:
    found = escalation_errors(TRUTH, SHOWN, desk(costs=COSTS))

    assert found["mean_cost"] == pytest.approx((0 + 2 + 4 + 1) / 4)


def test_tiers_that_the_taxonomy_does_not_order_are_not_counted() -> None:
    other = np.array(["L1", "L2"], dtype=object)

    assert escalation_errors(other, other[::-1], desk()) == {}


def test_what_is_measured_is_what_the_desk_would_be_shown() -> None:
    truth = np.array(["3", "1"], dtype=object)
    probabilities = np.array([[0.6, 0.0, 0.4], [0.9, 0.1, 0.0]])

    likeliest = measure_target("tier", truth, LABELS, probabilities, desk())
    cheapest = measure_target("tier", truth, LABELS, probabilities, desk(costs=COSTS))

    assert (likeliest["accuracy"], likeliest["under_escalated"]) == (0.5, 0.5)
    assert (cheapest["accuracy"], cheapest["under_escalated"]) == (1.0, 0.0)
    assert cheapest["mean_cost"] == 0.0
    # each ticket has a bin of its own
    assert cheapest["ece"] == pytest.approx((0.6 + 0.1) / 2)


def test_excluded_label_is_measured_as_the_next_best() -> None:
    truth = np.array(["3", "1"], dtype=object)
    probabilities = np.array([[0.6, 0.0, 0.4], [0.9, 0.1, 0.0]])
    tiers = {tier: {"name": tier, "exclude": tier == "1"} for tier in LABELS}

    found = measure_target("tier", truth, LABELS, probabilities, parse_taxonomy({"tiers": tiers}))

    assert found["accuracy"] == 0.5
    assert found["confusion"]["labels"] == ["1", "2", "3"]


def test_other_targets_have_no_escalations() -> None:
    probabilities = np.array([[0.6, 0.0, 0.4], [0.9, 0.1, 0.0]])

    found = measure_target("priority", TRUTH[:2], LABELS, probabilities, desk(costs=COSTS))

    assert found == measure(TRUTH[:2], LABELS, probabilities)
