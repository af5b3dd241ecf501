"""Metrics: by hand on a few tickets, and of a model on a history."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from training.evaluate import evaluate, headline, measure, truth_of
from training.tickets import iter_tickets
from triage.engine import TriageEngine

LABELS = ["1", "2", "3"]
TRUTH = np.array(["1", "1", "2", "3", "9"], dtype=object)  # the model does not know tier 9
PROBABILITIES = np.array(
    [
        [0.95, 0.05, 0.00],  # right
        [0.20, 0.70, 0.10],  # wrong: tier 2
        [0.10, 0.85, 0.05],  # right
        [0.60, 0.20, 0.20],  # wrong: tier 1
        [0.05, 0.05, 0.90],  # wrong: tier 3
    ]
)


def test_metrics_are_those_counted_by_hand() -> None:
    metrics = measure(TRUTH, LABELS, PROBABILITIES)

    assert metrics["accuracy"] == 2 / 5
    # tier 1: precision 1/2, recall 1/2; tier 2: 1/2 and 1; tiers 3 and 9: nothing found
    assert metrics["macro_f1"] == pytest.approx((1 / 2 + 2 / 3 + 0 + 0) / 4)
    # each confidence has a bin of its own
    assert metrics["ece"] == pytest.approx((0.05 + 0.70 + 0.15 + 0.60 + 0.90) / 5)
    # by falling confidence: right, wrong, right, wrong, wrong
    assert metrics["coverage_at_90"] == 1 / 5
    assert metrics["coverage_at_95"] == 1 / 5
    assert metrics["n"] == 5


def test_labels_have_metrics_of_their_own() -> None:
    per_label = measure(TRUTH, LABELS, PROBABILITIES)["per_label"]

    assert per_label == {
        "1": {"precision": 0.5, "recall": 0.5, "f1": 0.5, "n": 2},
        "2": {"precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3), "n": 1},
        "3": {"precision": 0.0, "recall": 0.0, "f1": 0.0, "n": 1},
        "(not learned)": {"precision": 0.0, "recall": 0.0, "f1": 0.0, "n": 1},
    }


def test_confusion_counts_truth_by_prediction() -> None:
    confusion = measure(TRUTH, LABELS, PROBABILITIES)["confusion"]

    assert confusion == {
        "labels": ["(not learned)", "1", "2", "3"],
        "rows": [[0, 0, 0, 1], [0, 1, 1, 0], [0, 0, 1, 0], [0, 1, 0, 0]],
    }


def test_label_the_model_does_not_know_counts_as_missed() -> None:
    known = TRUTH != "9"

    with_it = measure(TRUTH, LABELS, PROBABILITIES)
    without = measure(TRUTH[known], LABELS, PROBABILITIES[known])

    assert with_it["accuracy"] < without["accuracy"]
    assert with_it["per_label"]["(not learned)"]["recall"] == 0.0
    assert "(not learned)" not in without["per_label"]


def test_label_that_no_ticket_has_does_not_lower_macro_f1() -> None:
    probabilities = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.1, 0.1, 0.8]])

    metrics = measure(np.array(["2", "2", "3"], dtype=object), LABELS, probabilities)

    assert metrics["macro_f1"] == pytest.approx((2 / 3 + 1) / 2)
    assert metrics["per_label"] == {
        "2": {"precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3), "n": 2},
        "3": {"precision": 1.0, "recall": 1.0, "f1": 1.0, "n": 1},
    }
    assert metrics["confusion"]["labels"] == ["1", "2", "3"]


def test_headline_keeps_the_single_numbers() -> None:
    assert set(headline(measure(TRUTH, LABELS, PROBABILITIES))) == {
        "accuracy",
        "macro_f1",
        "ece",
        "coverage_at_90",
        "coverage_at_95",
        "n",
    }


def test_model_is_measured_on_every_target_the_history_has(
    loaded_engine: TriageEngine, history: pd.DataFrame
) -> None:
    metrics = evaluate(loaded_engine, history)

    assert set(metrics) == {"tier", "category"}
    for target in metrics.values():
        assert target["n"] == len(history)
        assert target["accuracy"] > 0.85
        assert sum(map(sum, target["confusion"]["rows"])) == len(history)
    assert set(evaluate(loaded_engine, history.assign(tier=None))) == {"category"}
    assert set(evaluate(loaded_engine, history.drop(columns="category"))) == {"tier"}


def test_tickets_without_a_label_are_not_counted(
    loaded_engine: TriageEngine, history: pd.DataFrame
) -> None:
    partly = history.copy()
    partly.loc[: len(history) // 2, "tier"] = None

    metrics = evaluate(loaded_engine, partly)

    labelled = partly[partly["tier"].notna()]
    assert metrics["tier"] == evaluate(loaded_engine, labelled)["tier"]
    assert metrics["tier"]["n"] == len(labelled)
    assert metrics["category"]["n"] == len(history)


def test_promise_is_checked_on_what_would_be_routed(
    loaded_engine: TriageEngine, history: pd.DataFrame
) -> None:
    verdicts = loaded_engine.classify(list(iter_tickets(history)))["category"]
    is_routed = np.array(verdicts.decisions) == "route"
    wrong = history.copy()
    wrong.loc[np.flatnonzero(is_routed)[:3], "category"] = "something else"

    metrics = evaluate(loaded_engine, wrong)["category"]

    assert is_routed.sum() > 3
    assert metrics["routed"] == is_routed.mean()
    right = evaluate(loaded_engine, history)["category"]["routed_precision"]
    assert metrics["routed_precision"] < right


def test_history_of_foreign_texts_routes_nothing(
    loaded_engine: TriageEngine, history: pd.DataFrame
) -> None:
    foreign = history.assign(subject="xqzv kjwp", description="blorf znatt")

    metrics = evaluate(loaded_engine, foreign)["tier"]

    assert (metrics["routed"], metrics["routed_precision"]) == (0.0, None)


def test_history_larger_than_a_batch_is_measured_whole(
    loaded_engine: TriageEngine, history: pd.DataFrame
) -> None:
    five_times = pd.concat([history] * 5, ignore_index=True)

    metrics = evaluate(loaded_engine, five_times)

    once = evaluate(loaded_engine, history)
    assert metrics["tier"]["n"] == 5 * len(history)
    assert metrics["tier"]["accuracy"] == pytest.approx(once["tier"]["accuracy"])


def test_further_targets_are_measured_against_their_own_column(
    loaded_engine: TriageEngine, history: pd.DataFrame
) -> None:
    heads = {"priority": loaded_engine.model.heads["tier"]}
    engine = replace(loaded_engine, model=replace(loaded_engine.model, heads=heads, joint=None))

    metrics = evaluate(engine, history.rename(columns={"tier": "target:priority"}))

    of_tier = evaluate(loaded_engine, history)["tier"]
    assert metrics.keys() == {"priority"}
    # A further target has no order, and nothing else holds it back from being routed.
    assert not any(name.endswith("_escalated") for name in metrics["priority"])
    same = [name for name in metrics["priority"] if not name.startswith("routed")]
    assert {name: metrics["priority"][name] for name in same} == {
        name: of_tier[name] for name in same
    }


def test_history_without_any_of_the_models_labels_has_no_metrics(
    loaded_engine: TriageEngine, history: pd.DataFrame
) -> None:
    assert evaluate(loaded_engine, history.drop(columns=["tier", "category"])) == {}
    assert evaluate(loaded_engine, history.iloc[:0]) == {}


def test_missing_labels_are_none(
    history: pd.DataFrame, as_history: Callable[[Mapping[str, Sequence[Any]]], pd.DataFrame]
) -> None:
    frame = as_history({"subject": ["a", "b"], "tier": ["1", None], "target:site": [None, "Lyon"]})

    assert truth_of(frame, "tier").tolist() == ["1", None]
    assert truth_of(frame, "site").tolist() == [None, "Lyon"]
    assert truth_of(frame, "category").tolist() == [None, None]
    assert truth_of(frame, "nothing like it").tolist() == [None, None]


def test_paths_are_measured_at_every_level() -> None:
    labels = ["Access > Card", "Access > VPN", "Mail > Spam", "Mail > Sync"]
    truth = np.array(["Access > Card", "Access > Badge", "Mail > Sync", "Mail"], dtype=object)
    probabilities = np.array(
        [
            [0.7, 0.1, 0.1, 0.1],  # right
            [0.2, 0.6, 0.1, 0.1],  # right at the top
            [0.5, 0.1, 0.1, 0.3],  # wrong
            [0.1, 0.1, 0.1, 0.7],  # right at the top
        ]
    )

    metrics = measure(truth, labels, probabilities)

    top, leaf = metrics["levels"]
    assert (top["accuracy"], leaf["accuracy"]) == (3 / 4, 1 / 4)
    assert metrics["accuracy"] == leaf["accuracy"]
    assert metrics["macro_f1"] == leaf["macro_f1"]
    # Access: precision 2/3, recall 1; Mail: 1 and 1/2
    assert top["macro_f1"] == pytest.approx((4 / 5 + 2 / 3) / 2)


def test_flat_labels_have_no_levels() -> None:
    assert "levels" not in measure(TRUTH, LABELS, PROBABILITIES)
