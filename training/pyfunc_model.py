"""Our bundle as MLflow's generic model: a table of tickets in, a table of the API's answers out.

MLflow is told the name of this module and calls `_load_pyfunc`; nothing is pickled, and nothing
here imports MLflow.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from training.canonical import FIELD
from training.tickets import iter_tickets
from triage.engine import TriageEngine, load_engine
from triage.errors import BundleError
from triage.golden import golden_faults
from triage.suggestion import Suggestion
from triage.ticket import TEXT_COLUMNS

_BATCH = 256


class TicketModel:
    """Answers tables of tickets as the engine and the API do."""

    def __init__(self, engine: TriageEngine) -> None:
        self._engine = engine

    def predict(self, frame: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Answer each row of a table.

        Parameters
        ----------
        frame : columns ``subject`` and, where there are any, ``description``, ``id`` and form
            fields as ``field:NAME``; the canonical history is such a table
        params : MLflow's; none are known

        Returns
        -------
        DataFrame : a row a ticket, in their order: the columns of `answer_columns`; a label is
            None where the ticket is left to a person
        """
        tickets = list(iter_tickets(_completed(frame)))
        answers = [
            suggestion
            for begin in range(0, len(tickets), _BATCH)
            for suggestion in self._engine.suggest(tickets[begin : begin + _BATCH])
        ]
        columns = answer_columns(self._engine.model.heads)
        rows = [_row(answer, columns) for answer in answers]
        # As objects: pandas would make NaN of None, which is no JSON.
        return pd.DataFrame(rows, columns=columns, index=frame.index, dtype=object).astype(
            {name: "float64" for name in columns if name.endswith("confidence")}
        )


def answer_columns(targets: Mapping[str, Any]) -> list[str]:
    """Name what is answered: id, decision, confidence, and label, confidence, decision a target."""
    named = list(targets)
    if "category" in targets and "tier" not in targets:
        named.append("tier")  # the taxonomy's
    parts = ("", "_confidence", "_decision")
    return [
        "id",
        "decision",
        "confidence",
        *(f"{target}{part}" for target in named for part in parts),
    ]


def ticket_columns(fields: tuple[str, ...]) -> dict[str, bool]:
    """Name the columns that are read, each with whether it has to be there."""
    return {
        "subject": True,
        "description": False,
        "id": False,
        **{f"{FIELD}{name}": False for name in fields},
    }


def _completed(frame: pd.DataFrame) -> pd.DataFrame:
    missing = [name for name in ("id", *TEXT_COLUMNS) if name not in frame.columns]
    return frame.assign(**dict.fromkeys(missing, None))


def _row(answer: Suggestion, columns: list[str]) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(columns)
    row |= {"id": answer.ticket_id, "decision": answer.decision, "confidence": answer.confidence}
    predictions = {"tier": answer.tier, "category": answer.category, **answer.targets}
    for target, prediction in predictions.items():
        if prediction is not None and target in row:
            row[target] = prediction.label
            row[f"{target}_confidence"] = prediction.confidence
            row[f"{target}_decision"] = prediction.decision
    return row


def _keys_folder() -> Path:
    """Find the key folder as the service does; MLflow knows no settings of ours."""
    base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return Path(os.environ.get("TRIAGE_KEYS_DIR") or base / "ticket-triage" / "keys")


def _load_pyfunc(path: str) -> TicketModel:
    """Verify a bundle with the trusted keys and load it; MLflow calls this by its name.

    Raises
    ------
    BundleError : the bundle is not as a trusted signer left it, or answers otherwise here
    """
    engine = load_engine(Path(path), keys=_keys_folder())
    faults = golden_faults(engine)
    if faults:
        raise BundleError(f"the model answers otherwise here than where it was trained: {faults}")
    return TicketModel(engine)
