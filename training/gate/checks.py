"""Paired tests of a challenger against the champion, on tickets that neither has seen.

A check fails when the challenger is worse by more than chance explains (one-sided, 5%), or by more
than a desk should bear whatever chance says. That a difference is too small to be shown lets it
pass: the newest tickets are few, and an honest retrain must not wait for ever.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from scipy.stats import binomtest

from training.gate.answers import Answers, BoolArray, FloatArray, LabelArray
from triage.confidence import expected_calibration_error

ALPHA = 0.05
"""How often each test may call an equally good challenger worse."""

MOST_LOST = 0.03
"""Accuracy or macro-F1 that may be lost where chance could explain it."""

MOST_RECALL_LOST = 0.05
MOST_COVERAGE_LOST = 0.10
"""Share of all tickets that need not be routed any more: thresholds rest on few tickets, and with
5 points three of twenty honest retrains failed by their seed alone (tests/benchmarks/gate.py)."""

MOST_SURPRISE = 0.03
"""Nats a ticket by which confidences may be worse where that is more than chance."""

_LEAST_TICKETS_OF_CLASS = 10
_RESAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: a stable name, whether it passed, and a sentence for people."""

    name: str
    passed: bool
    told: str
    figures: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Turn it into plain data, ready for JSON."""
        return asdict(self)


def paired_checks(
    old: Mapping[str, Answers], new: Mapping[str, Answers], target_precision: float
) -> list[Check]:
    """Compare two models target by target; what the champion can tell, the challenger must too."""
    missing = sorted(old.keys() - new.keys())
    if missing:
        told = f"it says nothing about {', '.join(missing)}, which the champion does"
        return [Check("targets", False, told)]
    checks = []
    for target, before in old.items():
        after = new[target]
        checks += [
            accuracy(target, before, after),
            macro_f1(target, before, after),
            calibration(target, before, after),
            class_recall(target, before, after),
        ]
    routing = next((name for name in ("tier", "category") if name in old), next(iter(old)))
    checks += coverage(old[routing], new[routing], target_precision)
    return checks


def accuracy(target: str, old: Answers, new: Answers) -> Check:
    """Compare how many are right: exact McNemar test (McNemar, Psychometrika 12, 1947)."""
    lost = int((old.is_right & ~new.is_right).sum())
    won = int((~old.is_right & new.is_right).sum())
    chance = chance_of_worse(lost, won)
    change = (won - lost) / len(old.truth)
    passed = chance >= ALPHA and change >= -MOST_LOST
    told = (
        f"{target}: {new.is_right.mean():.1%} right, the champion {old.is_right.mean():.1%} "
        f"({won} won, {lost} lost of {len(old.truth):,})"
    )
    figures = {"champion": old.is_right.mean(), "challenger": new.is_right.mean(), "p": chance}
    return Check(f"accuracy_{target}", passed, told, _plain(figures))


def macro_f1(target: str, old: Answers, new: Answers) -> Check:
    """Compare macro-F1 by a paired bootstrap over tickets."""
    labels = sorted(set(old.truth.tolist()))
    before, after = _f1_of(old, labels), _f1_of(new, labels)
    changes = after.resampled - before.resampled
    change = after.value - before.value
    passed = bool(np.quantile(changes, 1 - ALPHA) >= 0 and change >= -MOST_LOST)
    told = f"{target}: macro-F1 {after.value:.3f}, the champion {before.value:.3f}"
    figures = {"champion": before.value, "challenger": after.value}
    return Check(f"macro_f1_{target}", passed, told, _plain(figures))


def calibration(target: str, old: Answers, new: Answers) -> Check:
    """Compare the calibration errors; one within what true confidences would show passes too.

    A model that is sure of everything can hide from the calibration error on few tickets, not from
    the logarithmic score (Good, JRSS B 14, 1952) of its word on whether it is right.
    """
    before = expected_calibration_error(old.confidence, old.is_right)
    after = expected_calibration_error(new.confidence, new.is_right)
    generator = np.random.default_rng(0)
    drawn = generator.random((_RESAMPLES, len(new.confidence))) < new.confidence
    honest = np.quantile(
        [expected_calibration_error(new.confidence, right) for right in drawn[:200]], 1 - ALPHA
    )
    rows = _resampled_rows(len(new.truth))[:200]
    changes = [
        expected_calibration_error(new.confidence[r], new.is_right[r])
        - expected_calibration_error(old.confidence[r], old.is_right[r])
        for r in rows
    ]
    surprise = _surprise(new) - _surprise(old)
    costs = surprise[rows].mean(axis=1)
    is_surprised = surprise.mean() > MOST_SURPRISE and np.quantile(costs, ALPHA) > 0
    passed = bool(after <= honest or np.quantile(changes, ALPHA) <= 0) and not is_surprised
    told = (
        f"{target}: calibration error {after:.3f}, the champion {before:.3f} "
        f"(true confidences show up to {honest:.3f})"
    )
    figures = {
        "champion": before,
        "challenger": after,
        "honest": honest,
        "surprise": surprise.mean(),
    }
    return Check(f"ece_{target}", passed, told, _plain(figures))


def _surprise(answers: Answers) -> FloatArray:
    """Give how surprised each answer's confidence is by the truth, in nats."""
    sure = np.clip(answers.confidence, 1e-3, 1 - 1e-3)
    surprise: FloatArray = -np.log(np.where(answers.is_right, sure, 1 - sure))
    return surprise


