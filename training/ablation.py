"""What each part of a ticket brings: learn without it, and see how much worse the answers are."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.canonical import FIELD
from training.intervals import Interval, paired_difference
from training.refit import IndexArray, LabelArray, is_right, macro_f1
from triage.features import BLOCKS, TicketFeatures
from triage.ngrams import N_BUCKETS
from triage.ticket import TEXT_COLUMNS, Ticket


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a part of the ticket brings: accuracy and macro-F1 with it, less those without it."""

    name: str
    accuracy: Interval
    macro_f1: float


MEANING = "meaning of the text"
"""Names what texts mean, where a head reads it, among the parts of a ticket."""


def columns_without(
    features: TicketFeatures, frame: pd.DataFrame, n_columns: int
) -> dict[str, IndexArray]:
    """Find, for each part of a ticket, the columns of the matrix that do not come from it.

    Parameters
    ----------
    n_columns : of the matrix; those beyond the features hold what the text as a whole means, which
        is a part of its own

    Returns
    -------
    dict of "subject", "description", a form field's name or `MEANING` -> columns; a part that has
        no column, or all of them, is left out
    """
    every = np.arange(n_columns)
    dropped = {name: _text_columns(features, name) for name in TEXT_COLUMNS}
    for name in features.field_names:
        values = frame[f"{FIELD}{name}"].dropna().unique().tolist()
        rows = features.transform([Ticket(fields={name: value}) for value in values])
        dropped[name] = np.unique(rows.indices)
    dropped[MEANING] = every[features.n_features_out_ :]
    return {
        name: np.setdiff1d(every, columns)
        for name, columns in dropped.items()
        if 0 < len(columns) < len(every)
    }


def contributions(
    truth: LabelArray, answered: LabelArray, without: Mapping[str, LabelArray]
) -> tuple[Contribution, ...]:
    """Compare the answers with and without each part, what brings most first.

    Parameters
    ----------
    truth : labels of the tickets asked about
    answered : what a model of everything answered
    without : part -> what a model answered that had learned from the same tickets without it
    """
    score = macro_f1(truth, answered)
    found = [
        Contribution(
            name,
            paired_difference(is_right(truth, answered), is_right(truth, other)),
            score - macro_f1(truth, other),
        )
        for name, other in without.items()
    ]
    return tuple(sorted(found, key=lambda part: -part.accuracy.value))


def _text_columns(features: TicketFeatures, name: str) -> IndexArray:
    """Take the columns of a text's own block, and those of the sum of both texts.

    Without one text the sum says what the other's own block says already.
    """
    buckets = np.arange(N_BUCKETS)
    own, of_both = (features.columns_of(buckets, BLOCKS.index(block)) for block in (name, "whole"))
    columns = np.concatenate([own, of_both]) if (own >= 0).any() else own
    return np.asarray(columns[columns >= 0], dtype=np.int64)
