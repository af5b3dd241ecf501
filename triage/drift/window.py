"""A window of tickets: what came in of late, as drift sees it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from triage.drift.observed import Observed, observe
from triage.hierarchy import steps_of
from triage.policy import Verdicts
from triage.prepare import prepare_all
from triage.ticket import LABEL_COLUMNS, Ticket

if TYPE_CHECKING:
    from triage.engine import TriageEngine
    from triage.figures.handled import Handled
    from triage.model import TriageModel

Predicted = dict[str, npt.NDArray[np.object_] | npt.NDArray[np.float64]]

_BATCH = 1024


def window_of_handled(
    engine: "TriageEngine", tickets: Sequence[Ticket], handled: "Sequence[Handled]"
) -> Observed:
    """Look at tickets as the store keeps them: texts, and what was suggested; no form fields.

    What another model suggested tells nothing of this one: its predictions count as unknown.

    Parameters
    ----------
    tickets : prepared, the oldest first
    handled : the suggestion of each
    """
    own = [one if one.model_version == engine.version else None for one in handled]
    predicted: Predicted = {
        "confidence": np.array([one.confidence if one else np.nan for one in own]),
        "decision": np.array([one.decision if one else None for one in own], dtype=object),
    }
    for target in LABEL_COLUMNS:
        labels = [getattr(one, target) if one else None for one in own]
        predicted[target] = np.array([_top(label) for label in labels], dtype=object)
    _, familiarity = engine.model.features.analyse(tickets)
    return observe(tickets, familiarity, predicted)


def window_of_tickets(engine: "TriageEngine", tickets: Sequence[Ticket]) -> Observed:
    """Look at tickets as they come in, form fields too, with what the engine makes of them.

    Parameters
    ----------
    tickets : the oldest first, prepared or not
    """
    parts = [tickets[begin : begin + _BATCH] for begin in range(0, len(tickets), _BATCH)]
    made = [predictions(engine.model, engine.classify(part)) for part in parts]
    predicted: Predicted = {
        name: np.concatenate([part[name] for part in made]) for name in (made[0] if made else {})
    }
    prepared = prepare_all(tickets)
    features = engine.model.features
    _, familiarity = features.analyse(prepared)
    return observe(
        prepared, familiarity, predicted, field_names=features.field_names, key=features.key
    )


def predictions(model: "TriageModel", verdicts: Mapping[str, Verdicts]) -> Predicted:
    """Put what was said about tickets into the signals of drift.

    Parameters
    ----------
    verdicts : by target, as of `triage.engine.TriageEngine.classify`
    """
    joint = model.joint
    targets = joint.targets if joint else tuple(verdicts)
    sure = np.column_stack([verdicts[target].confidence for target in targets])
    predicted: Predicted = {
        "confidence": joint.confidence(sure) if joint else sure.min(axis=1),
        "decision": np.array(
            [
                _overall(together)
                for together in zip(*(one.decisions for one in verdicts.values()), strict=True)
            ],
            dtype=object,
        ),
    }
    for target in LABEL_COLUMNS:
        if target in verdicts:
            labels = model.heads[target].labels
            predicted[target] = np.array(
                [_top(labels[column]) for column in verdicts[target].chosen], dtype=object
            )
    return predicted


def _overall(decisions: Sequence[str]) -> str:
    """Combine the decisions of all targets, of which "route" means that the whole ticket may be."""
    if "route" in decisions:
        return "route"
    return "review" if all(decision == "review" for decision in decisions) else "suggest"


def _top(label: str | None) -> str | None:
    """Give the top step of a path: how far down it was shown is not what drift asks."""
    return None if label is None else steps_of(label)[0]
