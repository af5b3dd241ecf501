"""Form fields, and patterns of ticket numbers, that give a label away."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy.stats import entropy
from sklearn.metrics import mutual_info_score
from sklearn.metrics.cluster import contingency_matrix, expected_mutual_information

from training.audit.finding import Finding, Suspect
from training.audit.leaks import MIN_SHARE, MIN_TICKETS, Requesters, cells, count_signs
from training.audit.scores import IndexArray, LabelArray
from training.canonical import FIELD
from triage.redact import redact

MIN_INFORMATION = 0.9
"""Share of a label's entropy that a field takes away, corrected for chance."""

_MIN_COVERED = 0.5  # share of the tickets that a field's recurring values must be in
_DIGITS = re.compile(r"\d+")


def _pattern(value: str | None) -> str | None:
    return value and _DIGITS.sub("0", value)


def _presence(value: str | None) -> str:
    return "empty" if value is None else "filled"


# Ways to read a column, the plainest first: ending of the finding's code, name for people, reader.
_READINGS: tuple[tuple[str, str, Callable[[str | None], str | None]], ...] = (
    ("", "{}", lambda value: value),
    ("_pattern", "the pattern of {}", _pattern),
    ("_presence", "whether {} is filled", _presence),
)


@dataclass(frozen=True, slots=True)
class _Read:
    """A column read in one way: its recurring values, and which of them each ticket has."""

    column: str
    ending: str
    name: str
    values: list[str]
    index: IndexArray
    """Of shape (n_tickets,), -1 for a ticket without a recurring value."""


def find_field_leaks(
    target: str, truth: LabelArray, frame: pd.DataFrame, asked: Requesters
) -> list[Finding]:
    """Find form fields and patterns of ticket numbers that tell a label by themselves.

    A column is read as it is; if that tells nothing, by its pattern (every number in it a 0); then
    by whether it is filled.

    Returns
    -------
    list : for each column either one finding "field" (its values together tell the label) or
        "value" findings (one value tells the label in ``labels``), with "_pattern" or "_presence"
        behind it. ``term`` is the value, None if it may belong to a single person.
    """
    rows = np.flatnonzero(pd.notna(truth))
    findings = []
    for column in ["id", *filter(lambda name: name.startswith(FIELD), frame.columns)]:
        values = pd.Series(cells(frame[column])[rows], dtype=object)
        for ending, name, reader in _READINGS:
            read = _read(column, ending, name, values.map(reader))
            found = _field_leak(target, truth[rows], rows, read)
            if found := found or _value_leaks(target, truth[rows], rows, read, asked):
                findings += found
                break
    return findings


def _read(column: str, ending: str, name: str, values: pd.Series) -> _Read:
    counts = values.value_counts()
    recurring = pd.Index(counts.index[counts >= MIN_TICKETS], dtype=object)
    index = recurring.get_indexer(pd.Index(values, dtype=object))
    return _Read(column, ending, name.format(column.removeprefix(FIELD)), recurring.tolist(), index)


def _field_leak(target: str, truth: LabelArray, rows: IndexArray, read: _Read) -> list[Finding]:
    has_value = read.index >= 0
    if len(read.values) < 2 or has_value.mean() < _MIN_COVERED:
        return []
    information = _information(truth[has_value], read.index[has_value])
    if information <= MIN_INFORMATION:
        return []
    return [
        Finding(
            kind="leak",
            code=f"field{read.ending}",
            sentence=f"{read.name} gives {target} away: it takes {information:.0%} of the doubt",
            suspects=tuple(map(Suspect, rows[has_value].tolist())),
            looked_at=len(rows),
            target=target,
            column=read.column,
        )
    ]


def _information(truth: LabelArray, values: IndexArray) -> float:
    """Compute the share of the labels' entropy that the values take away.

    Notes
    -----
    Mutual information normalised by the entropy of the labels alone (a field may have more values
    than there are labels), adjusted for chance as by Vinh, Epps & Bailey, JMLR 11, 2010.
    """
    labels = truth.astype(str)
    table = contingency_matrix(labels, values, sparse=True)
    chance = float(expected_mutual_information(table, len(labels)))
    doubt = float(entropy(np.unique(labels, return_counts=True)[1])) - chance
    mutual = float(mutual_info_score(None, None, contingency=table))
    return (mutual - chance) / doubt if doubt > 1e-9 else 0.0


def _value_leaks(
    target: str, truth: LabelArray, rows: IndexArray, read: _Read, asked: Requesters
) -> list[Finding]:
    with_value = np.flatnonzero(read.index >= 0)
    has = sp.csr_matrix(
        (np.ones(len(with_value)), (with_value, read.index[with_value])),
        shape=(len(rows), len(read.values)),
    )
    signs = count_signs(has, truth)
    findings = []
    for sign in np.flatnonzero(signs.is_precise & (signs.share >= MIN_SHARE)).tolist():
        value, label = read.values[sign], signs.labels[signs.label[sign]]
        own = rows[read.index == sign]
        is_shown = asked.are_many(own) and redact(value) == value
        which = repr(value) if is_shown else "one value"
        findings.append(
            Finding(
                kind="leak",
                code=f"value{read.ending}",
                sentence=(
                    f"{read.name} ({which}) gives {target} {label} away: "
                    f"{signs.precision[sign]:.0%} of {len(own)} tickets with it are {label}, "
                    f"{signs.share[sign]:.0%} of {label} have it"
                ),
                suspects=tuple(map(Suspect, own.tolist())),
                looked_at=len(rows),
                target=target,
                column=read.column,
                term=value if is_shown else None,
                labels=(label,),
            )
        )
    return findings
