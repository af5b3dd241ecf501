"""One export: raw rows in, pieces of a canonical frame out, with a reason for each row refused."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress, takewhile

import pandas as pd

from training.accounting import FileAccounting, RejectedRow
from training.canonical import (
    DATE_COLUMNS,
    FIELD,
    LIST_COLUMNS,
    article_ids,
    column_array,
    is_label,
    is_spelled,
    is_typed,
    listed,
    missing_array,
    text_array,
    typed,
)
from training.dates import DateColumn
from training.labels import CACHE_SIZE, Resolution, TierFinder, tidy
from training.mapping import Mapping as ExportMapping
from training.tables.rows import LIST_SEPARATOR, RawRows, Table
from triage.hierarchy import SEPARATOR
from triage.ticket import TEXT_COLUMNS

NO_TEXT = "no text: subject and description are empty"
NO_LABEL = "no label: neither a tier nor a category nor any target"
NUL = "a NUL character: the row is damaged"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows of an export.

    ``frame`` has id, tier and those canonical columns that the export has. Its labels are spelled
    as exported and its dates are text until :meth:`ExportReader.parse_dates`. ``resolutions``
    tell what each tier rests on.
    """

    frame: pd.DataFrame
    lines: list[int]
    rejected: list[RejectedRow]
    resolutions: list[Resolution]


class ExportReader:
    """Reads an open table through a mapping, and keeps the account of the file.

    Raises
    ------
    HistoryError : the table lacks a column that the mapping needs
    """

    def __init__(
        self, table: Table, mapping: ExportMapping, name: str, *, require_labels: bool
    ) -> None:
        self.layout = mapping.resolve(table.columns, name, require_labels=require_labels)
        self._table = table
        self._name = name
        self._is_guess = mapping.is_guess
        self._require_labels = require_labels
        self._tiers = TierFinder(mapping)
        self._dates = {name: DateColumn(name) for name in DATE_COLUMNS if name in self.layout}
        self._unread: Counter[str] = Counter()
        self._tidy: Callable[[str], str] = lru_cache(CACHE_SIZE)(tidy)

    def pieces(self) -> Iterator[Piece]:
        """Read the table, once."""
        for raw in self._table.chunks(list(self.layout.values())):
            if raw.lines or raw.rejected:
                yield self._piece(raw)

    def parse_dates(self, frame: pd.DataFrame) -> None:
        """Turn a piece's dates into timestamps, by what all pieces so far showed."""
        for name, dates in self._dates.items():
            frame[name] = column_array(name, dates.parse(frame[name].tolist()))

    def account(self, kept: int, rejected: int) -> FileAccounting:
        """Account for the file after all of it was read and before any row is merged."""
        unread = {name: dates.unread for name, dates in self._dates.items() if dates.unread}
        notes = [note for dates in self._dates.values() for note in dates.notes]
        return FileAccounting(
            name=self._name,
            format=self._table.format,
            encoding=self._table.encoding,
            delimiter=self._table.delimiter,
            columns=self.layout,
            is_guess=self._is_guess,
            read=kept + rejected,
            kept=kept,
            merged=0,
            rejected=rejected,
            unread_values=unread | self._unread,
            notes=(*self._table.notes, *notes),
        )

    def _piece(self, raw: RawRows) -> Piece:
        lines = raw.lines
        cells = {
            name: column if name in LIST_COLUMNS else _without_lists(column)
            for name, column in zip(self.layout, raw.columns, strict=True)
        }
        cells = _with_paths(cells)
        resolutions = self._resolutions(cells, len(lines))
        rejected = raw.rejected
        problems = self._problems(cells, resolutions)
        if any(problems):
            is_sound = [not problem for problem in problems]
            found = [(line, why) for line, why in zip(lines, problems, strict=True) if why]
            rejected = sorted(rejected + found)
            lines = list(compress(lines, is_sound))
            resolutions = list(compress(resolutions, is_sound))
            cells = {name: list(compress(column, is_sound)) for name, column in cells.items()}
        for name, dates in self._dates.items():
            dates.observe(cells[name])
        arrays = {"id": missing_array("id", len(lines))}
        arrays |= {name: self._array(name, column) for name, column in cells.items()}
        arrays["tier"] = column_array("tier", [found.tier or None for found in resolutions])
        return Piece(
            frame=pd.DataFrame(arrays, copy=False),
            lines=lines,
            rejected=[RejectedRow(self._name, line, reason) for line, reason in rejected],
            resolutions=resolutions,
        )

    def _resolutions(self, cells: Mapping[str, Sequence[str]], count: int) -> list[Resolution]:
        blank = [""] * count
        clues = (cells.get(name, blank) for name in ("tier", "group_path", "assignment_group"))
        return list(map(self._tiers.find, *clues))

    def _problems(
        self, cells: Mapping[str, Sequence[str]], resolutions: Sequence[Resolution]
    ) -> list[str]:
        """Say for each row why it is no ticket to learn from; nothing for a sound one."""
        problems = [""] * len(resolutions)
        if self._require_labels:
            tiers = [resolution.tier for resolution in resolutions]
            others = [
                map(self._tidy, column)
                for name, column in cells.items()
                if is_label(name) and name != "tier"
            ]
            for row, labels in enumerate(zip(tiers, *others, strict=True)):
                if not any(labels):
                    problems[row] = NO_LABEL
            texts = [cells[name] for name in TEXT_COLUMNS if name in cells]
            for row, parts in enumerate(zip(*texts, strict=True)):
                if all(not part or part.isspace() for part in parts):
                    problems[row] = NO_TEXT
        for column in cells.values():
            if "\0" in "".join(column):
                for row, cell in enumerate(column):
                    if "\0" in cell:
                        problems[row] = NUL
        return problems

    def _array(self, name: str, cells: Sequence[str]) -> object:
        if name in TEXT_COLUMNS or name in DATE_COLUMNS:
            return text_array(cells)
        if name == "group_path":
            return column_array(name, list(map(self._tiers.path, cells)))
        if name == "article_ids":
            return column_array(name, list(map(article_ids, cells)))
        if name == "asked_details":
            return column_array(name, list(map(listed, cells)))
        if is_typed(name):
            return column_array(name, [self._typed(name, cell) for cell in cells])
        if is_spelled(name):
            return column_array(name, [cell if self._tidy(cell) else None for cell in cells])
        if name.startswith(FIELD):
            return column_array(name, [self._tidy(cell) or None for cell in cells])
        return column_array(name, [cell.strip() or None for cell in cells])

    def _typed(self, name: str, cell: str) -> float | int | bool | None:
        try:
            return typed(name, cell)
        except ValueError:
            self._unread[name] += 1
            return None


def _with_paths(cells: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """Join the columns that are levels of one label; a path ends above its first empty level."""
    levels: dict[str, list[Sequence[str]]] = {}
    for name, column in cells.items():
        whole = name.rpartition(SEPARATOR)[0]
        levels.setdefault(whole if is_label(whole) and whole in levels else name, []).append(column)
    return {
        name: columns[0]
        if len(columns) == 1
        else [SEPARATOR.join(takewhile(str.strip, parts)) for parts in zip(*columns, strict=True)]
        for name, columns in levels.items()
    }


def _without_lists(column: Sequence[str]) -> Sequence[str]:
    if LIST_SEPARATOR not in "".join(column):
        return column
    return [cell.replace(LIST_SEPARATOR, ", ") for cell in column]
