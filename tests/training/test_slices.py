from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from training.slices import MIN_TICKETS, Slicing, measure_slices, part_tickets

N = 200


@pytest.fixture
def frame(as_history: Callable[[Any], pd.DataFrame]) -> pd.DataFrame:
    """Half English and half German tickets, in four months, from three sites and many callers."""
    german = np.arange(N) % 2 == 1
    months = pd.date_range("2025-01-15", periods=4, freq="MS", tz="UTC")
    return as_history(
        {
            "id": [str(number) for number in range(N)],
            "created_at": [months[number * 4 // N] for number in range(N)],
            "subject": [
                "Drucker druckt nicht" if is_german else "no paper" for is_german in german
            ],
            "description": [
                "Seit heute Morgen geht er nicht mehr, bitte um Hilfe"
                if is_german
                else "the printer on the third floor says that it is out of paper"
                for is_german in german
            ],
            "field:site": [("Basel", "Lyon", "Porto")[min(number // 95, 2)] for number in range(N)],
            "field:caller": [f"person {number}" for number in range(N)],
            "category": ["printing"] * N,
        }
    )


def measured(frame: pd.DataFrame, correct: np.ndarray) -> dict[str, Slicing]:
    rows = np.arange(N)
    slicings = measure_slices(part_tickets(frame), rows, np.full(N, 0.8), correct)
    return {slicing.title: slicing for slicing in slicings}


def test_language_that_is_worse_is_told(frame: pd.DataFrame) -> None:
    correct = np.arange(N) % 2 == 0

    found = measured(frame, correct)["Language"].slices

    assert [(part.name, part.n, part.right.value) for part in found] == [
        ("English", 100, 1.0),
        ("German", 100, 0.0),
    ]
    assert [part.differs for part in found] == ["higher", "lower"]


def test_slices_that_are_alike_do_not_differ(frame: pd.DataFrame) -> None:
    correct = np.random.default_rng(0).random(N) < 0.8

    found = measured(frame, correct)

    assert {part.differs for slicing in found.values() for part in slicing.slices} == {""}


def test_months_stand_in_order(frame: pd.DataFrame) -> None:
    found = measured(frame, np.ones(N, dtype=bool))["Month"].slices

    assert [part.name for part in found] == ["2025-02", "2025-03", "2025-04", "2025-05"]
    assert [part.n for part in found] == [50] * 4


def test_value_in_few_tickets_is_not_shown(frame: pd.DataFrame) -> None:
    found = measured(frame, np.ones(N, dtype=bool))["Form field site"].slices

    assert N - 2 * 95 < MIN_TICKETS
    assert [part.name for part in found] == ["Basel", "Lyon"]


def test_field_of_many_values_shows_none(frame: pd.DataFrame) -> None:
    found = measured(frame, np.ones(N, dtype=bool))["Form field caller"]

    assert found.slices == ()
    assert "200 different values" in found.note


def test_history_without_dates_has_no_months(frame: pd.DataFrame) -> None:
    undated = frame.assign(
        created_at=pd.Series(pd.NaT, index=frame.index, dtype="datetime64[us, UTC]")
    )

    assert "Month" not in measured(undated, np.ones(N, dtype=bool))


def test_lengths_hold_every_ticket_with_words(frame: pd.DataFrame) -> None:
    found = measured(frame, np.ones(N, dtype=bool))["Length of subject and description"].slices

    assert sum(part.n for part in found) == N
