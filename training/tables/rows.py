"""What every kind of table hands over: rows of text in pieces, and the lines they stand on."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

SAMPLE_BYTES = 2**16
"""How much of a file is looked at to tell what it is."""

CHUNK_ROWS = 4096
CHUNK_CHARS = 16 * 2**20
"""A piece ends at either limit, so that long rows cost no more memory than short ones."""

LIST_SEPARATOR = "\x1f"
"""Joins the items of a list cell (JSON, Parquet): group paths and article ids are split at it."""


@dataclass(frozen=True, slots=True)
class RawRows:
    """A piece of a table, column by column.

    ``lines`` has one number a row: the line of a text file where the row starts, the row of a
    sheet, or the place of a record, each from 1. ``columns`` are in the order asked for.
    ``rejected`` are rows that could not be read: their line and the reason.
    """

    lines: list[int]
    columns: list[Sequence[str]]
    rejected: list[tuple[int, str]]


class Table(Protocol):
    """An open export. Attributes other than ``columns`` are final once all rows were read."""

    @property
    def format(self) -> str:
        """Say what kind of file it is: csv, jsonl, json, parquet or xlsx."""

    @property
    def columns(self) -> Sequence[str]:
        """List the distinct column names, in the order of the file."""

    @property
    def encoding(self) -> str | None:
        """Name the text encoding found, where the format has one."""

    @property
    def delimiter(self) -> str | None:
        """Name the delimiter found, where the format has one."""

    @property
    def notes(self) -> Sequence[str]:
        """List what a person should know about how the file was read."""

    def chunks(self, columns: Sequence[str]) -> Iterator[RawRows]:
        """Read the rows, once, with only these columns."""


def transposed(rows: Sequence[Sequence[str]], width: int) -> list[Sequence[str]]:
    """Turn rows into columns; without rows there are ``width`` empty ones."""
    return list(zip(*rows, strict=True)) if rows else [()] * width


def text_of(value: Any) -> str:
    """Turn a cell into text: nothing for a missing one, ``7`` for 7.0, ISO 8601 for a date."""
    if isinstance(value, str):
        # A lone surrogate (JSON allows it) is no character and cannot be stored.
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return LIST_SEPARATOR.join(map(text_of, value))
    if isinstance(value, dict):
        return text_of(json.dumps(value, ensure_ascii=False, default=str))
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)
