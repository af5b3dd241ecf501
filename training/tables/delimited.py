"""CSV and its kin, read so that no row disappears into another one.

A stray quote makes an ordinary CSV reader swallow the rows after it. Here quoting is read
strictly; a row that spans several lines and then does not fit the header is taken apart again,
and each of its lines is kept or rejected by itself.
"""

import csv
import re
from collections.abc import Iterator, Sequence

from training.tables.lines import MAX_CHARS, TextLines
from training.tables.rows import CHUNK_CHARS, CHUNK_ROWS, RawRows, transposed
from triage.errors import HistoryError

DELIMITERS = ",;\t|"
MAX_LINES = 1000
"""Most lines one row may span. A quote that stays open longer is a stray one."""

MIN_SWALLOWED = 4
"""Fewest lines of a row that are doubted although it fits: the text of a ticket may well have
a line or two with as many commas as a row."""

SNIFF_LINES = 100
SNIFF_CHARS = 2**18

TOO_LONG = f"longer than {MAX_LINES} lines or {MAX_CHARS} characters: is a quote not closed?"
OPEN_QUOTE = "a quote opens here and is not closed as it should be"
TAIL = "the end of a row of several lines that does not fit the header"
HEADER_AGAIN = "the header line again"

_SEPARATOR_LINE = re.compile(r'"?sep=([,;\t|])"?\s*', re.IGNORECASE)

Cells = list[str]


class RowLines:
    """Lines for ``csv.reader`` that remember the lines of the row being read."""

    def __init__(self, lines: TextLines) -> None:
        self._readline = lines.readline
        self._again: list[str] = []
        self.row: list[str] = []
        self.chars = 0
        self.first = 1
        """Number of the row's first line, from 1."""
        self.cut = ""
        """Why the row was ended from outside: by the end of the file or by a limit."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.pop() if self._again else self._readline()
        if not line:
            self.cut = OPEN_QUOTE
            raise StopIteration
        self.row.append(line)
        self.chars += len(line)
        if self.chars > MAX_CHARS or len(self.row) > MAX_LINES:
            self.cut = TOO_LONG
            raise csv.Error(TOO_LONG)
        return line

    def next_row(self) -> None:
        """Forget the row that was read and stand at the line after it."""
        self.first += len(self.row)
        self.row.clear()
        self.chars = 0
        self.cut = ""

    def give_back(self, kept: int) -> None:
        """Read the row's lines once more, but for the first ``kept``."""
        self._again.extend(reversed(self.row[kept:]))
        del self.row[kept:]

    def sample(self) -> list[str]:
        """Look at the first lines without taking them."""
        lines: list[str] = []
        chars = 0
        while len(lines) < SNIFF_LINES and chars < SNIFF_CHARS and (line := self._readline()):
            lines.append(line)
            chars += len(line)
        self._again.extend(reversed(lines))
        return lines


