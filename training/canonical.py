"""The canonical frame of tickets: its columns, their types, and how text becomes them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from triage.ticket import HISTORY_COLUMNS, LABEL_COLUMNS, TEXT_COLUMNS

DATE_COLUMNS = ("created_at", "resolved_at")
LIST_COLUMNS = ("group_path", "article_ids", "asked_details")
FLAG_COLUMNS = ("reopened", "first_contact")

FIELD = "field:"
TARGET = "target:"
WEIGHT = "weight"
"""A column that no export has: how much a ticket counts in learning, 1 where it is absent."""

_TEXT_TYPE = pd.StringDtype("pyarrow", na_value=np.nan)
_DATE_TYPE = pd.DatetimeTZDtype("us", "UTC")
_TYPES: dict[str, Any] = {
    **dict.fromkeys(DATE_COLUMNS, _DATE_TYPE),
    **dict.fromkeys(FLAG_COLUMNS, "boolean"),
    "reassignments": "Int64",
    "csat": "Float64",
}
_TRUE = frozenset(("true", "yes", "y", "t", "x", "ja", "j", "wahr"))
_FALSE = frozenset(("false", "no", "n", "f", "nein", "falsch"))
_ARTICLE_SEPARATORS = str.maketrans(",;|", "   ")
_LIST_SEPARATORS = str.maketrans(";|\n\x1f", ",,,,")


def is_label(column: str) -> bool:
    """Say whether a column holds something to predict."""
    return column in LABEL_COLUMNS or column.startswith(TARGET)


def is_spelled(column: str) -> bool:
    """Say whether a column holds names whose spellings are merged."""
    return is_label(column) or column == "assignment_group"


def is_typed(column: str) -> bool:
    """Say whether a column holds numbers or truth values."""
    return column in FLAG_COLUMNS or column in ("reassignments", "csat")


def typed(column: str, value: str) -> float | int | bool | None:
    """Read a number or a truth value.

    Raises
    ------
    ValueError : the text is neither empty nor a value of the column's type
    """
    value = value.strip()
    if not value:
        return None
    if column in FLAG_COLUMNS:
        word = value.casefold()
        return word in _TRUE if word in _TRUE | _FALSE else float(value) > 0
    number = float(value)
    if column == "csat" and np.isfinite(number):
        return number
    if not number.is_integer() or not 0 <= number < 2**31:
        raise ValueError(f"no count: {column}")
    return int(number)


def article_ids(value: str) -> tuple[str, ...]:
    """Split a cell that lists articles at commas, semicolons, bars and white space."""
    return tuple(value.translate(_ARTICLE_SEPARATORS).split())


def listed(value: str) -> tuple[str, ...]:
    """Split a cell that lists names of several words at commas, semicolons, bars and line ends."""
    names = (" ".join(name.split()) for name in value.translate(_LIST_SEPARATORS).split(","))
    return tuple(name for name in names if name)


def column_array(column: str, values: Sequence[Any] | np.ndarray[Any, Any]) -> Any:
    """Make the pandas array of a column; None is a missing value."""
    if column in LIST_COLUMNS:
        array = np.empty(len(values), dtype=object)
        array[:] = values
        return array
    return pd.array(values, dtype=_TYPES[column]) if column in _TYPES else text_array(values)


def text_array(values: Sequence[str | None] | np.ndarray[Any, Any]) -> Any:
    """Make a pandas array of type ``str``.

    Arrow's own memory pool keeps almost half as much again as it is asked for when many arrays
    are made one after the other, so the system's is taken.
    """
    texts = pa.array(values, pa.large_string(), memory_pool=pa.system_memory_pool())
    return pd.array(texts, dtype=_TEXT_TYPE)


def completed(frame: pd.DataFrame) -> pd.DataFrame:
    """Put columns into canonical order and fill in the ones that are absent."""
    ordered: list[str] = []
    for name in HISTORY_COLUMNS:
        if prefix := {"fields": FIELD, "targets": TARGET}.get(name):
            ordered += sorted(filter(lambda column: column.startswith(prefix), frame.columns))
        else:
            ordered.append(name)
    arrays = {
        name: frame[name].array if name in frame else missing_array(name, len(frame))
        for name in ordered
    }
    return pd.DataFrame(arrays, copy=False)


def missing_array(column: str, count: int) -> Any:
    """Make the pandas array of a column that an export does not have."""
    if column in LIST_COLUMNS:
        array = np.empty(count, dtype=object)
        array.fill(())
        return array
    return column_array(column, ["" if column in TEXT_COLUMNS else None] * count)
