"""Cells that a spreadsheet takes for text, whatever strangers wrote into them."""

from collections.abc import Iterable, Sequence
from csv import writer
from io import StringIO

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def inert(cell: str) -> str:
    """Keep a spreadsheet from taking a cell for a formula: quote the ones that begin like one."""
    return f"'{cell}" if cell.startswith(_FORMULA_SIGNS) else cell


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a table as CSV; cells of text are made inert, None is an empty cell."""
    stream = StringIO()
    table = writer(stream, lineterminator="\r\n")
    table.writerow(map(inert, columns))
    for row in rows:
        table.writerow(inert(cell) if isinstance(cell, str) else cell for cell in row)
    return stream.getvalue()
