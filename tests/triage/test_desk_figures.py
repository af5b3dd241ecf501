import csv
import io
import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.figures.desk import NO_CATEGORY, DeskCounter, DeskFigures, desk_figures
from triage.figures.ended import EndedTicket, TierOrder
from triage.figures.figure import CSV_COLUMNS, Count, figures_csv
from triage.taxonomy import load_taxonomy

ORDER = TierOrder(("0", "1", "2", "3", "4"), ("1", "2", "3"), {"1": "Service desk"})
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def ticket(number: int = 0, **known: Any) -> EndedTicket:
    return EndedTicket(**{"ticket_id": f"T{number}", "resolved_at": MONDAY, **known})


def figures(*tickets: EndedTicket) -> DeskFigures:
    return desk_figures(tickets, ORDER)


def count(name: str, *tickets: EndedTicket) -> tuple[float, int, int]:
    found = figures(*tickets).figure(name).count
    return found.numerator, found.denominator, found.not_known


def points(series: Any) -> dict[str, tuple[float, int]]:
    return {one.label: (one.count.numerator, one.count.denominator) for one in series.points}


SOLVED = {"tier": "1", "reassignments": 0, "reopened": False}


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (SOLVED, (1, 1, 0)),
        (SOLVED | {"tier": "2"}, (0, 1, 0)),
        (SOLVED | {"reassignments": 1}, (0, 1, 0)),
        (SOLVED | {"reopened": True}, (0, 1, 0)),
        (SOLVED | {"reopenings": 2, "reopened": None}, (0, 1, 0)),
        (SOLVED | {"tier": None}, (0, 0, 1)),
        (SOLVED | {"reopened": None}, (0, 0, 1)),
        ({"tier": "3"}, (0, 1, 0)),  # enough to know, whatever else is not
        ({"first_contact": True, "tier": "3"}, (1, 1, 0)),  # the desk's own word goes first
        (SOLVED | {"first_contact": False}, (0, 1, 0)),
        ({}, (0, 0, 1)),
    ],
)
def test_first_contact_is_the_desks_word_or_what_the_ticket_shows(
    known: dict[str, Any], expected: tuple[int, int, int]
) -> None:
    assert count("first_contact_resolution", ticket(**known)) == expected


@pytest.mark.parametrize(
    ("path", "from_first", "from_second"),
    [
        (("1",), (0, 1, 0), (0, 0, 0)),
        (("1", "2"), (1, 1, 0), (0, 1, 0)),
        (("1", "2", "1", "2"), (1, 1, 0), (0, 1, 0)),  # once, however often it went up
        (("2", "1"), (0, 1, 0), (0, 1, 0)),
        (("2", "1", "3"), (1, 1, 0), (1, 1, 0)),
        (("1", None), (0, 0, 1), (0, 0, 0)),  # to whom did it go?
        ((None, "1"), (0, 1, 0), (0, 0, 0)),
        (("1", None, "3"), (1, 1, 0), (0, 0, 0)),
    ],
)
def test_escalation_counts_the_tickets_that_went_up_of_those_a_tier_held(
    path: tuple[str | None, ...],
    from_first: tuple[int, int, int],
    from_second: tuple[int, int, int],
) -> None:
    one = ticket(tier_path=path, tier=path[-1])

    assert count("escalated_from_tier_1", one) == from_first
    assert count("escalated_from_tier_2", one) == from_second


def test_without_a_path_the_escalation_of_a_ticket_is_not_known() -> None:
    one = ticket(tier="1")

    assert count("escalated_from_tier_1", one) == (0, 0, 1)
    assert count("reached_specialists", one) == (0, 1, 0)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("1", "2", "3"), (0, 1, 0)),
        (("2", "1", "3"), (0, 1, 0)),
        (("3",), (1, 1, 0)),
        (("1", "3"), (1, 1, 0)),
        (("3", "1", "2", "3"), (1, 1, 0)),
        (("1", None, "3"), (0, 0, 1)),
        (("1", "2"), (0, 0, 0)),
        ((), (0, 0, 1)),
    ],
)
def test_way_to_the_specialists_leads_through_both_tiers_below(
    path: tuple[str | None, ...], expected: tuple[int, int, int]
) -> None:
    tier = path[-1] if path else "3"

    assert count("specialists_directly", ticket(tier_path=path, tier=tier)) == expected


