"""What people said about suggestions, out of the store and into a file for data teams."""

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from triage.errors import HistoryError
from triage.spreadsheet import inert
from triage.store import Feedback, Store

COLUMNS = (
    "number",
    "created_at",
    "ticket_id",
    "suggestion_id",
    "model_version",
    "analyst",
    "verdict",
    "tier",
    "category",
    "suggested_tier",
    "suggested_category",
    "confidence",
    "decision",
    "is_blind",
    "article_id",
    "helpful",
    "steps_done",
    "comment",
    "undone_at",
)
"""``tier`` and ``category`` are what the person said; ``analyst`` is the id of their key."""

Record = dict[str, Any]


def export_feedback(
    store: Store, output: Path, *, on_rows: Callable[[int], None] | None = None
) -> int:
    """Write all feedback to a CSV or JSON Lines file, as its name ends; count the rows.

    The file is complete or not there. Texts in it are redacted. What was taken back is in it too,
    with ``undone_at``.

    Raises
    ------
    HistoryError : the name ends otherwise, or the file cannot be written
    StoreError : the database cannot be read
    """
    writers = {".csv": _csv_writer, ".jsonl": _jsonl_writer}
    open_writer = writers.get(output.suffix.lower())
    if open_writer is None:
        raise HistoryError(
            f"{output.name}: cannot write this kind of file; end its name in .csv or .jsonl"
        )
    temporary = output.with_name(f".{output.name}.partial")
    rows = 0
    try:
        with open_writer(temporary) as write:
            for feedback in store.feedback.since():
                write(_record(feedback))
                rows += 1
                if on_rows:
                    on_rows(rows)
        temporary.replace(output)
    except OSError as error:
        raise HistoryError(f"{output.name} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return rows


def _record(feedback: Feedback) -> Record:
    values = {
        "analyst": feedback.api_key_id,
        "suggested_tier": feedback.shown_tier,
        "suggested_category": feedback.shown_category,
        "steps_done": list(feedback.steps_done),
        "created_at": feedback.created_at.isoformat(),
        "undone_at": feedback.undone_at.isoformat() if feedback.undone_at else None,
    }
    return {name: values[name] if name in values else getattr(feedback, name) for name in COLUMNS}


@contextmanager
def _csv_writer(path: Path) -> Iterator[Callable[[Record], None]]:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)

        def write(record: Record) -> None:
            cells = {**record, "steps_done": "\n".join(record["steps_done"])}
            writer.writerow(
                inert(cell) if isinstance(cell, str) else cell for cell in cells.values()
            )

        yield write


@contextmanager
def _jsonl_writer(path: Path) -> Iterator[Callable[[Record], None]]:
    with path.open("w", encoding="utf-8") as stream:

        def write(record: Record) -> None:
            stream.write(json.dumps(record, ensure_ascii=False) + "\n")

        yield write
