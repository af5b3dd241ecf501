"""The drift profile of a training: what its newest tickets were like, and how much that varies."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.fit import Learned
from training.history import read_history
from training.mapping import load_mapping
from training.tickets import in_canonical_order, iter_tickets
from triage.domain import is_familiar
from triage.drift.alarms import quiet_levels
from triage.drift.observed import FIELD, N_FIELD_BUCKETS, observe
from triage.drift.profile import Bins, Profile, count_runs
from triage.drift.summary import DriftSummary, summarise
from triage.drift.window import Predicted, predictions, window_of_tickets
from triage.engine import TriageEngine
from triage.hierarchy import steps_of
from triage.language import LANGUAGE_NAMES
from triage.policy import Verdicts, policy_of
from triage.prepare import prepare_all
from triage.ticket import LABEL_COLUMNS, Ticket
from triage.wide_impact import says_many_are_hit

BoolArray = npt.NDArray[np.bool_]

MOST_TICKETS = 5_000
"""The newest tickets are what is usual; older ones tell of a desk that was another one."""


def profile_of(learned: Learned, frame: pd.DataFrame, *, seed: int = 0) -> Profile:
    """Describe the newest tickets of a history, with predictions of models that had not seen them.

    Parameters
    ----------
    frame : the history that was learned from, in canonical order
    """
    first = max(len(frame) - MOST_TICKETS, 0)
    tickets = prepare_all(list(iter_tickets(frame.iloc[first:])))
    features = learned.model.features
    _, familiarity = features.analyse(tickets, as_if_unseen=True)
    readable = is_familiar(tickets, familiarity, learned.model.min_familiarity)
    observed = observe(
        tickets,
        familiarity,
        _predicted(learned, tickets, first, readable),
        field_names=features.field_names,
        key=features.key,
    )
    bins = {
        name: _bins(learned, name, values)
        for name, values in observed.values.items()
        if any(value is not None for value in values)
    }
    runs = count_runs(observed, bins)
    return Profile(
        n_tickets=len(tickets),
        tally=runs.tally(),
        bins=bins,
        levels=quiet_levels(runs, seed=seed),
    )


def _bins(
    learned: Learned, name: str, values: npt.NDArray[np.object_] | npt.NDArray[np.float64]
) -> Bins:
    if name.startswith(FIELD):
        return Bins.between(np.linspace(0.5, N_FIELD_BUCKETS - 1.5, N_FIELD_BUCKETS - 1))
    if name == "language":
        return Bins.named(tuple(LANGUAGE_NAMES))
    if name == "encoding":
        return Bins.named(("sound", "broken"))
    if name == "decision":
        return Bins.named(("review", "suggest", "route"))
    if name in LABEL_COLUMNS:
        labels = learned.model.heads[name].labels
        return Bins.named(tuple(dict.fromkeys(steps_of(label)[0] for label in labels)))
    return Bins.quantiles(values.astype(np.float64))


def _predicted(
    learned: Learned, tickets: Sequence[Ticket], first: int, readable: BoolArray
) -> Predicted:
    """Give what models that had not seen a ticket said; unknown where a head could not be asked."""
    model = learned.model
    probabilities = {}
    is_known = np.ones(len(tickets), dtype=bool)
    for target, head in model.heads.items():
        answered, is_checked = learned.out_of_fold[target]
        rows = np.flatnonzero(pd.notna(learned.evidence.truths[target]))
        wide = np.zeros((len(learned.evidence.truths[target]), len(head.labels)))
        wide[rows] = answered
        known = np.zeros(len(wide), dtype=bool)
        known[rows] = is_checked
        probabilities[target] = wide[first:]
        is_known &= known[first:]
    asked = np.flatnonzero(is_known)
    if not len(asked):
        return {}
    is_wide = np.array([says_many_are_hit(tickets[row], model.taxonomy) for row in asked.tolist()])
    verdicts = {
        target: policy_of(target, head, model.taxonomy).judge(
            probabilities[target][asked], readable[asked] | is_wide
        )
        for target, head in model.heads.items()
    }
    found: Predicted = {}
    for name, values in predictions(model, _routed_together(learned, verdicts, is_wide)).items():
        filled = np.full(len(tickets), np.nan if values.dtype == np.float64 else None)
        filled[asked] = values
        found[name] = filled
    return found


def _routed_together(
    learned: Learned, verdicts: dict[str, Verdicts], is_wide: BoolArray
) -> dict[str, Verdicts]:
    """Leave "route" only where the whole ticket may be routed, as the engine does."""
    joint = learned.model.joint
    may_route = np.zeros(len(is_wide), dtype=bool)
    if joint and joint.threshold is not None:
        sure = np.column_stack([verdicts[target].confidence for target in joint.targets])
        may_route = (joint.confidence(sure) >= joint.threshold) & ~is_wide
        for target in joint.targets:
            may_route &= np.array(verdicts[target].decisions, dtype=object) == "route"
    return {
        target: replace(
            one,
            decisions=[
                "suggest" if decision == "route" and not may else decision
                for decision, may in zip(one.decisions, may_route, strict=True)
            ],
        )
        for target, one in verdicts.items()
    }


def drift_of_history(
    engine: TriageEngine, history: Sequence[Path], mapping: str | None, *, window: int
) -> DriftSummary:
    """Look at the newest tickets of exports, their form fields too.

    Raises
    ------
    HistoryError, ConfigurationError : the exports or the mapping cannot be read
    """
    frame = in_canonical_order(read_history(history, load_mapping(mapping)).frame).tail(window)
    packed = engine.manifest.get("drift")
    dated = frame["created_at"].dropna()
    return summarise(
        engine.version,
        None if packed is None else Profile.unpacked(packed),
        window_of_tickets(engine, list(iter_tickets(frame))),
        since=dated.min().to_pydatetime() if len(dated) else None,
        until=dated.max().to_pydatetime() if len(dated) else None,
    )
