"""Dates of an export: which forms are read, and how unclear ones are settled."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.dates import DateColumn


def parse(*values: str) -> list[datetime | None]:
    column = DateColumn("created_at")
    column.observe(values)
    dates: list[datetime | None] = column.parse(values).tolist()
    return dates


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-05-06", datetime(2024, 5, 6)),
        ("2024-05-06 07:08", datetime(2024, 5, 6, 7, 8)),
        ("2024-05-06T07:08:09.123456789Z", datetime(2024, 5, 6, 7, 8, 9, 123456)),
        ("2024-05-06T07:08:09+02:00", datetime(2024, 5, 6, 5, 8, 9)),
        ("2024-05-06T07:08:09.000+0200", datetime(2024, 5, 6, 5, 8, 9)),
        ("2024-05-06 07:08:09 UTC", datetime(2024, 5, 6, 7, 8, 9)),
        ("2024-05-06 07:08:09 -0130", datetime(2024, 5, 6, 8, 38, 9)),
        ("20240506", datetime(2024, 5, 6)),
        ("2024/05/06 07:08", datetime(2024, 5, 6, 7, 8)),
        ("06.05.2024", datetime(2024, 5, 6)),
        ("6.5.2024 7:08:09", datetime(2024, 5, 6, 7, 8, 9)),
        ("06.05.24, 07:08", datetime(2024, 5, 6, 7, 8)),
        ("06/May/24 7:08 PM", datetime(2024, 5, 6, 19, 8)),
        ("06/May/24 12:08 a.m.", datetime(2024, 5, 6, 0, 8)),
        ("6 Mai 2024", datetime(2024, 5, 6)),
        ("6. Dezember 2024 07:08", datetime(2024, 12, 6, 7, 8)),
        ("31-Dec-1999", datetime(1999, 12, 31)),
        ("May 6, 2024 7:08 PM", datetime(2024, 5, 6, 19, 8)),
        ("Mon, 06 May 2024 07:08:09 +0000", datetime(2024, 5, 6, 7, 8, 9)),
        ("1714979289", datetime(2024, 5, 6, 7, 8, 9)),
        ("1714979289.5", datetime(2024, 5, 6, 7, 8, 9, 500000)),
        ("1714979289500", datetime(2024, 5, 6, 7, 8, 9, 500000)),
        (" 2024-05-06 ", datetime(2024, 5, 6)),
    ],
)
def test_form_is_read(value: str, expected: datetime) -> None:
    assert parse(value) == [expected]


@pytest.mark.parametrize(
    "value",
    ["soon", "2024-02-30", "0001-01-01", "9999-12-31", "32.01.2024", "13/13/2024", "12345",
     "06/May/24 13:08 PM", "6 Foo 2024", "nan", "inf", "1e300", "9" * 70, "2024-05-06 25:00",
     "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"],
)  # fmt: skip
def test_other_text_is_no_date_and_is_counted(value: str) -> None:
    column = DateColumn("created_at")

    assert column.parse([value, ""]).tolist() == [None, None]
    assert column.unread == 1


def test_one_clear_date_settles_the_others() -> None:
    assert parse("03/04/2024", "25/04/2024")[0] == datetime(2024, 4, 3)
    assert parse("03/04/2024", "04/25/2024")[0] == datetime(2024, 3, 4)
    assert parse("03-04-2024", "04-25-2024")[0] == datetime(2024, 3, 4)


def test_dots_always_put_the_day_first() -> None:
    assert parse("03.04.2024", "04/25/2024")[0] == datetime(2024, 4, 3)


@pytest.mark.parametrize(
    ("values", "note"),
    [
        (("03/04/2024", "25/04/2024"), "created_at was read as day/month"),
        (("03/04/2024", "04/25/2024"), "created_at was read as month/day"),
        (
            ("03/04/2024",),
            "created_at could be day/month or month/day throughout; it was read as day/month",
        ),
        (
            ("03/04/2024 1:00 PM",),
            "created_at could be day/month or month/day throughout; it was read as month/day",
        ),
        (
            ("03/04/2024", "25/04/2024", "26/04/2024", "04/25/2024"),
            "created_at mixes day/month (2) and month/day (1); the 1 that could be either were "
            "read as day/month",
        ),
        (
            ("2024-01-01", "2024-01-01T00:00Z"),
            "created_at: 1 dates without a time zone, among 1 with one, were taken as UTC",
        ),
    ],
)
def test_what_was_decided_is_told(values: tuple[str, ...], note: str) -> None:
    column = DateColumn("created_at")
    column.observe(values)
    column.parse(values)

    assert column.notes == [note]


@given(st.text(max_size=80))
def test_any_text_is_a_date_or_counted(value: str) -> None:
    column = DateColumn("created_at")
    column.observe([value])

    (date,) = column.parse([value]).tolist()

    assert (date is None) == (column.unread == 1 or not value.strip())


@given(
    st.datetimes(
        datetime(1971, 1, 1), datetime(2099, 1, 1), timezones=st.timezones() | st.just(UTC)
    )
)
def test_iso_dates_of_any_zone_become_utc(date: datetime) -> None:
    assert parse(date.isoformat()) == [date.astimezone(UTC).replace(tzinfo=None)]
