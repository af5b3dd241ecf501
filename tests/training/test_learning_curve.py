from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from training.learning_curve import (
    GOAL,
    MIN_ASKED,
    SHARES,
    Forecast,
    LearningCurve,
    draw_curve,
    growing_parts,
)
from training.split import Split

N_TRAIN, N_TEST = 1600, 2000


def curve_of(limit: float, slope: float, exponent: float, n_test: int = N_TEST) -> LearningCurve:
    """Draw the curve of a label that is answered right as often as a power law says."""
    chance = np.random.default_rng(0)
    truth = np.full(N_TRAIN + n_test, "other", dtype=object)
    truth[::2] = "label"
    learned = [np.arange(int(share * N_TRAIN)) for share in SHARES]
    asked = np.arange(N_TRAIN, N_TRAIN + n_test)
    fate = chance.random(n_test)
    answers = []
    for rows in learned:
        n = (truth[rows] == "label").sum()
        right = fate < limit - slope * n**-exponent
        missed = np.where(truth[asked] == "label", "other", "label")
        answers.append(np.where(right, truth[asked], missed).astype(object))
    return draw_curve(truth, learned, asked, answers, ["label", "other"], seed=0)


def forecast_of(curve: LearningCurve) -> Forecast:
    return curve.forecasts[0]


def test_forecast_finds_the_tickets_that_a_power_law_needs() -> None:
    slope, exponent = 6.0, 0.5
    needed = (slope / (1 - GOAL)) ** (1 / exponent)

    found = forecast_of(curve_of(1.0, slope, exponent))

    assert found.verdict == "forecast"
    assert found.low <= needed - found.n
    assert found.high is None or needed - found.n <= found.high
    assert "more tickets to reach 90%" in found.sentence()


def test_label_that_levels_off_below_the_goal_has_no_forecast() -> None:
    found = forecast_of(curve_of(0.7, 3.0, 1.0))

    assert found.verdict == "level"
    assert found.sentence().startswith("no forecast")


def test_label_at_the_goal_needs_no_more() -> None:
    found = forecast_of(curve_of(0.99, 0.5, 0.7))

    assert found.verdict == "reached"


def test_few_newest_tickets_tell_nothing() -> None:
    found = forecast_of(curve_of(1.0, 3.0, 0.5, n_test=MIN_ASKED))

    assert found.verdict == "unknown"
    assert f"{found.asked} of {MIN_ASKED}" in found.sentence()


def test_goal_out_of_reach_is_not_put_into_figures() -> None:
    found = forecast_of(curve_of(0.95, 1.0, 0.2))

    assert found.verdict in ("far", "level")
    assert found.sentence().startswith("no forecast")


def test_curve_has_a_point_for_each_part_and_says_what_more_would_bring() -> None:
    curve = curve_of(1.0, 3.0, 0.5)

    assert [point.n for point in curve.points] == [200, 400, 800, 1600]
    assert curve.points[-1].accuracy == pytest.approx(1 - 3 * 800**-0.5, abs=0.03)
    assert curve.at_double is not None
    assert curve.at_double.low <= curve.at_double.value <= curve.at_double.high
    assert curve.at_double.value > curve.points[-1].accuracy
    assert curve.sentence().startswith("Learning from 1,600 tickets instead of 800 took accuracy")


def test_tickets_learned_from_since_may_be_enough() -> None:
    found = forecast_of(curve_of(1.0, 3.0, 0.5))

    assert found.more == 0
    assert found.sentence() == "what is there may be enough for 90% by now"


def test_flat_curve_is_said_to_be_flat() -> None:
    assert "hardly help" in curve_of(0.8, 0.0, 1.0).sentence()


def test_curve_of_few_tickets_may_be_chance_and_expects_nothing() -> None:
    curve = curve_of(1.0, 3.0, 0.5, n_test=60)

    assert curve.at_double is None
    assert "Asked about 60 tickets only" in curve.sentence()


def test_curve_that_falls_is_said_to_fall() -> None:
    curve = curve_of(0.5, -5.0, 0.5)

    assert curve.at_double is None
    assert "made it worse" in curve.sentence()


def test_same_seed_gives_the_same_curve() -> None:
    assert curve_of(1.0, 3.0, 0.5) == curve_of(1.0, 3.0, 0.5)


def test_parts_grow_from_the_most_recent_tickets() -> None:
    dates = pd.Series(pd.date_range("2025-01-01", periods=100, freq="D", tz="UTC"))
    rows = np.arange(80)

    parts = growing_parts(Split(rows, np.arange(80, 100), True), rows, dates, np.arange(100), 0)

    assert [len(part) for part in parts] == [10, 20, 40, 80]
    assert parts[0].tolist() == list(range(70, 80))


def test_parts_without_dates_grow_by_whole_clusters() -> None:
    dates = pd.Series(pd.NaT, index=range(100), dtype="datetime64[us, UTC]")
    rows, clusters = np.arange(80), np.repeat(np.arange(10), 10)

    parts = growing_parts(Split(rows, np.arange(80, 100), False), rows, dates, clusters, 0)

    for smaller, larger in pairwise(parts):
        assert set(smaller) <= set(larger)
    assert len(set(clusters[parts[0]])) == 1
    assert parts[-1].tolist() == rows.tolist()
