from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pandas as pd
import pytest

from training.accounting import Accounting
from training.fit import Learned
from training.model_card import render_model_card
from training.study import Study, study_learning

FACTS = MappingProxyType(
    {
        "trained_at": "2025-03-04T05:06:07+00:00",
        "seed": 7,
        "data_hash": "d" * 64,
        "model_hash": "e" * 64,
        "libraries": {"numpy": "2.3.0"},
    }
)
HOSTILE = "<img src=x>|`[a](b)"


@pytest.fixture(scope="module")
def study(learned: Learned, history: pd.DataFrame) -> Study:
    return study_learning(learned, history, n_jobs=1)


@pytest.fixture(scope="module")
def inputs() -> dict[str, Any]:
    return {"version": "v-1", "facts": dict(FACTS), "accounting": Accounting(files=())}


def tables(card: str) -> list[list[str]]:
    """Take the tables of a card, as lines."""
    blocks = [block.splitlines() for block in card.split("\n\n")]
    return [block for block in blocks if block and block[0].startswith("|")]


def test_every_table_has_as_many_cells_as_its_heading(
    learned: Learned, study: Study, inputs: dict[str, Any]
) -> None:
    card = render_model_card(learned, study, **inputs)

    found = tables(card)
    assert len(found) == 3
    for table in found:
        assert len(table) >= 3
        assert len({line.rstrip().count("|") for line in table}) == 1


def test_card_tells_figures_promise_and_how_to_make_it_again(
    learned: Learned, study: Study, inputs: dict[str, Any]
) -> None:
    card = render_model_card(learned, study, **inputs)

    accuracy = learned.metrics["tier"]["newest"]["accuracy"]
    assert card.startswith("# Model card: v-1\n")
    assert f"{accuracy:.1%}" in card
    assert "seed 7" in card
    assert "e" * 64 in card
    refits = study.targets["tier"].refits
    assert refits is not None
    assert refits.curve.sentence() in card


def test_labels_that_are_only_suggested_are_named(
    learned: Learned, study: Study, inputs: dict[str, Any]
) -> None:
    head = learned.model.heads["category"]
    held = replace(head, thresholds={**dict.fromkeys(head.labels, 0.9), "vpn": None})
    model = replace(learned.model, heads={**learned.model.heads, "category": held})

    card = render_model_card(replace(learned, model=model), study, **inputs)

    assert "category, suggested but never routed: vpn." in card


def test_hostile_names_become_no_markup(
    learned: Learned, study: Study, inputs: dict[str, Any]
) -> None:
    card = render_model_card(replace(learned, skipped={HOSTILE: "too few"}), study, **inputs)

    assert HOSTILE not in card
    assert r"\<img src=x\>\|\`\[a\](b) was not learned" in card


def test_card_holds_no_ticket_text(
    learned: Learned, study: Study, history: pd.DataFrame, inputs: dict[str, Any]
) -> None:
    card = render_model_card(learned, study, **inputs)

    assert not [text for text in history["subject"] if text in card]