def class_recall(target: str, old: Answers, new: Answers) -> Check:
    """Look for a label that is found less often: more than 5 points, and more than by chance.

    With many labels one of them would fail by chance alone, so they share the 5% between them
    (Holm, Scandinavian Journal of Statistics 6, 1979, of which this is the first step).
    """
    labels, counts = np.unique(old.truth.astype(str), return_counts=True)
    judged = labels[counts >= _LEAST_TICKETS_OF_CLASS]
    losses: dict[str, dict[str, float]] = {}
    for label in judged:
        mine = old.truth == label
        lost = int((old.is_right & ~new.is_right)[mine].sum())
        won = int((~old.is_right & new.is_right)[mine].sum())
        n = int(mine.sum())
        is_worse = chance_of_worse(lost, won) < ALPHA / len(judged)
        if (lost - won) / n > MOST_RECALL_LOST and is_worse:
            losses[label] = {"lost": lost, "won": won, "n": n}
    told = f"{target}: no label is found less often ({len(judged)} judged)"
    if losses:
        named = "; ".join(
            f"{label} {one['lost']} lost and {one['won']} won of {one['n']}"
            for label, one in losses.items()
        )
        told = f"{target}: found less often: {named}"
    return Check(f"class_recall_{target}", not losses, told, {"losses": losses})


def coverage(old: Answers, new: Answers, target_precision: float) -> list[Check]:
    """Compare what would be routed unseen, and hold the challenger to its promise."""
    lost = int((old.is_routed & ~new.is_routed).sum())
    won = int((~old.is_routed & new.is_routed).sum())
    change = float(new.is_routed.mean() - old.is_routed.mean())
    passed = change >= -MOST_COVERAGE_LOST or chance_of_worse(lost, won) >= ALPHA
    told = f"{new.is_routed.mean():.1%} would be routed, by the champion {old.is_routed.mean():.1%}"
    figures = {"champion": old.is_routed.mean(), "challenger": new.is_routed.mean()}
    checks = [Check("coverage", passed, told, _plain(figures))]
    routed, right = int(new.is_routed.sum()), int((new.is_routed & new.is_right).sum())
    if routed:
        chance = binomtest(right, routed, target_precision, alternative="less").pvalue
        told = f"{right:,} of the {routed:,} routed are right; {target_precision:.0%} is promised"
        figures = {"right": right, "routed": routed, "p": chance}
        checks.append(Check("promise", bool(chance >= ALPHA), told, _plain(figures)))
    return checks


def chance_of_worse(lost: int, won: int) -> float:
    """Give how likely so many would be lost if losing and winning were equally likely."""
    if lost + won == 0:
        return 1.0
    return float(binomtest(lost, lost + won, 0.5, alternative="greater").pvalue)


@dataclass(frozen=True, slots=True)
class _F1:
    value: float
    resampled: FloatArray


def _f1_of(answers: Answers, labels: Sequence[str]) -> _F1:
    truth = answers.truth[:, np.newaxis] == np.array(labels, dtype=object)
    shown = answers.chosen[:, np.newaxis] == np.array(labels, dtype=object)
    rows = _resampled_rows(len(answers.truth))
    weights = np.apply_along_axis(np.bincount, 1, rows, minlength=len(answers.truth))
    everything = np.ones((1, len(answers.truth)))
    return _F1(
        float(_macro_f1(truth, shown, everything)[0]),
        _macro_f1(truth, shown, weights.astype(np.float64)),
    )


def _macro_f1(truth: BoolArray, shown: BoolArray, weights: FloatArray) -> FloatArray:
    """Average the labels' F1 for each row of ticket weights; a label that is not there counts 0."""
    hits = weights @ (truth & shown).astype(np.float64)
    both = weights @ truth.astype(np.float64) + weights @ shown.astype(np.float64)
    f1 = np.divide(2 * hits, both, out=np.zeros_like(hits), where=both > 0)
    mean: FloatArray = f1.mean(axis=1)
    return mean


def _resampled_rows(n: int) -> Any:
    """Draw tickets with replacement; the same draws for both models, so that pairs stay pairs."""
    return np.random.default_rng(1).integers(0, n, (_RESAMPLES, n))


def _plain(figures: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in figures.items()}


__all__ = ["ALPHA", "Check", "LabelArray", "chance_of_worse", "paired_checks"]
