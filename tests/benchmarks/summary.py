"""From the measurements of one data set to the numbers that the tables and plots show."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tests.benchmarks.contenders import OURS
from tests.benchmarks.intervals import paired_by_ticket
from tests.benchmarks.peers import PEERS
from triage.confidence import expected_calibration_error

PER_SPLIT = (
    "accuracy",
    "macro_f1",
    "ece",
    "ece_by_chance",
    "coverage_at_90",
    "coverage_at_95",
    "accuracy_without_twin",
    "fit_s",
    "tickets_per_s",
    "before_mb",
    "peak_mb",
)
_N_BINS = 15
_MIN_IN_BIN = 20  # fewer tickets say nothing about how often a confidence is right

Results = Mapping[str, Sequence[Mapping[str, Any]]]
"""Contender -> what was found on each split, in the order of the splits."""


def summarise(results: Results) -> dict[str, Any]:
    """Keep of each contender one number a split, and its curves over all splits.

    Raises
    ------
    ValueError : contenders were asked about different splits
    """
    fingerprints = {tuple(found["split"] for found in runs) for runs in results.values()}
    if len(fingerprints) > 1:
        raise ValueError(
            "contenders saw different splits: histories are read otherwise than when "
            "the peers were measured; delete .bench/ and run again"
        )
    summary: dict[str, Any] = {}
    for who, runs in results.items():
        confidence = np.concatenate([found["confidence"] for found in runs])
        correct = np.concatenate([found["correct"] for found in runs]).astype(bool)
        summary[who] = {
            **{name: [_short(found[name]) for found in runs] for name in PER_SPLIT},
            "pooled_ece": _short(expected_calibration_error(confidence, correct)),
            "reliability": reliability(confidence, correct),
            "coverage": np.mean([found["coverage"] for found in runs], axis=0).round(4).tolist(),
        }
        if who != OURS and len(runs) == 1:
            lead = paired_by_ticket(results[OURS][0]["correct"], runs[0]["correct"])
            summary[who]["lead_by_ticket"] = [_short(lead.mean), _short(lead.half_width)]
    first = results[OURS][0]
    return {
        "learned": first["n_train"],
        "asked": first["n"],
        "labels": first["n_labels"],
        "twin_share": _short(first["twin_share"]),
        "contenders": summary,
    }


def reliability(confidence: np.ndarray, correct: np.ndarray) -> list[list[float]]:
    """Pair the mean confidence of each bin with the share that is right; sparse bins left out."""
    bins = np.minimum((confidence * _N_BINS).astype(int), _N_BINS - 1)
    return [
        [_short(confidence[inside].mean()), _short(correct[inside].mean()), int(inside.sum())]
        for inside in (bins == number for number in range(_N_BINS))
        if inside.sum() >= _MIN_IN_BIN
    ]


def best_peer(contenders: Mapping[str, Any], figure: str) -> str | None:
    """Name the peer with the highest mean of a figure; the majority is no peer but a yardstick."""
    _, *peers = PEERS
    return max(
        (name for name in peers if name in contenders),
        key=lambda name: float(np.mean(contenders[name][figure])),
        default=None,
    )


def _short(value: float | None) -> float | None:
    # Four digits tell what can be told, and keep the file small.
    return None if value is None else float(f"{value:.4g}")
