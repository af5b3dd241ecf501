"""Excel workbooks (.xlsx), read row by row from the first sheet."""

import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, BinaryIO

import openpyxl

from training.tables.rows import CHUNK_ROWS, RawRows, text_of, transposed
from triage.errors import HistoryError

MAX_ROWS = 2**20  # of a sheet, by Excel's own rule
MAX_STRINGS_BYTES = 200 * 2**20
"""Largest table of shared texts, unpacked: openpyxl holds it whole."""


class WorkbookTable:
    """The first sheet of a workbook; its first row that is not empty names the columns.

    Raises
    ------
    HistoryError : not a workbook, a damaged one, one that is too large, or an empty sheet
    """

    format = "xlsx"
    encoding = None
    delimiter = None

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._name = name
        with _guarded(name):
            _check_archive(stream, name)
            workbook = openpyxl.load_workbook(stream, read_only=True, data_only=True)
            sheets = workbook.worksheets
            self.notes = [f"only the first of {len(sheets)} sheets was read"][: len(sheets) > 1]
            sheets[0].reset_dimensions()  # what a sheet says of its own size is often wrong
            self._rows: Iterator[tuple[int, Any]] = enumerate(
                sheets[0].iter_rows(max_row=MAX_ROWS, values_only=True), 1
            )
            header = next((row for _, row in self._rows if any(map(_is_filled, row))), ())
        self._places: dict[str, int] = {}
        for place, cell in enumerate(header):
            if title := text_of(cell).strip():
                self._places.setdefault(title, place)
        if not self._places:
            raise HistoryError(f"{name}: the first sheet is empty; put the tickets there")
        self._width = max(self._places.values()) + 1
        self.columns = tuple(self._places)

    def chunks(self, columns: Sequence[str]) -> Iterator[RawRows]:
        """Read the rows; see :class:`training.tables.rows.Table`."""
        places = [self._places[column] for column in columns]
        while True:
            with _guarded(self._name):
                rows = list(islice(self._rows, CHUNK_ROWS))
            if not rows:
                return
            cells: list[list[str]] = []
            lines: list[int] = []
            rejected: list[tuple[int, str]] = []
            for line, row in rows:
                if any(map(_is_filled, row[self._width :])):
                    rejected.append((line, "a cell is filled beyond the last column with a name"))
                elif any(map(_is_filled, row)):
                    cells.append([text_of(row[p]) if p < len(row) else "" for p in places])
                    lines.append(line)
            yield RawRows(lines, transposed(cells, len(columns)), rejected)


def _is_filled(cell: Any) -> bool:
    return cell is not None and cell != ""


def _check_archive(stream: BinaryIO, name: str) -> None:
    with zipfile.ZipFile(stream) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    if "xl/workbook.xml" not in sizes:
        raise HistoryError(
            f"{name}: a zip archive, but no .xlsx workbook; unpack it and name the files in it"
        )
    if sizes.get("xl/sharedStrings.xml", 0) > MAX_STRINGS_BYTES:
        raise HistoryError(
            f"{name}: over {MAX_STRINGS_BYTES >> 20} MB of text in one workbook; save it as CSV"
        )


@contextmanager
def _guarded(name: str) -> Iterator[None]:
    # openpyxl raises, and warns of, whatever a damaged workbook makes it stumble over.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except HistoryError:
            raise
        except Exception as error:
            raise HistoryError(
                f"{name}: the workbook is damaged ({type(error).__name__}); "
                "open it in Excel and save it again, or save it as CSV"
            ) from error