def test_counts_and_shares_of_reassignments_and_reopenings() -> None:
    told = figures(
        ticket(1, reassignments=0, reopenings=0),
        ticket(2, reassignments=3, reopenings=2),
        ticket(3, reassignments=1, reopened=True),
        ticket(4),
    )

    assert told.figure("reassignments").value == 4 / 3
    assert told.figure("reassigned").value == 2 / 3
    assert told.figure("reopenings").count == Count(2, 2, 2)
    assert told.figure("reopened").count == Count(2, 3, 1)


def test_satisfaction_is_told_by_the_tier_that_resolved() -> None:
    told = figures(
        ticket(1, tier="1", csat=5.0), ticket(2, tier="1", csat=2.0), ticket(3, tier="2", csat=1.0)
    )

    assert told.figure("csat").value == 8 / 3
    assert points(told.grouped("csat_of_tier", "tier")) == {"1": (7, 2), "2": (1, 1), "3": (0, 0)}
    first = told.grouped("csat_of_tier", "tier").points[0]
    assert first.name == "Tier 1: Service desk"


def test_what_reached_the_specialists_is_told_with_its_reasons() -> None:
    told = figures(
        ticket(1, tier="3", category="network", used_article=True, user_facing=True),
        ticket(2, tier="3", category="network", used_article=False, missing_details=("device",)),
        ticket(3, tier="3", category="erp", missing_details=()),
        ticket(4, tier="3", missing_details=("device", "since_when", "device")),
        ticket(5, tier="1", category="erp", used_article=False, missing_details=("device",)),
    )

    assert told.figure("reached_specialists").count == Count(4, 5)
    assert told.figure("specialists_without_article").count == Count(1, 2, 2)
    assert told.figure("specialists_missing_details").count == Count(2, 3, 1)
    assert told.figure("specialists_user_facing").count == Count(1, 1, 3)
    assert points(told.grouped("specialist_categories", "category")) == {
        "network": (2, 4),
        "": (1, 4),
        "erp": (1, 4),
    }
    assert points(told.grouped("specialist_details", "detail")) == {
        "device": (2, 3),
        "since_when": (1, 3),
    }


def test_weeks_are_told_without_a_gap_and_in_utc() -> None:
    late = datetime(2026, 3, 2, 1, tzinfo=timezone(timedelta(hours=5)))  # Sunday evening in UTC
    told = figures(
        ticket(1, resolved_at=late, **SOLVED),
        ticket(2, resolved_at=MONDAY + timedelta(weeks=2), **SOLVED | {"tier": "2"}),
        ticket(3, resolved_at=None, **SOLVED),
    )

    series = told.over_time("first_contact_resolution")

    assert series.by == "week"
    assert points(series) == {
        "2026-W09": (1, 1),
        "2026-W10": (0, 0),
        "2026-W11": (0, 0),
        "2026-W12": (0, 1),
    }
    assert [series.value(point) for point in series.points] == [1.0, None, None, 0.0]
    assert series.points[0].name == "23 Feb 2026"
    assert (told.without_date, told.n_tickets) == (1, 3)
    assert (told.first_day, told.last_day) == (date(2026, 3, 1), date(2026, 3, 16))


def test_long_stretches_are_told_in_months() -> None:
    told = figures(
        ticket(1, resolved_at=datetime(2025, 11, 30, tzinfo=UTC)),
        ticket(2, resolved_at=datetime(2026, 7, 1)),
    )

    series = told.over_time("tickets")

    assert series.by == "month"
    assert [point.label for point in series.points] == [
        *("2025-11", "2025-12", "2026-01", "2026-02", "2026-03", "2026-04"),
        *("2026-05", "2026-06", "2026-07"),
    ]
    assert series.points[0].name == "Nov 2025"


def test_placeholder_dates_stretch_no_chart() -> None:
    told = figures(ticket(1), ticket(2, resolved_at=datetime(9999, 12, 31, tzinfo=UTC)))

    assert told.without_date == 1
    assert len(told.over_time("tickets").points) == 1


def test_categories_come_with_the_largest_first_and_those_without_one_named() -> None:
    told = figures(
        ticket(1, category="b", **SOLVED),
        ticket(2, category="a", **SOLVED),
        ticket(3, category="a", **SOLVED | {"tier": "2"}),
        ticket(4, **SOLVED),
    )

    series = told.grouped("first_contact_resolution", "category")

    assert points(series) == {"a": (1, 2), "": (1, 1), "b": (1, 1)}
    assert series.points[1].name == NO_CATEGORY
    assert told.without_category == 1


def test_tier_that_the_desk_does_not_have_is_counted_and_not_known() -> None:
    told = figures(
        ticket(1, tier="Level 9", tier_path=("1", "Level 9")), ticket(2, tier="1", tier_path=("1",))
    )

    assert told.unknown_tiers == {"Level 9": 1}
    assert told.figure("resolved_at_tier_1").count == Count(1, 1, 1)
    assert told.figure("escalated_from_tier_1").count == Count(0, 1, 1)


