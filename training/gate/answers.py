"""What a model says about tickets whose end is known, target by target."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.evaluate import truth_of
from training.tickets import iter_tickets
from triage.engine import TriageEngine

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
LabelArray = npt.NDArray[np.object_]

_BATCH = 256


@dataclass(frozen=True, slots=True)
class Answers:
    """A model's answers for one target, a row a labelled ticket; the same rows for every model.

    ``confidence`` is the probability of the label chosen, ``is_routed`` whether the ticket would be
    routed unseen. ``ids`` are the tickets'.
    """

    ids: LabelArray
    truth: LabelArray
    chosen: LabelArray
    confidence: FloatArray
    is_routed: BoolArray

    @property
    def is_right(self) -> BoolArray:
        """Tell which tickets got their label."""
        return np.asarray(self.chosen == self.truth, dtype=bool)


class NoAnswer(Exception):
    """A model cannot answer at all, or answers what is no probability."""


def ask(engine: TriageEngine, frame: pd.DataFrame) -> Mapping[str, Answers]:
    """Ask a model about the tickets of a canonical frame.

    Returns
    -------
    target -> answers, for each target that the model has and some ticket tells

    Raises
    ------
    NoAnswer : the model fails, or its probabilities are none
    """
    tickets = list(iter_tickets(frame))
    try:
        parts = [
            engine.classify(tickets[begin : begin + _BATCH])
            for begin in range(0, len(tickets), _BATCH)
        ]
    except Exception as error:  # whatever a damaged model raises
        raise NoAnswer(f"it fails with {type(error).__name__}") from error
    found = {}
    for target, head in engine.model.heads.items():
        truth = truth_of(frame, target)
        known = np.flatnonzero(pd.notna(truth))
        if not len(known):
            continue
        shares = np.concatenate([part[target].probabilities for part in parts])[known]
        if not np.isfinite(shares).all() or not np.allclose(shares.sum(axis=1), 1, atol=1e-3):
            raise NoAnswer(f"its probabilities for {target} are none")
        chosen = np.concatenate([part[target].chosen for part in parts])[known]
        decisions = np.array([one for part in parts for one in part[target].decisions])[known]
        found[target] = Answers(
            frame["id"].astype(object).to_numpy()[known],
            truth[known].astype(str).astype(object),
            np.array(head.labels, dtype=object)[chosen],
            shares[np.arange(len(chosen)), chosen],
            decisions == "route",
        )
    return found
