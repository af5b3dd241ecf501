"""Honest splits: test later than train where dates exist, near twins never on both sides."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import StratifiedShuffleSplit

BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.int64]

_DATED_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Split:
    """Rows to learn from and rows to ask about; ``is_by_time`` tells how they were chosen."""

    train: IndexArray
    test: IndexArray
    is_by_time: bool


def has_dates(created_at: pd.Series) -> bool:
    """Say whether a history can be split by time: nearly every ticket dated, and not all alike."""
    return bool(created_at.notna().mean() >= _DATED_SHARE and created_at.nunique() > 1)


def newest(created_at: pd.Series, share: float) -> BoolArray:
    """Mark the newest ``share`` of the tickets; undated ones count as old.

    Returns
    -------
    ndarray of shape (n_tickets,), bool
    """
    stamps = created_at.to_numpy(dtype="datetime64[us]").astype(np.int64)
    ranks = np.empty(len(stamps), dtype=np.int64)
    ranks[np.argsort(stamps, kind="stable")] = np.arange(len(stamps))
    return np.asarray(ranks >= round(len(stamps) * (1 - share)))


def split(
    created_at: pd.Series,
    labels: npt.NDArray[np.object_],
    clusters: IndexArray,
    *,
    share: float = 0.2,
    seed: int = 0,
) -> Split:
    """Choose test tickets: the newest where dates exist, else a stratified random part.

    Parameters
    ----------
    labels : one label a ticket, to stratify a random split by
    clusters : cluster of near twins of each ticket (`triage.twins.twin_clusters`)
    share : part of the tickets to test on

    Returns
    -------
    Split : test tickets with a twin among the older ones are in neither part; without dates a
        cluster lies wholly on one side
    """
    if has_dates(created_at):
        is_test = newest(created_at, share)
        is_twin = is_test & np.isin(clusters, clusters[~is_test])
        return Split(np.flatnonzero(~is_test), np.flatnonzero(is_test & ~is_twin), True)
    _, first, member_of = np.unique(clusters, return_index=True, return_inverse=True)
    if len(first) < 2:  # all tickets are twins of one another
        return Split(np.arange(len(clusters)), np.empty(0, dtype=np.int64), False)
    strata, counts = np.unique(labels[first].astype(str), return_counts=True)
    rare = np.isin(labels[first].astype(str), strata[counts < 2])
    stratum = np.where(rare, "", labels[first].astype(str))
    if (np.unique(stratum, return_counts=True)[1] < 2).any():
        stratum[rare] = strata[counts.argmax()]
    shuffle = StratifiedShuffleSplit(n_splits=1, test_size=share, random_state=seed)
    n_strata = len(np.unique(stratum))
    if round(len(first) * share) < n_strata:  # too few tickets to have each label in both parts
        stratum = np.zeros(len(first), dtype=int)
    _, chosen = next(shuffle.split(np.zeros(len(first)), stratum))
    is_test = np.isin(member_of.ravel(), chosen)
    return Split(np.flatnonzero(~is_test), np.flatnonzero(is_test), False)