class DelimitedTable:
    """A text file of rows with fields between delimiters; the first row names the columns.

    Raises
    ------
    HistoryError : there is no header to read
    """

    format = "csv"

    def __init__(self, lines: TextLines, name: str) -> None:
        csv.field_size_limit(MAX_CHARS + 1)  # the limit of a row is the one that counts
        self._text = lines
        self._lines = RowLines(lines)
        self.delimiter = self._find_delimiter()
        self._header = self._read_header(name)
        self._places: dict[str, list[int]] = {}
        for place, column in enumerate(self._header):
            if clean := column.strip().lstrip("\ufeff"):
                self._places.setdefault(clean, []).append(place)
        self.columns = tuple(self._places)
        self._repeated: list[str] = []

    @property
    def encoding(self) -> str:
        return self._text.encoding

    @property
    def notes(self) -> list[str]:
        return self._text.notes + [
            f"column {column!r} occurs {len(self._places[column])} times: "
            "the first filled cell of each row is taken"
            for column in self._repeated
        ]

    def chunks(self, columns: Sequence[str]) -> Iterator[RawRows]:
        """Read the rows; see :class:`training.tables.rows.Table`."""
        places = [self._places[column] for column in columns]
        self._repeated = [column for column in columns if len(self._places[column]) > 1]
        rows: list[Cells] = []
        lines: list[int] = []
        rejected: list[tuple[int, str]] = []
        chars = 0

        def piece() -> RawRows:
            cells = transposed(rows, len(self._header))
            return RawRows(
                lines, [_first_filled([cells[p] for p in at]) for at in places], rejected
            )

        for line, row in self._rows():
            if isinstance(row, str):
                rejected.append((line, row))
            else:
                rows.append(row)
                lines.append(line)
            chars += self._lines.chars
            if len(rows) + len(rejected) >= CHUNK_ROWS or chars >= CHUNK_CHARS:
                yield piece()
                rows, lines, rejected, chars = [], [], [], 0
        yield piece()

    def _rows(self) -> Iterator[tuple[int, Cells | str]]:
        """Yield the line of each row with its cells, or with the reason for its rejection."""
        lines, header = self._lines, self._header
        width = len(header)
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        while True:
            lines.next_row()
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield from self._take_apart(None)
                continue
            if len(row) == width and row != header:
                if len(lines.row) > MIN_SWALLOWED and self._has_swallowed_rows():
                    yield from self._take_apart(None)
                else:
                    yield lines.first, row
            elif any(map(str.strip, lines.row)):
                yield from self._take_apart(row)

    def _take_apart(self, row: Cells | None) -> Iterator[tuple[int, Cells | str]]:
        """Settle a row that does not fit (None: its quoting is broken), line by line if need be.

        The last line goes back to the reader: it holds the quote that ended the row, and that may
        well open a sound row of several lines. Each line is read three times at most. But where
        a sound closing quote ended the row, a last line with an odd quote is its tail.
        """
        lines, first = self._lines.row, self._lines.first
        whole = None if row is None else self._fit(row)
        if len(lines) == 1 or isinstance(whole, list):
            single = whole if whole is not None else self._fit_line(lines[0])
            if single is not None:
                yield first, single
            return
        apart = [self._fit_line(line) for line in lines]
        settled = len(lines) - 1
        if row is not None and lines[-1].count('"') % 2 and isinstance(apart[-1], list):
            apart[-1] = TAIL
            settled += 1
        is_quoting_broken = row is None and not self._lines.cut
        if not is_quoting_broken and not any(isinstance(found, list) for found in apart[1:]):
            yield first, whole or self._lines.cut
            return
        for number, found in enumerate(apart[:settled], first):
            if found is not None:
                yield number, found
        self._lines.give_back(settled)

    def _has_swallowed_rows(self) -> bool:
        """Say whether most of the lines within a row look like rows themselves.

        They have as many delimiters, and no blank behind them as the commas of a sentence have.
        """
        inner = self._lines.row[1:-1]
        delimiters = len(self._header) - 1
        prose = f"{self.delimiter} "
        alike = sum(
            line.count(self.delimiter) == delimiters and prose not in line for line in inner
        )
        return 2 * alike > len(inner)

    def _fit_line(self, line: str) -> Cells | str | None:
        """Read one line as a whole row: its cells, why it is none, or None if it is blank."""
        if len(line) > MAX_CHARS:
            return TOO_LONG
        if not line.strip():
            return None
        try:
            row = next(csv.reader([line.rstrip("\r\n") + "\n"], delimiter=self.delimiter))
        except csv.Error:
            return OPEN_QUOTE
        # Only a quote that is still open carries the line's end into a cell.
        return OPEN_QUOTE if row[-1].endswith("\n") else self._fit(row)

    def _fit(self, row: Cells) -> Cells | str:
        width = len(self._header)
        if row == self._header:
            return HEADER_AGAIN
        if len(row) >= width and not any(map(str.strip, row[width:])):
            return row[:width]
        return f"{len(row)} field{'s' * (len(row) > 1)} where the header has {width}"

    def _find_delimiter(self) -> str:
        sample = self._lines.sample()
        if sample and (named := _SEPARATOR_LINE.fullmatch(sample[0].lstrip("\ufeff"))):
            next(self._lines)
            return named[1]
        return find_delimiter(sample)

    def _read_header(self, name: str) -> Cells:
        reader = csv.reader(self._lines, delimiter=self.delimiter, strict=True)
        while True:
            self._lines.next_row()
            try:
                header = next(reader)
            except StopIteration:
                raise HistoryError(f"{name}: the file is empty; export the tickets again") from None
            except csv.Error:
                self._lines.give_back(1)
                line = self._lines.row[0]
                if len(line) > MAX_CHARS:
                    raise HistoryError(
                        f"{name}: line {self._lines.first} has over {MAX_CHARS} characters and no "
                        "column names; this is no table of tickets"
                    ) from None
                header = next(csv.reader([line], delimiter=self.delimiter))
            if any(map(str.strip, header)):
                return header


def find_delimiter(lines: Sequence[str]) -> str:
    """Find the delimiter that gives the most rows as many fields as the header has.

    Quotes are respected. A comma when nothing is found: the file then has one column.
    """

    def score(delimiter: str) -> tuple[float, int]:
        try:
            rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            return (0.0, 0)
        if not rows or len(rows[0]) < 2:
            return (0.0, 0)
        width = len(rows[0])
        fitting = sum(len(row) == width for row in rows)
        return (fitting / len(rows), width)

    return max(DELIMITERS, key=score)


def _first_filled(columns: list[Sequence[str]]) -> Sequence[str]:
    if len(columns) == 1:
        return columns[0]
    return [next((cell for cell in cells if cell), "") for cells in zip(*columns, strict=True)]
