"""The figures of a real audit log, against a computation written apart with pandas.

The log does not say which group belongs to which tier. Tiers are made up from volume here, see
tests/benchmarks/event_log.py.
"""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.benchmarks.datasets import data_root
from tests.benchmarks.event_log import LOG, tiers_by_volume, tiers_file

pytestmark = pytest.mark.slow

DATES = "%d/%m/%Y %H:%M"

Counts = dict[str, tuple[int, int]]


@pytest.fixture(scope="module")
def log() -> Path:
    root = data_root()
    if root is None:
        pytest.skip("no public data sets here: name their folder in TRIAGE_DATASETS")
    return root / LOG


@pytest.fixture(scope="module")
def events(log: Path) -> pd.DataFrame:
    return pd.read_csv(log, dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def tier_of(events: pd.DataFrame) -> dict[str, str]:
    return tiers_by_volume(events)


@pytest.fixture(scope="module")
def expected(events: pd.DataFrame, tier_of: dict[str, str]) -> pd.DataFrame:
    """Make one row a ticket: what the questions about it are answered by."""
    frame = events.assign(
        at=pd.to_datetime(events.sys_updated_at, format=DATES),
        change=events.sys_mod_count.astype(int),
        resolved=pd.to_datetime(events.resolved_at, format=DATES, errors="coerce"),
        closed=pd.to_datetime(events.closed_at, format=DATES, errors="coerce"),
        tier=events.assignment_group.map(tier_of),
    ).sort_values(["at", "change"], kind="stable")
    last = frame.drop_duplicates("number", keep="last").set_index("number")
    named = frame[frame.assignment_group != ""].copy()
    named["end"] = named.number.map(last.resolved)
    before = named[named.end.isna() | (named["at"] <= named.end)]
    late = named[~named.number.isin(before.number)]  # assigned only after the resolution
    paths = pd.concat([before, late]).groupby("number").tier.agg("".join)
    tickets = pd.DataFrame(
        {
            "category": last.category,
            "month": last.resolved.fillna(last.closed).dt.strftime("%Y-%m"),
            "path": paths.reindex(last.index).fillna(""),
            "reassignments": last.reassignment_count.astype(int),
            "reopenings": last.reopen_count.astype(int),
            "used_article": last.knowledge == "True",
        }
    )
    assert last.resolved.notna().any() and last.closed.notna().all()
    return tickets


def answers(tickets: pd.DataFrame) -> dict[str, pd.Series]:
    """Answer each question for the tickets that it concerns and that tell."""
    path = tickets.path
    held, top = path != "", path.str.contains("3")
    alone = (tickets.reassignments == 0) & (tickets.reopenings == 0)
    is_first = (path.str[-1] == "1") & alone
    return {
        "first_contact_resolution": is_first[held | ~alone],
        **{f"resolved_at_tier_{tier}": (path.str[-1] == tier)[held] for tier in "123"},
        "escalated_from_tier_1": path.str.contains("1.*[23]")[path.str.contains("1")],
        "escalated_from_tier_2": path.str.contains("2.*3")[path.str.contains("2")],
        "escalated_from_tier_3": pd.Series(False, path.index)[top],
        "reassignments": tickets.reassignments,
        "reassigned": tickets.reassignments > 0,
        "reopenings": tickets.reopenings,
        "reopened": tickets.reopenings > 0,
        "reached_specialists": top[held],
        "specialists_directly": ~path.str.contains("^(?:[12]*1[12]*2|[12]*2[12]*1)[12]*3")[top],
        "specialists_without_article": ~tickets.used_article[top],
    }


@pytest.fixture(scope="module", params=["as it is", "shuffled"])
def found(
    request: pytest.FixtureRequest,
    log: Path,
    events: pd.DataFrame,
    tier_of: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
    answer: Any,
) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("desk")
    tiers = folder / "tiers.toml"
    tiers.write_text(tiers_file(tier_of), "utf-8")
    if request.param == "shuffled":
        log = folder / "events.csv"
        events.sample(frac=1, random_state=0).to_csv(log, index=False)
    told: dict[str, Any] = answer("report", "--events", log, "--tiers", tiers)
    return told


def counts(series: dict[str, Any]) -> Counts:
    return {
        point["label"]: (point["numerator"], point["denominator"])
        for point in series["points"]
        if point["denominator"]
    }


def grouped(values: pd.Series, keys: pd.Series) -> Counts:
    known = values.astype(int).groupby(keys.reindex(values.index)).agg(["sum", "count"])
    return {str(key): (int(row["sum"]), int(row["count"])) for key, row in known.iterrows()}


def test_every_event_and_ticket_is_accounted_for(
    found: dict[str, Any], events: pd.DataFrame
) -> None:
    n = len(events)

    assert found["rows"] == {"read": n, "kept": n, "rejected": 0}
    assert found["log"]["tickets"] == events.number.nunique()
    assert found["log"]["open"] == 0
    assert found["log"]["unmapped_groups"] == {}


def test_figures_match_the_independent_computation_exactly(
    found: dict[str, Any], expected: pd.DataFrame
) -> None:
    told = {
        one["name"]: (one["numerator"], one["denominator"], one["value"])
        for one in found["figures"]
        if one["denominator"]
    }

    assert told.pop("tickets")[0] == len(expected)
    assert told == {
        name: (int(values.sum()), len(values), int(values.sum()) / len(values))
        for name, values in answers(expected).items()
    }


@pytest.mark.parametrize("by", ["month", "category"])
def test_figures_by_month_and_category_match_too(
    found: dict[str, Any], expected: pd.DataFrame, by: str
) -> None:
    told = {
        one["name"]: counts(one)
        for one in found["series"]
        if one["by"] == by and one["name"] != "specialist_categories"
    }
    keys = expected[by]

    assert told.pop("tickets") == {
        label: (n, n) for label, n in keys.value_counts().to_dict().items()
    }
    assert {name: known for name, known in told.items() if known} == {
        name: grouped(values, keys) for name, values in answers(expected).items()
    }


def test_categories_that_reach_the_third_tier_match(
    found: dict[str, Any], expected: pd.DataFrame
) -> None:
    [told] = [one for one in found["series"] if one["name"] == "specialist_categories"]

    reached = expected[expected.path.str.contains("3")].category

    assert counts(told) == {
        label: (n, len(reached)) for label, n in reached.value_counts().to_dict().items()
    }
    shares = [point["value"] for point in told["points"]]
    assert shares == sorted(shares, reverse=True)


def test_what_the_log_does_not_tell_is_said(found: dict[str, Any]) -> None:
    assert found["not_known"] == [
        *("csat", "specialists_missing_details", "specialists_user_facing"),
    ]
