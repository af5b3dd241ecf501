"""Quality by slice: is the model as good on every language, length, month and form field value?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.canonical import FIELD
from training.intervals import Interval, wilson
from triage.confidence import BoolArray, FloatArray
from triage.language import LANGUAGE_NAMES, detect_language

MIN_TICKETS = 20
"""A slice of fewer tickets is not shown: its share is noise, and it may be one person's."""

_LENGTHS = ((1, 5), (6, 15), (16, 40), (41, 100), (101, 10**9))  # words
_MOST_MONTHS = 24  # the newest; older ones tell nothing about what comes next
_MOST_VALUES = 12
_MOST_DIFFERENT = 50  # values of a field; one with more names people or machines


@dataclass(frozen=True, slots=True)
class Slice:
    """Some of the tickets: how many, the share that was right, and the mean confidence.

    ``differs`` is "lower" or "higher" where the share differs from that of the other tickets by
    more than chance, all slices of a parting taken together, else empty.
    """

    name: str
    n: int
    right: Interval
    confidence: float
    differs: str


@dataclass(frozen=True, slots=True)
class Slicing:
    """One way to part the tickets; ``note`` tells what is left out, and why."""

    title: str
    slices: tuple[Slice, ...]
    note: str = ""


Parting = tuple[str, npt.NDArray[np.object_], list[str], str]
"""Title, each ticket's slice (None for none), the slices in order, and a note."""


def part_tickets(frame: pd.DataFrame) -> list[Parting]:
    """Part the tickets of a history by language, length, month and form field values."""
    return [
        _by_language(frame),
        _by_length(frame),
        *_by_month(frame),
        *_by_field(frame),
    ]


def measure_slices(
    partings: Sequence[Parting],
    rows: npt.NDArray[np.int64],
    confidence: FloatArray,
    correct: BoolArray,
) -> list[Slicing]:
    """Measure one target slice by slice.

    Parameters
    ----------
    partings : of the whole history, see `part_tickets`
    rows : ndarray of shape (n_tickets,), the rows of the history that are asked about
    confidence, correct : ndarrays of shape (n_tickets,), top confidence and whether it was right
    """
    slicings = []
    for title, slice_of, order, note in partings:
        names = slice_of[rows]
        own = {name: names == name for name in order}
        shown = {name: mask for name, mask in own.items() if mask.sum() >= MIN_TICKETS}
        slices = tuple(
            _slice(name, mask, confidence, correct, len(shown)) for name, mask in shown.items()
        )
        if slices or note:
            slicings.append(Slicing(title, slices, note))
    return slicings


def _slice(
    name: str, own: BoolArray, confidence: FloatArray, correct: BoolArray, at_once: int
) -> Slice:
    n, n_right = int(own.sum()), int(correct[own].sum())
    right, surely = wilson(n_right, n), wilson(n_right, n, at_once=at_once)
    others = float(correct[~own].mean()) if n < len(own) else right.value
    differs = "lower" if surely.high < others else "higher" if surely.low > others else ""
    return Slice(name, n, right, float(confidence[own].mean()), differs)


def _by_language(frame: pd.DataFrame) -> Parting:
    texts = zip(frame["subject"].fillna(""), frame["description"].fillna(""), strict=True)
    found = [LANGUAGE_NAMES[detect_language(f"{a}\n{b}")] for a, b in texts]
    return "Language", np.array(found, dtype=object), list(LANGUAGE_NAMES.values()), ""


def _by_length(frame: pd.DataFrame) -> Parting:
    texts = zip(frame["subject"].fillna(""), frame["description"].fillna(""), strict=True)
    counts = np.array([len(a.split()) + len(b.split()) for a, b in texts], dtype=np.int64)
    name_of = np.full(len(frame), None, dtype=object)
    order = []
    for fewest, most in _LENGTHS:
        name = f"{fewest} to {most} words" if most < 10**9 else f"more than {fewest - 1} words"
        name_of[(counts >= fewest) & (counts <= most)] = name
        order.append(name)
    return "Length of subject and description", name_of, order, ""


def _by_month(frame: pd.DataFrame) -> Iterator[Parting]:
    if not frame["created_at"].notna().any():
        return
    months = frame["created_at"].dt.strftime("%Y-%m").astype(object).to_numpy(dtype=object)
    every = sorted({month for month in months if isinstance(month, str)})
    note = f"The newest {_MOST_MONTHS} months." if len(every) > _MOST_MONTHS else ""
    yield "Month", months, every[-_MOST_MONTHS:], note


def _by_field(frame: pd.DataFrame) -> Iterator[Parting]:
    for column in frame.columns:
        if not column.startswith(FIELD):
            continue
        values = frame[column].astype(object).where(frame[column].notna(), None)
        counts = values.value_counts()
        title = f"Form field {column.removeprefix(FIELD)}"
        slice_of = values.to_numpy(dtype=object)
        if len(counts) > _MOST_DIFFERENT:
            note = (
                f"{len(counts):,} different values: they may name people or machines, "
                "so none is shown."
            )
            yield title, slice_of, [], note
            continue
        order = sorted(counts.index, key=lambda value: (-counts[value], str(value)))
        yield title, slice_of, order[:_MOST_VALUES], ""
