"""What a person reads on a terminal of tiers missed, of paths, and of what is not suggested."""

import io
from typing import Any

import pytest
from rich.console import Console

from triage.console import show_metrics, show_suggestion
from triage.suggestion import Alternative, PathStep, Prediction, Suggestion

FIGURES = {
    "accuracy": 0.8,
    "macro_f1": 0.7,
    "ece": 0.02,
    "coverage_at_90": 0.5,
    "coverage_at_95": 0.4,
    "n": 1200,
}


@pytest.fixture
def terminal() -> Console:
    return Console(file=io.StringIO(), width=200)


def printed(terminal: Console) -> str:
    stream: Any = terminal.file
    return str(stream.getvalue())


def suggestion(category: Prediction) -> Suggestion:
    return Suggestion("s1", None, "v1", "suggest", 0.6, [], None, category)


def test_tiers_missed_and_their_cost_are_told_in_a_sentence(terminal: Console) -> None:
    tier = {**FIGURES, "under_escalated": 0.031, "over_escalated": 0.02, "mean_cost": 0.0824}

    show_metrics(terminal, "Model", {"tier": tier, "category": FIGURES})

    told = printed(terminal)
    assert "tier: 3.1% would be sent too low, 2.0% too high; mean cost 0.082" in told
    assert told.count("too low") == 1


def test_levels_of_a_path_are_told(terminal: Console) -> None:
    levels = [{"accuracy": 0.9, "macro_f1": 0.8}, {"accuracy": 0.7, "macro_f1": 0.5}]

    show_metrics(terminal, "Model", {"category": {**FIGURES, "levels": levels}})

    assert "category, level 1: accuracy 0.900, macro-F1 0.800" in printed(terminal)
    assert "category, level 2: accuracy 0.700, macro-F1 0.500" in printed(terminal)


def test_parent_is_shown_with_every_alternative_below_it(terminal: Console) -> None:
    leaves = [Alternative("Access > VPN", 0.29), Alternative("Access > Card", 0.28)]
    path = [PathStep("Access", "Access", 0.57)]

    show_suggestion(
        terminal,
        suggestion(Prediction("Access", "Access", 0.57, "suggest", [], leaves, path=path)),
    )

    assert "Access 57.0% (or Access > VPN 29.0%, Access > Card 28.0%)" in printed(terminal)


def test_label_shown_is_not_named_again_as_an_alternative(terminal: Console) -> None:
    likely = [Alternative("1", 0.6), Alternative("2", 0.4)]

    show_suggestion(terminal, suggestion(Prediction("2", "2", 0.4, "suggest", ["2"], likely)))

    assert "2 40.0% (or 1 60.0%)" in printed(terminal)


def test_nothing_is_shown_where_every_label_is_excluded(terminal: Console) -> None:
    show_suggestion(terminal, suggestion(Prediction(None, None, 0.9, "review", ["1"], [])))

    assert "none" in printed(terminal) and "at best" not in printed(terminal)
