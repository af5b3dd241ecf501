from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from triage.flow import HOURS_A_WEEK, Flow

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


def office_hours(n_weeks: int, a_day: int = 10) -> np.ndarray:
    """Let ten tickets come in between nine and five, from Monday to Friday."""
    moments = [
        MONDAY + timedelta(weeks=week, days=day, hours=9 + 8 * number / a_day)
        for week in range(n_weeks)
        for day in range(5)
        for number in range(a_day)
    ]
    return np.array([moment.replace(tzinfo=None) for moment in moments], dtype="datetime64[s]")


def test_busy_hours_expect_more_than_quiet_ones() -> None:
    flow = Flow.of(office_hours(20))

    busy = flow.expected(MONDAY + timedelta(weeks=50, hours=13), HOUR)
    night = flow.expected(MONDAY + timedelta(weeks=50, hours=3), HOUR)
    sunday = flow.expected(MONDAY + timedelta(weeks=50, days=6, hours=13), HOUR)

    assert busy == pytest.approx(1.6, rel=0.2)
    assert 0 < night < busy / 5
    assert 0 < sunday < busy / 5


def test_expectation_adds_up_over_windows() -> None:
    flow = Flow.of(office_hours(20))
    noon = MONDAY + timedelta(hours=12, minutes=20)

    minutes = sum(
        flow.expected(noon - timedelta(minutes=10 * part), timedelta(minutes=10))
        for part in range(6)
    )

    assert flow.expected(noon, HOUR) == pytest.approx(minutes)
    assert flow.expected(MONDAY, timedelta(weeks=1)) == pytest.approx(flow.per_week)


def test_newer_half_year_tells_how_much_comes_in() -> None:
    quiet, busy = office_hours(60, a_day=4), office_hours(40, a_day=20)
    later = busy + np.timedelta64(60 * 7, "D")

    flow = Flow.of(np.concatenate([quiet, later]))

    assert flow.per_week == pytest.approx(7 * 20)


def test_gap_in_the_history_is_no_quiet_time() -> None:
    moments = office_hours(10)

    flow = Flow.of(np.concatenate([moments, moments + np.timedelta64(500, "D")]))

    assert flow.per_week == pytest.approx(Flow.of(moments).per_week)


def test_few_days_say_little_about_the_others() -> None:
    flow = Flow.of(office_hours(1)[:10])

    wednesday = flow.expected(MONDAY + timedelta(days=2, hours=13), HOUR)

    assert wednesday > flow.per_week / HOURS_A_WEEK / 2


def test_without_tickets_nothing_is_expected() -> None:
    flow = Flow.of(np.empty(0, dtype="datetime64[s]"))

    assert flow.per_week == 0
    assert flow.expected(MONDAY, HOUR) == 0
