"""Past tickets into the store: a history's tickets redacted and signed, how they ended beside."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from training.accounting import Accounting
from training.history import read_history
from training.mapping import load_mapping
from training.tickets import iter_tickets
from triage.prepare import prepare
from triage.redact import redact
from triage.signature import sign_ticket
from triage.store import PastTicket, Store
from triage.text import normalise

OnStep = Callable[[str, int, int], None]

MAX_NAME = 200
"""Longest id, tier or category that the store takes."""

_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a history: which rows are tickets of the store now.

    ``without_id`` counts tickets that have no id, or one of more than 200 characters: nobody could
    find or erase them again. ``erased`` counts those that were erased before and stay away.
    ``left_out`` counts these, and older ones where only the newest were asked for.
    """

    accounting: Accounting
    kept: int
    replaced: int
    without_id: int
    erased: int
    left_out: int

    def sentences(self) -> list[str]:
        """Tell it to a person."""
        told = self.accounting.sentences()
        told.append(f"{self.kept} tickets are in the store, {self.replaced} of them anew")
        if self.without_id:
            told.append(
                f"{self.without_id} tickets have no id, or too long a one, and were not stored: "
                "nobody could erase them again"
            )
        if self.erased:
            told.append(f"{self.erased} tickets were erased before and were not stored again")
        return told

    def to_dict(self) -> dict[str, Any]:
        """Turn it into plain data; rows are read = kept + merged + rejected + left_out."""
        account = self.accounting
        return {
            **account.to_dict(),
            "rows": {
                "read": account.read,
                "kept": self.kept,
                "merged": account.merged,
                "rejected": account.rejected + self.without_id,
                "left_out": self.left_out,
            },
            "replaced": self.replaced,
            "without_id": self.without_id,
            "erased": self.erased,
        }


def add_history(
    store: Store,
    paths: Sequence[Path],
    *,
    mapping: str | None = None,
    newest: int | None = None,
    on_step: OnStep | None = None,
) -> Added:
    """Save a history's resolved tickets as past tickets, those of known ids in place of the old.

    Tickets that were erased stay away.

    Parameters
    ----------
    newest : how many to save at most, the ones that came in last; all by default
    on_step : told the step, how much of it is done, and of how much

    Raises
    ------
    HistoryError : a file cannot be read
    ConfigurationError : there is no such mapping
    StoreError : the database cannot be written to
    """
    report = on_step or (lambda name, done, total: None)
    read = read_history(
        paths, load_mapping(mapping), on_progress=lambda rows: report("reading", rows, 0)
    )
    frame = read.frame
    has_id = frame["id"].notna() & (frame["id"].str.len() <= MAX_NAME)
    frame = frame[has_id.to_numpy(dtype=bool)]
    erased = frame["id"].isin(store.erasures.among(frame["id"])).to_numpy(dtype=bool)
    frame = frame[~erased]
    if newest is not None:
        frame = frame.sort_values("created_at", kind="stable", na_position="first").tail(newest)
    replaced = 0
    for begin in range(0, len(frame), _BATCH):
        replaced += store.past.save(list(past_tickets(frame.iloc[begin : begin + _BATCH])))
        report("storing", min(begin + _BATCH, len(frame)), len(frame))
    n_with_id = int(has_id.sum())
    return Added(
        accounting=read.accounting,
        kept=len(frame),
        replaced=replaced,
        without_id=len(has_id) - n_with_id,
        erased=int(erased.sum()),
        left_out=n_with_id - len(frame),
    )


def past_tickets(frame: pd.DataFrame) -> Iterator[PastTicket]:
    """Turn rows of a canonical frame into past tickets: cleaned, redacted, signed."""
    endings = zip(
        _texts(frame, "resolution"),
        _texts(frame, "tier"),
        _texts(frame, "category"),
        frame["created_at"],
        strict=True,
    )
    for ticket, (resolution, tier, category, created_at) in zip(
        iter_tickets(frame), endings, strict=True
    ):
        prepared = prepare(ticket)
        yield PastTicket(
            ticket_id=ticket.id or "",
            created_at=_moment(created_at),
            subject=prepared.subject,
            description=prepared.description,
            resolution=redact(normalise(resolution)),
            tier=tier[:MAX_NAME] or None,
            category=category[:MAX_NAME] or None,
            signature=sign_ticket(prepared),
        )


def _texts(frame: pd.DataFrame, column: str) -> list[str]:
    values = frame[column].astype(object)
    return [str(value) for value in values.where(frame[column].notna(), "")]


def _moment(value: Any) -> datetime | None:
    return None if pd.isna(value) else value.to_pydatetime()
