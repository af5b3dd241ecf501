"""Quality as outcomes arrive: accuracy, confidence and promise against how tickets ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import stats

from triage.ticket import LABEL_COLUMNS

if TYPE_CHECKING:
    from triage.figures.handled import Handled

LEAST_ENDED = 30
"""Ended tickets below which nothing is said about quality."""

CHANCE = 0.003
"""Probability that a check alarms although nothing changed; with four, about one in a hundred."""

PromiseState = Literal["kept", "void", "unknown"]


@dataclass(frozen=True, slots=True)
class Check:
    """How often something was right, and the share below which chance does not explain it."""

    name: str
    right: int
    n_tickets: int
    expected: float
    least: float

    @property
    def share(self) -> float:
        return self.right / self.n_tickets

    @property
    def is_broken(self) -> bool:
        return self.share < self.least


def check_quality(
    ended: "Sequence[Handled]", manifest: Mapping[str, Any], targets: Sequence[str]
) -> list[Check]:
    """Hold suggestions against how their tickets ended.

    Parameters
    ----------
    ended : suggestions of this model whose tickets have ended
    manifest : of its bundle, with the accuracy on the newest tickets of its training
    targets : those that a suggestion's confidence, and a routing, speak of

    Returns
    -------
    list : what enough tickets tell about

    Notes
    -----
    The accuracy expected is itself measured on some tickets only: it is drawn from its Beta
    posterior, so that the number right is beta-binomial. The others are plain binomial tests.
    """
    checks = []
    for target in LABEL_COLUMNS:
        newest = manifest.get("metrics", {}).get(target, {}).get("newest") or {}
        right = _right(ended, (target,))
        if len(right) < LEAST_ENDED or not newest.get("n"):
            continue
        before = newest["accuracy"] * newest["n"]
        usual = stats.betabinom(len(right), before + 1, newest["n"] - before + 1)
        checks.append(_check(f"accuracy_{target}", right, float(newest["accuracy"]), usual))
    told = [(one, agrees) for one in ended if (agrees := _agrees(one, targets)) is not None]
    if len(told) >= LEAST_ENDED:
        sure = float(np.mean([one.confidence for one, _ in told]))
        right = [agrees for _, agrees in told]
        checks.append(_check("calibration", right, sure, stats.binom(len(right), sure)))
    right = [agrees for one, agrees in told if one.decision == "route"]
    promised = manifest.get("target_precision")
    if len(right) >= LEAST_ENDED and promised:
        usual = stats.binom(len(right), promised)
        checks.append(_check("promise", right, float(promised), usual))
    return checks


def promise_state(checks: Sequence[Check]) -> PromiseState:
    """Say whether the precision promised of what is routed holds on what has ended."""
    for check in checks:
        if check.name == "promise":
            return "void" if check.is_broken else "kept"
    return "unknown"


def _check(name: str, right: Sequence[bool], expected: float, usual: Any) -> Check:
    return Check(name, sum(right), len(right), expected, float(usual.ppf(CHANCE)) / len(right))


def _right(ended: "Sequence[Handled]", targets: Sequence[str]) -> list[bool]:
    return [agrees for one in ended if (agrees := _agrees(one, targets)) is not None]


def _agrees(one: "Handled", targets: Sequence[str]) -> bool | None:
    return one.agrees(one.ending, targets) if one.ending else None
