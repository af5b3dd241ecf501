"""What became of every row of a history: read = kept + merged + rejected, always."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from triage.errors import HistoryError
from triage.spreadsheet import inert

MAX_SHOWN = 10
"""Most groups or labels named in a sentence; ``to_dict`` has them all."""


class RejectedRow(NamedTuple):
    """A row that is not in the history: file name, line (see docs/history.md) and reason."""

    file: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class FileAccounting:
    """What was found in one file and what became of its rows.

    ``columns`` leads from canonical columns to those of the file. ``unread_values`` counts by
    column the dates and numbers that could not be read; they are missing, their rows are kept.
    """

    name: str
    format: str
    encoding: str | None
    delimiter: str | None
    columns: Mapping[str, str]
    is_guess: bool
    read: int
    kept: int
    merged: int
    rejected: int
    unread_values: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Accounting:
    """What became of all rows, and what was decided on the way.

    ``label_variants`` tells by column and by the spelling used which other spellings were merged
    into it, with their counts. ``unmapped_groups`` counts the tickets of each group that resolved
    some but is not in [tiers]. ``assumed_tiers`` counts tiers taken from the final group for
    lack of a path.
    """

    files: tuple[FileAccounting, ...]
    label_variants: Mapping[str, Mapping[str, Mapping[str, int]]] = field(default_factory=dict)
    unmapped_groups: Mapping[str, int] = field(default_factory=dict)
    assumed_tiers: int = 0

    @property
    def read(self) -> int:
        """Count the rows of all files; blank lines are none."""
        return sum(file.read for file in self.files)

    @property
    def kept(self) -> int:
        """Count the tickets of the history."""
        return sum(file.kept for file in self.files)

    @property
    def merged(self) -> int:
        """Count the rows whose id a later row has too."""
        return sum(file.merged for file in self.files)

    @property
    def rejected(self) -> int:
        """Count the rows that are no tickets to learn from."""
        return sum(file.rejected for file in self.files)

    def sentences(self) -> list[str]:
        """Tell it to a person, one line each, what matters most first."""
        told = [
            f"{self.read} rows read: {self.kept} kept, {self.merged} merged, "
            f"{self.rejected} rejected"
        ]
        for file in self.files:
            told += _about_file(file)
        if self.assumed_tiers:
            told.append(
                f"{self.assumed_tiers} tiers were taken from the final assignment group, "
                "for lack of a group path"
            )
        if self.unmapped_groups:
            told.append(
                f"{len(self.unmapped_groups)} groups are not in [tiers]: "
                + _shown(f"{name} ({count})" for name, count in self.unmapped_groups.items())
            )
        for column, labels in self.label_variants.items():
            merged = (
                f"{label} <- {', '.join(map(repr, others))}" for label, others in labels.items()
            )
            told.append(f"spellings of {column} were merged: " + _shown(merged))
        return told

    def to_dict(self) -> dict[str, Any]:
        """Turn it into plain data, ready for JSON."""
        return {
            "rows": {
                "read": self.read,
                "kept": self.kept,
                "merged": self.merged,
                "rejected": self.rejected,
            },
            "files": [
                {
                    "name": file.name,
                    "format": file.format,
                    "encoding": file.encoding,
                    "delimiter": file.delimiter,
                    "columns": dict(file.columns),
                    "guessed": file.is_guess,
                    "read": file.read,
                    "kept": file.kept,
                    "merged": file.merged,
                    "rejected": file.rejected,
                    "unread_values": dict(file.unread_values),
                    "notes": list(file.notes),
                }
                for file in self.files
            ],
            "label_variants": {
                column: {label: dict(others) for label, others in labels.items()}
                for column, labels in self.label_variants.items()
            },
            "unmapped_groups": dict(self.unmapped_groups),
            "assumed_tiers": self.assumed_tiers,
        }


def write_rejected(rows: Iterable[RejectedRow], path: Path) -> None:
    """Write the rejected rows as CSV for people and spreadsheets; it holds no ticket text."""
    try:
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(RejectedRow._fields)
            for row in rows:
                writer.writerow([inert(row.file), row.line, inert(row.reason)])
    except OSError as error:
        raise HistoryError(
            f"the rejected rows cannot be written to {path.name}: {error.strerror}"
        ) from error


def _about_file(file: FileAccounting) -> list[str]:
    described = [file.format, file.encoding, file.delimiter and f"delimiter {file.delimiter!r}"]
    told = [f"{file.name}: {', '.join(filter(None, described))}"]
    if file.is_guess:
        guesses = (f"{canonical} = {column!r}" for canonical, column in file.columns.items())
        told.append(f"{file.name}: guessed from column names: {', '.join(guesses)}")
    told += [
        f"{file.name}: {count} values of {column} could not be read and are missing"
        for column, count in file.unread_values.items()
    ]
    return told + [f"{file.name}: {note}" for note in file.notes]


def _shown(items: Iterable[str]) -> str:
    every = list(items)
    more = len(every) - MAX_SHOWN
    return ", ".join(every[:MAX_SHOWN]) + (f" and {more} more" if more > 0 else "")
