"""The gate: every check of a challenger against the champion, and each answer that would change."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from training.gate import cost
from training.gate.answers import Answers, NoAnswer, ask
from training.gate.behaviour import behaviour_checks
from training.gate.checks import Check, paired_checks
from training.tickets import iter_tickets
from triage.engine import TriageEngine
from triage.errors import TriageError
from triage.golden import golden_faults

LEAST_TICKETS = 100
"""Tickets that neither model has seen, below which nothing can be told between them."""

_TRIED = 60  # tickets whose text is changed, and on which time is taken


@dataclass(frozen=True, slots=True)
class Flip:
    """A ticket that would get another label: its id, both labels, and the right one."""

    ticket_id: str
    target: str
    champion: str
    challenger: str
    truth: str

    @property
    def who_was_right(self) -> str:
        """Name it: "challenger", "champion" or "neither"."""
        if self.truth == self.challenger:
            return "challenger"
        return "champion" if self.truth == self.champion else "neither"


@dataclass(frozen=True, slots=True)
class GateReport:
    """Whether a challenger may take the champion's place, and why; it holds no ticket text."""

    champion: str
    challenger: str
    n_tickets: int
    checks: list[Check]
    flips: list[Flip] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def failed(self) -> list[Check]:
        """List the checks that did not pass."""
        return [check for check in self.checks if not check.passed]

    def flips_by_label(self) -> list[dict[str, Any]]:
        """Count the changed answers by target and right label, and who was right."""
        counts = Counter((flip.target, flip.truth, flip.who_was_right) for flip in self.flips)
        labels = sorted({(target, truth) for target, truth, _ in counts})
        return [
            {
                "target": target,
                "label": truth,
                **{
                    who: counts[target, truth, who] for who in ("challenger", "champion", "neither")
                },
            }
            for target, truth in labels
        ]

    def to_dict(self) -> dict[str, Any]:
        """Turn it into plain data, ready for JSON."""
        return {
            "champion": self.champion,
            "challenger": self.challenger,
            "passed": self.passed,
            "n_tickets": self.n_tickets,
            "checks": [check.to_dict() for check in self.checks],
            "flips": [{**asdict(flip), "right": flip.who_was_right} for flip in self.flips],
            "flips_by_label": self.flips_by_label(),
        }


def judge(champion: TriageEngine, challenger: TriageEngine, unseen: pd.DataFrame) -> GateReport:
    """Judge a challenger on tickets that neither model has learned from.

    Parameters
    ----------
    unseen : canonical frame of labelled tickets, the newest there are

    Raises
    ------
    TriageError : there are too few of them to tell anything
    """
    if len(unseen) < LEAST_TICKETS:
        raise TriageError(
            f"only {len(unseen)} labelled tickets are newer than what the models learned from; "
            f"{LEAST_TICKETS} are needed to compare them"
        )
    names = champion.version, challenger.version
    try:
        before, after = ask(champion, unseen), ask(challenger, unseen)
    except NoAnswer as error:
        return GateReport(*names, len(unseen), [Check("answers", False, str(error))])
    tickets = list(iter_tickets(_some(unseen)))
    faults = golden_faults(challenger)
    checks = [
        cost.experience(champion.manifest, challenger.manifest),
        *paired_checks(before, after, challenger.model.target_precision),
        Check("golden_set", not faults, faults or "it answers as it did when it was trained"),
        *behaviour_checks(challenger, tickets),
        cost.size(champion.manifest, challenger.manifest),
        cost.latency(champion, challenger, tickets),
    ]
    return GateReport(*names, len(unseen), checks, _flips(before, after))


def _some(frame: pd.DataFrame) -> pd.DataFrame:
    step = max(1, len(frame) // _TRIED)
    return frame.iloc[::step].head(_TRIED)


def _flips(before: Mapping[str, Answers], after: Mapping[str, Answers]) -> list[Flip]:
    return [
        Flip(
            str(before[target].ids[row]),
            target,
            str(before[target].chosen[row]),
            str(after[target].chosen[row]),
            str(before[target].truth[row]),
        )
        for target in before.keys() & after.keys()
        for row in np.flatnonzero(before[target].chosen != after[target].chosen)
    ]
