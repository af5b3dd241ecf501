"""From the canonical frame to tickets: one order, one hash, whatever order the rows came in."""

import hashlib
from collections.abc import Iterator

import numpy as np
import pandas as pd

from training.canonical import FIELD, is_label
from triage.ticket import Ticket


def in_canonical_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Sort tickets by date, then by content, so that training does not depend on row order."""
    created = frame["created_at"].to_numpy(dtype="datetime64[us]").astype(np.int64)
    order = np.lexsort((_row_hashes(frame), created))
    return frame.iloc[order].reset_index(drop=True)


def data_hash(frame: pd.DataFrame) -> str:
    """Hash texts, fields, labels and dates of a history, whatever the order of its rows."""
    columns = ",".join(_hashed_columns(frame))
    rows = np.sort(_row_hashes(frame))
    return hashlib.sha256(columns.encode() + rows.tobytes()).hexdigest()


def field_names(frame: pd.DataFrame) -> tuple[str, ...]:
    """Name the form fields that a history has."""
    return tuple(column.removeprefix(FIELD) for column in frame.columns if column.startswith(FIELD))


def iter_tickets(frame: pd.DataFrame) -> Iterator[Ticket]:
    """Turn each row into the ticket as it arrived: without labels and how it ended."""
    names = field_names(frame)
    columns = [
        frame[column].astype(object).where(frame[column].notna(), "").tolist()
        for column in ["id", "subject", "description", *(f"{FIELD}{name}" for name in names)]
    ]
    for ticket_id, subject, description, *values in zip(*columns, strict=True):
        yield Ticket(
            subject=subject,
            description=description,
            id=ticket_id or None,
            fields=dict(zip(names, values, strict=True)),
        )


def _hashed_columns(frame: pd.DataFrame) -> list[str]:
    return [
        column
        for column in frame.columns
        if column in ("id", "created_at", "subject", "description")
        or column.startswith(FIELD)
        or is_label(column)
    ]


def _row_hashes(frame: pd.DataFrame) -> np.ndarray:
    columns = _hashed_columns(frame)
    return pd.util.hash_pandas_object(frame[columns], index=False).to_numpy(dtype=np.uint64)
