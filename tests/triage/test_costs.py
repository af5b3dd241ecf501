"""Costs of a wrong tier: what a taxonomy may say, and how mistakes are told."""

from typing import Any

import numpy as np
import pytest

from triage.costs import TierCosts, parse_costs
from triage.errors import ConfigurationError

TIERS = ["1", "2", "3"]


def costs(**entries: Any) -> TierCosts:
    found = parse_costs({"tier": entries}, TIERS, "desk.toml")
    assert found is not None
    return found


def test_costs_grow_with_every_tier_too_low_or_too_high() -> None:
    matrix = costs(under_escalation=2.0, over_escalation=1).matrix(TIERS)

    # a row for each right tier, a column for each tier shown
    np.testing.assert_array_equal(matrix, [[0, 1, 2], [2, 0, 1], [4, 2, 0]])


def test_single_costs_stand_above_those_by_step() -> None:
    matrix = costs(under_escalation=2, over_escalation=1, table={"3": {"1": 9}}).matrix(TIERS)

    np.testing.assert_array_equal(matrix, [[0, 1, 2], [2, 0, 1], [9, 2, 0]])


def test_whole_table_needs_no_costs_by_step() -> None:
    table = {"1": {"2": 1, "3": 5}, "2": {"1": 2, "3": 3}, "3": {"1": 7, "2": 4}}

    matrix = costs(table=table).matrix(["3", "1"])

    np.testing.assert_array_equal(matrix, [[0, 7], [5, 0]])


def test_costs_written_and_read_again_are_the_same() -> None:
    one = costs(under_escalation=2, over_escalation=0.5)

    assert parse_costs(one.to_dict(), TIERS, "desk.toml") == one


def test_nothing_set_is_no_costs() -> None:
    assert parse_costs({}, TIERS, "desk.toml") is None


@pytest.mark.parametrize(
    ("content", "culprit"),
    [
        ({"category": {}}, r"\[costs.tier\]"),
        ([], r"\[costs.tier\]"),
        ({"tier": 3}, "must be a table"),
        ({"tier": {}}, "tier 2 where 1 is right; set over_escalation"),
        ({"tier": {"over_escalation": 1}}, "tier 1 where 2 is right; set under_escalation"),
        ({"tier": {"under": 1}}, "knows no 'under'"),
        ({"tier": {"under_escalation": -1}}, "under_escalation must be a number of 0 or more"),
        ({"tier": {"under_escalation": True}}, "not True"),
        ({"tier": {"under_escalation": float("nan")}}, "not nan"),
        ({"tier": {"under_escalation": "much"}}, "not 'much'"),
        ({"tier": {"table": 1}}, "table must be tables"),
        ({"tier": {"table": {"1": 4}}}, "table.'1' must be a table"),
        ({"tier": {"table": {"1": {"7": 4}}}}, "tier '7', which"),
        ({"tier": {"table": {"L1": {"1": 4}}}}, "tier 'L1', which"),
        ({"tier": {"table": {"1": {"2": "dear"}}}}, "table.'1'.'2' must be a number"),
    ],
)
def test_bad_costs_are_refused_in_one_line(content: Any, culprit: str) -> None:
    with pytest.raises(ConfigurationError, match=culprit) as refusal:
        parse_costs(content, TIERS, "desk.toml")

    assert "\n" not in str(refusal.value) and "desk.toml" in str(refusal.value)


def test_tier_of_a_history_without_costs_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="'L2' of the history is none of"):
        costs(under_escalation=1, over_escalation=1).matrix(["1", "L2"])


def test_cost_of_an_unknown_tier_is_not_a_number() -> None:
    one = costs(under_escalation=1, over_escalation=1)

    assert np.isnan(one.of("1", "L2")) and np.isnan(one.of("L2", "1"))
    assert one.of("3", "1") == 2
