"""Drift's parts: distances, what is counted, what quality is held against, and the words for it."""

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.drift.alarms import LEAST, quiet_levels
from triage.drift.distances import NEW_TERMS, TERMS, jensen_shannon, measure, stability_parts
from triage.drift.kept import LEAST_ENDED, check_quality, promise_state
from triage.drift.observed import Observed, observe
from triage.drift.profile import RUN, Bins, Profile, Runs, count_runs
from triage.drift.summary import DriftSummary, summarise
from triage.figures.handled import Ending, Handled
from triage.ticket import Ticket

COUNTS = st.lists(st.integers(0, 500), min_size=2, max_size=12).filter(any)
MANIFEST = {
    "metrics": {"tier": {"newest": {"accuracy": 0.9, "n": 500}}},
    "target_precision": 0.95,
}
WORDS = ("printer", "mailbox", "tunnel", "password", "screen", "keyboard", "invoice", "network")
BINS = {
    "language": Bins.named(("en", "de", "es")),
    "encoding": Bins.named(("sound", "broken")),
    "length": Bins.between(np.array([40.0, 60.0])),
    "category": Bins.named(("mail", "hardware")),
}


def tickets(n: int, *, seed: int = 0, extra: str = "") -> list[Ticket]:
    """Made-up English tickets of five words out of ten."""
    chance = np.random.default_rng(seed)
    return [
        Ticket(f"the {' '.join(chance.permutation(WORDS)[:5])}", f"it does not work {extra}")
        for _ in range(n)
    ]


def seen(of: list[Ticket], category: str = "mail") -> Observed:
    return observe(of, np.ones(len(of)), {"category": np.array([category] * len(of), dtype=object)})


@cache
def profile() -> Profile:
    runs = count_runs(seen(tickets(400)), BINS)
    return Profile(400, runs.tally(), BINS, quiet_levels(runs))


def summary(of: list[Ticket], **changes: Any) -> DriftSummary:
    return summarise("m", profile(), seen(of, **changes))


def alarms(told: DriftSummary) -> set[str]:
    return {one.name for one in told.alarms}


@given(COUNTS)
def test_a_distribution_is_at_no_distance_from_itself(counts: list[int]) -> None:
    usual = np.array(counts)

    assert stability_parts(usual, usual).sum() == 0
    assert jensen_shannon(usual, usual) == pytest.approx(0, abs=1e-9)


@given(st.integers(1, 8).flatmap(lambda n: st.tuples(*[st.tuples(*[st.integers(0, 99)] * n)] * 2)))
def test_distances_are_never_negative_and_jensen_shannon_is_at_most_one(
    both: tuple[tuple[int, ...], tuple[int, ...]],
) -> None:
    usual, window = (np.array(one) for one in both)

    assert (stability_parts(usual, window) >= 0).all()
    assert -1e-9 <= jensen_shannon(usual, window) <= 1 + 1e-9


def test_stability_index_is_that_of_the_textbook() -> None:
    usual, window = np.array([800_000, 200_000]), np.array([600_000, 400_000])

    found = stability_parts(usual, window)

    assert found.tolist() == pytest.approx([0.2 * np.log(4 / 3), 0.2 * np.log(2)], abs=1e-5)


def test_what_nobody_ever_wrote_in_is_far_but_not_infinitely() -> None:
    found = stability_parts(np.array([100, 0]), np.array([50, 50])).sum()

    assert 1 < found < 10


def test_a_word_of_a_burst_counts_once_in_ten_tickets() -> None:
    usual = count_runs(seen(tickets(400)), BINS).tally()
    quiet = tickets(100, seed=1)
    together = [*quiet[:80], *tickets(20, seed=2, extra="zeppelin")]
    spread = [
        Ticket(one.subject, f"{one.description} zeppelin") if place % 5 == 0 else one
        for place, one in enumerate(quiet)
    ]

    def risen(of: list[Ticket]) -> float:
        return measure(usual, count_runs(seen(of), BINS).tally())[NEW_TERMS]

    assert risen(spread) > 2 * risen(together)