def test_tiers_that_work_by_the_day_are_told_even_without_a_ticket_others_only_with_one() -> None:
    without, with_vendor = figures(ticket(tier="1")), figures(ticket(tier="4"))

    assert [point.label for point in without.grouped("resolved_at_tier", "tier").points] == [
        *("1", "2", "3"),
    ]
    assert with_vendor.figure("resolved_at_tier_4").value == 1.0


def test_figures_that_every_ticket_leaves_open_are_listed() -> None:
    told = figures(ticket(tier="1", tier_path=("1",), reassignments=0, reopenings=0))

    assert [one.name for one in told.not_known] == ["csat"]  # nothing went to the specialists


def test_nothing_counted_gives_no_values() -> None:
    told = figures()

    assert told.figure("tickets").value == 0
    assert told.figure("first_contact_resolution").value is None
    assert told.not_known == []
    assert told.over_time("tickets").points == ()
    assert json.loads(json.dumps(told.to_dict()))["tickets"]["first_day"] is None


def test_every_figure_says_how_it_is_computed_and_is_found_by_month_and_category() -> None:
    told = figures(ticket(tier="3", tier_path=("1", "2", "3"), category="vpn"))

    names = [one.name for one in told.figures]

    assert len(set(names)) == len(names)
    for one in told.figures:
        assert one.how.endswith(".") and one.title
        assert told.over_time(one.name).how == one.how
        assert told.grouped(one.name, "category").unit == one.unit
    with pytest.raises(KeyError):
        told.figure("no such figure")


@pytest.mark.parametrize("category", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_csv_is_inert_and_complete(category: str) -> None:
    told = figures(ticket(category=category, **SOLVED), ticket(category='x, "y"\nz', **SOLVED))

    table = figures_csv((*told.figures, *told.series))

    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    assert tuple(rows[0]) == CSV_COLUMNS
    of_category = {
        row["group"]: row
        for row in rows
        if (row["figure"], row["by"]) == ("first_contact_resolution", "category")
    }
    assert of_category.keys() == {f"'{category}", 'x, "y"\nz'}
    assert of_category[f"'{category}"]["value"] == "1.0"
    assert [row["group"] for row in rows if (row["figure"], row["by"]) == ("tickets", "week")] == [
        "2026-W10"
    ]
    assert not any(
        cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row.values()
    )


def test_desk_without_a_first_tier_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        TierOrder(("1", "2"), ())
    with pytest.raises(ValueError, match="among"):
        TierOrder(("1", "2"), ("7",))


def test_order_of_the_tiers_is_that_of_the_taxonomy() -> None:
    order = TierOrder.of(load_taxonomy(None))

    assert (order.first, order.specialists) == ("1", "3")
    assert order.tiers == ("0", "1", "2", "3", "4")


tiers = st.sampled_from(["1", "2", "3", "9", None])
some_tickets = st.lists(
    st.builds(
        EndedTicket,
        ticket_id=st.just("T"),
        resolved_at=st.none() | st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)),
        category=st.sampled_from([None, "a", "b"]),
        tier_path=st.lists(tiers, max_size=5).map(tuple),
        tier=tiers,
        reassignments=st.none() | st.integers(0, 9),
        reopened=st.none() | st.booleans(),
        used_article=st.none() | st.booleans(),
    ),
    max_size=30,
)


@given(some_tickets, st.randoms(use_true_random=False))
def test_order_does_not_matter_and_parts_add_up(tickets: list[EndedTicket], random: Any) -> None:
    shuffled = tickets.copy()
    random.shuffle(shuffled)

    told, again = figures(*tickets), figures(*shuffled)

    assert told == again
    for one in told.figures:
        by_category = told.grouped(one.name, "category").points
        assert sum(point.count.numerator for point in by_category) == one.count.numerator
        assert sum(point.count.denominator for point in by_category) == one.count.denominator
        dated = told.over_time(one.name).points
        assert sum(point.count.denominator for point in dated) <= one.count.denominator
        if one.unit == "share" and one.value is not None:
            assert 0 <= one.value <= 1


def test_counting_goes_on_after_figures_were_told() -> None:
    counter = DeskCounter(ORDER)
    counter.add(ticket(1, **SOLVED))
    counter.figures()

    counter.add(ticket(2, **SOLVED | {"tier": "2"}))

    assert counter.figures().figure("first_contact_resolution").value == 0.5
