"""Drift on the sample's history: quiet years stay quiet, and what is new is found."""

import json
from random import Random

import pytest

from tests.benchmarks.drift import (
    SHIFTS,
    WINDOW,
    alarms_of,
    another_year,
    as_ticket,
    first_year,
    learned_desk,
    quiet_windows,
)
from training.sample import generate
from triage.drift.profile import Profile
from triage.drift.window import window_of_tickets
from triage.engine import TriageEngine
from triage.ticket import Ticket

pytestmark = pytest.mark.slow

N_YEARS = 12


@pytest.fixture(scope="module")
def desk() -> tuple[TriageEngine, Profile]:
    return learned_desk()


@pytest.fixture(scope="module")
def later() -> list[Ticket]:
    """The sample's tickets from the day on that its new product came."""
    n_before = len(first_year(generate()))
    return [as_ticket(one) for one in generate()[n_before:]]


def found(desk: tuple[TriageEngine, Profile], tickets: list[Ticket]) -> set[str]:
    engine, profile = desk
    return {one.name for one in alarms_of(profile, window_of_tickets(engine, tickets))}


def test_at_most_five_of_a_hundred_quiet_windows_alarm(desk: tuple[TriageEngine, Profile]) -> None:
    engine, profile = desk
    windows = [
        window
        for seed in range(1001, 1001 + N_YEARS)
        for size in (250, WINDOW)
        for window in quiet_windows(window_of_tickets(engine, first_year(another_year(seed))), size)
    ]

    alarming = [window for window in windows if alarms_of(profile, window)]

    assert len(windows) >= 100
    assert len(alarming) <= 0.05 * len(windows)


def test_new_product_is_found_within_500_tickets(
    desk: tuple[TriageEngine, Profile], later: list[Ticket]
) -> None:
    assert "new_terms" in found(desk, later[:WINDOW])


@pytest.mark.parametrize(
    ("shift", "signal"),
    list(zip(SHIFTS, ("encoding", "language", "field:site", "length"), strict=True)),
)
def test_planted_shift_is_found_by_its_own_signal(
    desk: tuple[TriageEngine, Profile], shift: str, signal: str
) -> None:
    quiet = first_year(another_year(2001))[:WINDOW]
    shifted = [SHIFTS[shift](one, Random(row)) for row, one in enumerate(quiet)]

    assert signal in found(desk, shifted)
    assert signal not in found(desk, quiet)


def test_profile_of_a_desk_is_small_and_has_no_label_but_the_model_s_own(
    desk: tuple[TriageEngine, Profile],
) -> None:
    engine, profile = desk

    packed = profile.packed()

    assert len(json.dumps(packed)) < 100_000
    assert set(packed["signals"]["category"]["names"]) <= set(engine.model.heads["category"].labels)
    assert set(profile.levels) == {100, 250, 500}