@pytest.mark.parametrize("n", [0, 1, RUN, RUN + 1, 57])
def test_runs_add_up_to_the_tickets_whatever_their_number(n: int) -> None:
    runs = count_runs(seen(tickets(n)), BINS)

    assert len(runs) == -(-n // RUN)
    assert runs.tally().binned["language"].sum() == n


def test_profile_is_the_same_after_a_manifest() -> None:
    kept = profile()

    again = Profile.unpacked(json.loads(json.dumps(kept.packed())))

    assert again.packed() == kept.packed()
    assert again.bins == kept.bins


def test_profile_holds_no_word_and_little_space() -> None:
    written = json.dumps(profile().packed())

    assert not any(word in written for word in WORDS)
    assert len(written) < 100_000


@pytest.mark.parametrize(
    ("text", "is_broken"),
    [
        ("Das GerÃ¤t lÃ¤uft nicht", True),
        ("It canâ€™t be opened", True),
        ("Das Ger\N{REPLACEMENT CHARACTER}t", True),
        ("Das Ger?t ist weg", True),
        ("Das Gerät läuft nicht, straße, año, garçon", False),
        ("NÃO FUNCIONA, ATENÇÃO", False),
        ("Does it work? please call", False),
        ("see page.php?id=3", False),
    ],
)
def test_broken_characters_are_told_from_accents(text: str, is_broken: bool) -> None:
    found = seen([Ticket("", text)]).values["encoding"]

    assert found.tolist() == ["broken" if is_broken else "sound"]


def test_quiet_tickets_do_not_alarm() -> None:
    assert alarms(summary(tickets(150, seed=5))) == set()


def test_a_new_word_alarms_and_says_which_label_its_tickets_had() -> None:
    quiet, new = tickets(150, seed=5), tickets(150, seed=6, extra="zeppelin")

    told = summary([new[n] if n % 4 == 0 else quiet[n] for n in range(150)])

    [risen] = [one for one in told.alarms if one.name == NEW_TERMS]
    assert "a word in 38 of 150 tickets" in risen.change
    assert "38 of them were taken for mail" in risen.change
    assert "zeppelin" not in json.dumps(told.to_dict())


def test_a_new_language_is_named() -> None:
    spanish = [Ticket("No puedo entrar", "Desde esta mañana no me deja entrar en mi cuenta")] * 30

    told = summary([*tickets(120, seed=5), *spanish])

    [language] = [one for one in told.alarms if one.name == "language"]
    assert language.change == "Spanish: 0.0% of the tickets before, 20.0% now"
    assert any("another language" in one for one in told.advice)


def test_broken_characters_are_the_first_thing_to_look_at() -> None:
    broken = tickets(50, seed=6, extra="GerÃ¤t lÃ¤uft zurÃ¼ck")

    told = summary([*tickets(100, seed=5), *broken])

    assert told.alarms[0].name == "encoding"
    assert "UTF-8" in told.advice[0]


def test_other_predictions_alarm_by_label() -> None:
    told = summary(tickets(150, seed=5), category="hardware")

    assert alarms(told) == {"category"}
    assert "hardware: 0.0% of the tickets before, 100.0% now" in told.alarms[0].change


def test_too_few_tickets_are_told_to_be_too_few() -> None:
    told = summary(tickets(LEAST - 1, extra="zeppelin"))

    assert told.signals == ()
    assert f"{LEAST} are needed" in told.note


def test_short_history_gives_values_without_levels() -> None:
    runs = count_runs(seen(tickets(120)), BINS)
    short = Profile(120, runs.tally(), BINS, quiet_levels(runs))

    told = summarise("m", short, seen(tickets(150, seed=3, extra="zeppelin")))

    assert short.levels == {}
    assert {one.level for one in told.signals} == {None}
    assert not told.alarms
    assert "too short" in told.note


def test_levels_are_the_same_for_the_same_seed() -> None:
    runs: Runs = count_runs(seen(tickets(400)), BINS)

    assert quiet_levels(runs) == quiet_levels(runs)
    assert set(quiet_levels(runs)[100]) == {TERMS, NEW_TERMS, *BINS}


def ended(n: int, right: int, *, decision: str = "route", sure: float = 0.95) -> list[Handled]:
    """So many suggestions whose tickets have ended, the first of them as suggested."""
    return [
        Handled(
            datetime(2026, 3, 2, tzinfo=UTC),
            decision,  # type: ignore[arg-type]
            sure,
            "m",
            "1",
            None,
            ending=Ending("1" if number < right else "2"),
        )
        for number in range(n)
    ]


@pytest.mark.parametrize(("right", "state"), [(95, "kept"), (92, "kept"), (80, "void")])
def test_promise_is_void_when_chance_does_not_explain_what_was_wrong(
    right: int, state: str
) -> None:
    checks = check_quality(ended(100, right), MANIFEST, ("tier",))

    assert promise_state(checks) == state


def test_promise_is_unknown_before_enough_routed_tickets_have_ended() -> None:
    few = [*ended(LEAST_ENDED - 1, 0), *ended(100, 90, decision="suggest")]

    assert promise_state(check_quality(few, MANIFEST, ("tier",))) == "unknown"


@pytest.mark.parametrize(("right", "is_worse"), [(180, False), (170, False), (150, True)])
def test_accuracy_is_held_against_the_newest_tickets_of_the_training(
    right: int, is_worse: bool
) -> None:
    checks = check_quality(ended(200, right, decision="suggest", sure=0.7), MANIFEST, ("tier",))

    found = {check.name: check.is_broken for check in checks}
    assert found == {"accuracy_tier": is_worse, "calibration": False}


def test_confidence_that_is_too_high_breaks_calibration() -> None:
    checks = check_quality(ended(200, 170, decision="suggest", sure=0.97), MANIFEST, ("tier",))

    assert [check.name for check in checks if check.is_broken] == ["calibration"]


@pytest.mark.slow
def test_checks_of_quality_rarely_alarm_by_chance() -> None:
    chance = np.random.default_rng(4)
    n_alarms = 0
    for _ in range(400):
        right = int(chance.binomial(150, 0.95))
        checks = check_quality(ended(150, right), MANIFEST, ("tier",))
        n_alarms += any(check.is_broken for check in checks)

    assert n_alarms <= 0.02 * 400
