"""Splits: later than what was learned, and no twin on both sides."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.split import has_dates, newest, split

UNDATED = pd.NaT


def dates(days: list[int | None]) -> pd.Series:
    """Days after a start, None for an undated ticket."""
    start = pd.Timestamp("2025-01-01", tz="UTC")
    stamps = [UNDATED if day is None else start + pd.Timedelta(days=day) for day in days]
    return pd.Series(pd.array(stamps, dtype=pd.DatetimeTZDtype("us", "UTC")))


def labels_of(names: str) -> npt.NDArray[np.object_]:
    return np.array(list(names), dtype=object)


DAYS = st.lists(st.integers(0, 50), min_size=5, max_size=60)


@given(days=DAYS, data=st.data(), share=st.sampled_from([0.1, 0.2, 0.5]))
def test_newest_tickets_are_tested_and_no_twin_of_them_was_learned(
    days: list[int], data: st.DataObject, share: float
) -> None:
    size = len(days)
    clusters = np.array(data.draw(st.lists(st.integers(0, 20), min_size=size, max_size=size)))
    created = dates([*days[:-1], max(days) + 1])  # two days at least

    parts = split(created, labels_of("a" * size), clusters, share=share)

    assert parts.is_by_time
    assert not set(parts.train) & set(parts.test)
    assert not set(clusters[parts.train]) & set(clusters[parts.test])
    if len(parts.test):
        assert created[parts.train].max() <= created[parts.test].min()
    is_newest = newest(created, share)
    left_out = set(range(size)) - set(parts.train) - set(parts.test)
    assert set(parts.train) == set(np.flatnonzero(~is_newest))
    assert all(is_newest[row] and clusters[row] in clusters[parts.train] for row in left_out)


@given(data=st.data(), seed=st.integers(0, 99))
def test_clusters_lie_on_one_side_of_a_random_split(data: st.DataObject, seed: int) -> None:
    groups = data.draw(st.lists(st.integers(0, 12), min_size=4, max_size=60))
    size = len(groups)
    labels = data.draw(st.lists(st.sampled_from("aaabbc"), min_size=size, max_size=size))
    clusters = np.array([*groups, 98, 99])  # two clusters at least, one for each side

    parts = split(
        dates([None] * (size + 2)), labels_of("".join(labels) + "ab"), clusters, seed=seed
    )

    assert not parts.is_by_time
    assert sorted([*parts.train, *parts.test]) == list(range(size + 2))
    assert not set(clusters[parts.train]) & set(clusters[parts.test])
    assert len(parts.train) and len(parts.test)


def test_random_split_holds_the_share_and_the_labels_of_the_whole() -> None:
    labels = labels_of("aaaabbbccd" * 20)

    parts = split(dates([None] * 200), labels, np.arange(200), share=0.25)

    assert len(parts.test) == 50
    tested = pd.Series(labels[parts.test]).value_counts().to_dict()
    assert tested == {"a": 20, "b": 15, "c": 10, "d": 5}


def test_random_split_is_chosen_by_the_seed() -> None:
    arguments = dates([None] * 50), labels_of("ab" * 25), np.arange(50)

    first = split(*arguments, seed=1)

    np.testing.assert_array_equal(split(*arguments, seed=1).test, first.test)
    assert split(*arguments, seed=2).test.tolist() != first.test.tolist()


@pytest.mark.parametrize("names", ["abcdefghij", "aaaaaaaaab", "aabbccddee", "aaaaaaaaaa"])
def test_labels_too_rare_for_both_sides_do_not_stop_a_split(names: str) -> None:
    parts = split(dates([None] * 10), labels_of(names), np.arange(10))

    assert len(parts.test) == 2 and len(parts.train) == 8


def test_tickets_without_a_label_are_split_like_the_others() -> None:
    labels = np.array(["a", "b", None, None] * 10, dtype=object)

    parts = split(dates([None] * 40), labels, np.arange(40))

    assert len(parts.test) == 8


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (list(range(10)), True),
        ([None, *range(9)], True),
        ([None, None, *range(8)], False),
        ([3] * 10, False),
        ([None] * 10, False),
    ],
    ids=["all dated", "nine in ten", "eight in ten", "all alike", "none"],
)
def test_a_history_has_dates_when_nearly_all_tickets_do(
    days: list[int | None], expected: bool
) -> None:
    assert has_dates(dates(days)) is expected


def test_newest_are_marked_wherever_they_stand_and_undated_ones_are_old() -> None:
    marked = newest(dates([5, None, 1, 9, 3, None, 7, 2, 8, 4]), 0.3)

    assert np.flatnonzero(marked).tolist() == [3, 6, 8]


def test_share_of_newest_is_kept_among_tickets_of_one_day() -> None:
    assert newest(dates([1, 1, 1, 1, 1, 1, 1, 1, 1, 2]), 0.2).sum() == 2
