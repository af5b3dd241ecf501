"""Metrics of predictions against how the tickets really ended."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import f1_score, precision_recall_fscore_support

from training.canonical import TARGET
from training.escalation import escalation_errors
from training.tickets import iter_tickets
from triage.choice import choice_of
from triage.confidence import coverage_at, expected_calibration_error
from triage.engine import TriageEngine
from triage.hierarchy import Level, at_level, levels_of
from triage.policy import Verdicts
from triage.taxonomy import Taxonomy
from triage.ticket import LABEL_COLUMNS

_BATCH = 1024
NOT_LEARNED = "(not learned)"
"""The line of all labels together that a model does not know."""


def measure_target(
    target: str,
    truth: npt.NDArray[np.object_],
    labels: Sequence[str],
    probabilities: npt.NDArray[np.float64],
    taxonomy: Taxonomy,
) -> dict[str, Any]:
    """Measure what a desk would be shown for one target, under what its taxonomy lays down.

    Returns
    -------
    dict : what `measure` gives; for the tier also what `escalation_errors` does
    """
    chosen = choice_of(taxonomy, target, labels)(probabilities)
    metrics = measure(truth, labels, probabilities, chosen)
    if target == "tier":
        shown = np.asarray(labels, dtype=object)[chosen]
        metrics |= escalation_errors(truth, shown, taxonomy)
    return metrics


def measure(
    truth: npt.NDArray[np.object_],
    labels: Sequence[str],
    probabilities: npt.NDArray[np.float64],
    chosen: npt.NDArray[np.int64] | None = None,
) -> dict[str, Any]:
    """Measure one target's predictions.

    Parameters
    ----------
    truth : ndarray of shape (n_tickets,), str; a label the model does not know counts as missed
    labels : the model's labels, in the order of the columns of ``probabilities``
    probabilities : ndarray of shape (n_tickets, n_labels)
    chosen : ndarray of shape (n_tickets,), column of the label shown; None for the likeliest

    Returns
    -------
    dict : accuracy, macro_f1, ece, coverage_at_90, coverage_at_95, n; per_label with precision,
        recall, f1 and n; confusion with labels and rows of counts (truth by prediction); levels
        with accuracy and macro_f1 of each, the top one first, where labels are paths
    """
    truth = truth.astype(str)
    if chosen is None:
        chosen = probabilities.argmax(axis=1)
    predicted = np.asarray(labels, dtype=object)[chosen].astype(str)
    confidence = probabilities[np.arange(len(chosen)), chosen]
    correct = predicted == truth
    levels = levels_of(labels)
    by_level = _measure_levels(levels, truth, chosen) if len(levels) > 1 else None
    f1_of_all = _macro_f1(truth, predicted)
    # Not by name: a label of one ticket may be a text that slipped into its column.
    truth = np.where(np.isin(truth, list(labels)), truth, NOT_LEARNED).astype(str)
    every = sorted({*truth.tolist(), *predicted.tolist()})
    present = sorted(set(truth.tolist()))
    precision, recall, f1, count = precision_recall_fscore_support(
        truth, predicted, labels=present, zero_division=0.0
    )
    # By hand: scikit-learn warns of a matrix with a single label.
    place = {label: index for index, label in enumerate(every)}
    confusion = np.zeros((len(every), len(every)), dtype=int)
    np.add.at(confusion, ([place[x] for x in truth], [place[x] for x in predicted]), 1)
    return {
        "accuracy": float(correct.mean()),
        "macro_f1": f1_of_all,
        "ece": expected_calibration_error(confidence, correct),
        "coverage_at_90": coverage_at(confidence, correct, 0.90),
        "coverage_at_95": coverage_at(confidence, correct, 0.95),
        "n": len(truth),
        "per_label": {
            label: {
                "precision": float(precision[index]),
                "recall": float(recall[index]),
                "f1": float(f1[index]),
                "n": int(count[index]),
            }
            for index, label in enumerate(present)
        },
        "confusion": {
            "labels": every,
            "rows": confusion.tolist(),
        },
        **({"levels": by_level} if by_level else {}),
    }


def _macro_f1(truth: npt.NDArray[Any], predicted: npt.NDArray[Any]) -> float:
    truth, predicted = truth.astype(str), predicted.astype(str)
    present = sorted(set(truth.tolist()))
    found = f1_score(truth, predicted, labels=present, average="macro", zero_division=0.0)
    return float(found)


def _measure_levels(
    levels: Sequence[Level], truth: npt.NDArray[Any], chosen: npt.NDArray[np.int64]
) -> list[dict[str, float]]:
    """Measure the paths shown, cut off below each level, against the right ones cut off there."""
    found = []
    for number, level in enumerate(levels, 1):
        right = np.array(at_level(truth.tolist(), number), dtype=object)
        shown = np.array(level.nodes, dtype=object)[level.node_of[chosen]]
        found.append(
            {"accuracy": float((shown == right).mean()), "macro_f1": _macro_f1(right, shown)}
        )
    return found


def evaluate(engine: TriageEngine, frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Measure a model on a history it has not seen.

    Returns
    -------
    dict : target -> metrics of `measure_target`, for each target that model and history both have;
        with them ``routed``, the share that the model would route unseen, and ``routed_precision``,
        how many of those were right (None where none is routed)
    """
    tickets = list(iter_tickets(frame))
    parts = [
        engine.classify(tickets[begin : begin + _BATCH]) for begin in range(0, len(tickets), _BATCH)
    ]
    metrics = {}
    for target, head in engine.model.heads.items():
        truth = truth_of(frame, target)
        known = np.flatnonzero(pd.notna(truth))
        if len(known):
            probabilities = np.concatenate([part[target].probabilities for part in parts])
            metrics[target] = measure_target(
                target, truth[known], head.labels, probabilities[known], engine.model.taxonomy
            )
            metrics[target] |= _routed(target, head.labels, parts, truth)
    return metrics


def _routed(
    target: str,
    labels: Sequence[str],
    parts: Sequence[Mapping[str, Verdicts]],
    truth: npt.NDArray[np.object_],
) -> dict[str, float | None]:
    """Check the promise: the share of tickets routed unseen, and how many of them were right."""
    chosen = np.concatenate([part[target].chosen for part in parts])
    is_routed = np.array([one == "route" for part in parts for one in part[target].decisions])
    is_routed &= pd.notna(truth)
    right = np.asarray(labels, dtype=object)[chosen] == truth
    return {
        "routed": float(is_routed.sum() / pd.notna(truth).sum()),
        "routed_precision": float(right[is_routed].mean()) if is_routed.any() else None,
    }


def truth_of(frame: pd.DataFrame, target: str) -> npt.NDArray[np.object_]:
    """Take a target's labels from the canonical frame; None where a ticket has none."""
    column = target if target in LABEL_COLUMNS else f"{TARGET}{target}"
    if column not in frame.columns:
        return np.full(len(frame), None, dtype=object)
    values = frame[column]
    return values.astype(object).where(values.notna(), None).to_numpy(dtype=object)


def headline(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Keep the single numbers of a target's metrics."""
    return {name: value for name, value in metrics.items() if isinstance(value, int | float)}
