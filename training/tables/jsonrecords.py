"""JSON exports: one object a line, or an array of objects read whole."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, BinaryIO

from training.tables.lines import MAX_CHARS, TextLines
from training.tables.rows import CHUNK_CHARS, CHUNK_ROWS, SAMPLE_BYTES, RawRows, text_of, transposed
from triage.errors import HistoryError

MAX_ARRAY_BYTES = 100 * 2**20
"""Largest JSON array read: as Python objects it takes several times its size."""

SAMPLE_RECORDS = 1000
MAX_DEPTH = 3
"""Nested objects become columns with dotted names down to this depth."""

NOT_AN_OBJECT = "not a JSON object"

_ARRAY_START = re.compile(r"\s*\[\s*[\[{\]]")
_ARRAY_IN_OBJECT = re.compile(r'\{\s*"[^"]*"\s*:\s*\[\s*\{')

Record = dict[str, Any]


class JsonTable:
    """Records with names of their own; the columns are those of the first thousand records."""

    delimiter = None

    def __init__(self, form: str, records: Iterator[tuple[int, int, Record | str]]) -> None:
        self.format = form
        self.encoding: str | None = None
        self.notes: list[str] = []
        first = list(islice(records, SAMPLE_RECORDS))
        self._records = chain(first, records)
        self.columns = tuple(
            dict.fromkeys(
                name
                for _, _, record in first
                if isinstance(record, dict)
                for name in _names(record, MAX_DEPTH)
            )
        )

    def chunks(self, columns: Sequence[str]) -> Iterator[RawRows]:
        """Read the rows; see :class:`training.tables.rows.Table`."""
        paths = [(column, column.split(".")) for column in columns]
        rows: list[list[str]] = []
        lines: list[int] = []
        rejected: list[tuple[int, str]] = []
        chars = 0
        for line, size, record in self._records:
            if isinstance(record, str):
                rejected.append((line, record))
            else:
                rows.append([_cell(record, name, path) for name, path in paths])
                lines.append(line)
            chars += size
            if len(rows) + len(rejected) >= CHUNK_ROWS or chars >= CHUNK_CHARS:
                yield RawRows(lines, transposed(rows, len(columns)), rejected)
                rows, lines, rejected, chars = [], [], [], 0
        yield RawRows(lines, transposed(rows, len(columns)), rejected)


class JsonLinesTable(JsonTable):
    """One JSON object a line."""

    def __init__(self, lines: TextLines) -> None:
        super().__init__("jsonl", _line_records(lines))
        self._text = lines

    def chunks(self, columns: Sequence[str]) -> Iterator[RawRows]:
        """Read the rows; see :class:`training.tables.rows.Table`."""
        yield from super().chunks(columns)
        self.encoding = self._text.encoding
        self.notes = self._text.notes


def json_table(stream: BinaryIO, start: str, name: str) -> JsonTable:
    """Open a JSON file: an array of objects, an object around one, or one object a line.

    Parameters
    ----------
    start : the first ``SAMPLE_BYTES`` of the stream as text, without white space before it

    Raises
    ------
    HistoryError : an array that is too large, not valid JSON, or not made of objects
    """
    if _is_record_a_line(start):
        return JsonLinesTable(TextLines(stream))
    content = stream.read(MAX_ARRAY_BYTES + 1)
    if len(content) > MAX_ARRAY_BYTES:
        raise HistoryError(
            f"{name}: a JSON array of more than {MAX_ARRAY_BYTES >> 20} MB is more than can be "
            "read at once; write one object a line (JSONL)"
        )
    table = JsonTable("json", _array_records(content, name))
    table.encoding = json.detect_encoding(content)
    return table


def looks_like_json(text: str) -> bool:
    """Say whether a text begins as JSON objects do."""
    return text.startswith("{") or _ARRAY_START.match(text) is not None


def _is_record_a_line(start: str) -> bool:
    if _ARRAY_START.match(start):
        return False
    line, _, rest = start.partition("\n")
    try:
        record = json.loads(line)
    except RecursionError:
        return True
    except ValueError:
        # A long line may just be cut by the size of the first look.
        return len(line) > SAMPLE_BYTES // 4 and not _ARRAY_IN_OBJECT.match(line)
    is_around_array = not rest.strip() and any(map(_is_list_of_records, record.values()))
    return not is_around_array


def _line_records(lines: TextLines) -> Iterator[tuple[int, int, Record | str]]:
    number = 0
    while line := lines.readline():
        number += 1
        if len(line) > MAX_CHARS:
            yield number, len(line), f"longer than {MAX_CHARS} characters"
        elif line := line.strip():
            yield number, len(line), _parse(line)


def _parse(line: str) -> Record | str:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return "not valid JSON"
    return record if isinstance(record, dict) else NOT_AN_OBJECT


def _array_records(content: bytes, name: str) -> Iterator[tuple[int, int, Record | str]]:
    try:
        records = json.loads(content)
    except json.JSONDecodeError as error:
        raise HistoryError(
            f"{name}: not valid JSON at line {error.lineno}: {error.msg}; export it again"
        ) from None
    except (ValueError, RecursionError):
        raise HistoryError(
            f"{name}: JSON that cannot be read (not UTF-8, a number of thousands of digits, or "
            "nested too deep); export it again as UTF-8"
        ) from None
    if isinstance(records, dict):
        lists = [value for value in records.values() if _is_list_of_records(value)]
        records = lists[0] if len(lists) == 1 else None
    if not isinstance(records, list):
        raise HistoryError(f"{name}: JSON without an array of tickets; write one object a line")
    return _numbered(records)


def _is_list_of_records(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)


def _numbered(records: list[Any]) -> Iterator[tuple[int, int, Record | str]]:
    for place, record in enumerate(records, 1):
        yield place, 0, record if isinstance(record, dict) else NOT_AN_OBJECT


def _names(record: Record, depth: int) -> Iterable[str]:
    for name, value in record.items():
        if isinstance(value, dict) and depth > 1:
            for inner in _names(value, depth - 1):
                yield f"{name}.{inner}"
        else:
            yield name


def _cell(record: Record, name: str, path: list[str]) -> str:
    value: Any = record
    if name in record or len(path) == 1:
        value = record.get(name)
    else:
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, str) and value.isascii() else text_of(value)
