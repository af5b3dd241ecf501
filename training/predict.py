"""Score a file of tickets, streamed: the input may be larger than memory."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from training.accounting import RejectedRow, write_rejected
from training.history import iter_rows
from training.mapping import Mapping
from training.tickets import iter_tickets
from triage.engine import TriageEngine
from triage.errors import HistoryError
from triage.spreadsheet import inert

_BATCH = 1024

Writer = Callable[[pd.DataFrame], None]


@dataclass(frozen=True, slots=True)
class Scored:
    """What became of the rows of the input."""

    rows: int
    rejected: list[RejectedRow]


def predict_file(
    engine: TriageEngine,
    source: Path,
    mapping: Mapping,
    output: Path,
    *,
    on_progress: Callable[[int], None] | None = None,
) -> Scored:
    """Write ``id`` and, for each target T, ``T, T_confidence, T_decision`` for every ticket.

    T is the label chosen whatever the decision, a whole path where labels are paths, and
    T_confidence its probability; the decision is that of the suggestion, "route" only where the
    whole ticket may be routed. Rows that are no tickets are left out and listed, with line and
    reason, in a file beside the output whose name ends in ``-rejected.csv``. The output appears
    whole or not at all.

    Parameters
    ----------
    output : .csv, .jsonl or .parquet

    Raises
    ------
    HistoryError : the input cannot be read, or the output not be written
    """
    beside = output.with_name(f"{output.stem}-rejected.csv")
    if any(path.exists() and path.samefile(source) for path in (output, beside) if source.exists()):
        raise HistoryError(f"{output.name} would overwrite the input; name another --output")
    rows, rejected = 0, list[RejectedRow]()
    with _writing(output, _columns(engine)) as write:
        for chunk in iter_rows(source, mapping, require_labels=False):
            rejected += chunk.rejected
            for begin in range(0, len(chunk.frame), _BATCH):
                part = chunk.frame.iloc[begin : begin + _BATCH]
                write(_score(engine, part))
                rows += len(part)
                if on_progress:
                    on_progress(rows)
        if not rows:
            raise HistoryError(f"{source.name}: no row is a ticket; look at the file's columns")
        if rejected:
            write_rejected(rejected, beside)
    return Scored(rows, rejected)


def _columns(engine: TriageEngine) -> list[str]:
    parts = ("", "_confidence", "_decision")
    return ["id", *(f"{target}{part}" for target in engine.model.heads for part in parts)]


def _score(engine: TriageEngine, frame: pd.DataFrame) -> pd.DataFrame:
    answers = engine.classify(list(iter_tickets(frame)))
    columns: dict[str, Any] = {"id": frame["id"].astype(object).where(frame["id"].notna(), None)}
    scored = pd.DataFrame(columns).reset_index(drop=True)
    for target, verdicts in answers.items():
        labels = np.array(engine.model.heads[target].labels, dtype=object)
        scored[target] = labels[verdicts.chosen]
        scored[f"{target}_confidence"] = verdicts.confidence.round(4)
        scored[f"{target}_decision"] = verdicts.decisions
    return scored


@contextmanager
def _writing(output: Path, columns: Sequence[str]) -> Iterator[Writer]:
    openers = {".csv": _csv_writer, ".jsonl": _jsonl_writer, ".parquet": _parquet_writer}
    opener = openers.get(output.suffix.lower())
    if opener is None:
        raise HistoryError(
            f"{output.name}: cannot write this kind of file; end its name in .csv, .jsonl or "
            ".parquet"
        )
    temporary = output.with_name(f".{output.name}.partial")
    try:
        with opener(temporary, columns) as write:
            yield write
        temporary.replace(output)
    except OSError as error:
        raise HistoryError(f"{output.name} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def _csv_writer(path: Path, columns: Sequence[str]) -> Iterator[Writer]:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(map(inert, columns))

        def write(frame: pd.DataFrame) -> None:
            for row in frame.itertuples(index=False):
                writer.writerow(inert(cell) if isinstance(cell, str) else cell for cell in row)

        yield write


@contextmanager
def _jsonl_writer(path: Path, columns: Sequence[str]) -> Iterator[Writer]:
    with path.open("w", encoding="utf-8") as stream:

        def write(frame: pd.DataFrame) -> None:
            stream.writelines(_json_lines(frame))

        yield write


def _json_lines(frame: pd.DataFrame) -> Iterable[str]:
    for record in frame.to_dict("records"):
        yield json.dumps(record, ensure_ascii=False) + "\n"


@contextmanager
def _parquet_writer(path: Path, columns: Sequence[str]) -> Iterator[Writer]:
    # id, then label, confidence and decision of each target
    kinds = [pa.float64() if place % 3 == 2 else pa.string() for place in range(len(columns))]
    schema = pa.schema(zip(columns, kinds, strict=True))
    with path.open("wb") as stream, pq.ParquetWriter(stream, schema) as writer:

        def write(frame: pd.DataFrame) -> None:
            writer.write_table(pa.Table.from_pandas(frame, schema, preserve_index=False))

        yield write
