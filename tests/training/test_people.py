"""Words of people and outcomes become rows to learn from, weighed and guarded."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from training.canonical import WEIGHT
from training.people import BY_ONE, CONFIDENT_MISTAKE, CORRECTED, agreed, merge_store
from triage.store import Feedback, LabelDoubt, Outcome, Store, StoredSuggestion, open_store

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'triage.db'}")
    yield opened
    opened.close()


@pytest.fixture
def analysts(store: Store) -> list[str]:
    return [store.create_key(name, ["review"])[0].id for name in ("ada", "ben", "cleo")]


def triaged(store: Store, ticket_id: str) -> None:
    answer = '{"decision": "suggest"}'
    store.save_suggestions(
        [
            StoredSuggestion(
                f"s-{ticket_id}", NOW, "v1", "suggest", 0.9, "Printer", "It jams", answer, ticket_id
            )
        ]
    )


def word(analyst: str, ticket_id: str, tier: str | None, **changes: Any) -> Feedback:
    said = Feedback(
        created_at=NOW,
        suggestion_id=f"s-{ticket_id}",
        ticket_id=ticket_id,
        model_version="v1",
        api_key_id=analyst,
        verdict="corrected",
        tier=tier,
        category=None,
        shown_tier="9",
        shown_category=None,
        confidence=0.5,
        decision="suggest",
    )
    return replace(said, **changes)


@pytest.fixture
def history(as_history: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """60 tickets, half tier 1 and half tier 2."""
    return as_history(
        {
            "id": [f"H{number}" for number in range(60)],
            "created_at": [NOW - timedelta(days=60 - number) for number in range(60)],
            "subject": [f"Ticket {number}" for number in range(60)],
            "tier": ["1" if number % 2 else "2" for number in range(60)],
        }
    )


def tiers(frame: pd.DataFrame) -> dict[str, str]:
    return dict(zip(frame["id"], frame["tier"], strict=True))


def test_correction_changes_the_label_and_counts_more_where_the_model_was_sure(
    history: pd.DataFrame, store: Store, analysts: list[str]
) -> None:
    store.reviews.take(word(analysts[0], "H1", "2"))
    store.reviews.take(word(analysts[1], "H3", "2", confidence=0.95))

    frame, merged = merge_store(history, store)

    by_id = frame.set_index("id")
    assert (by_id.loc["H1", "tier"], by_id.loc["H3", "tier"]) == ("2", "2")
    assert by_id.loc["H1", WEIGHT] == CORRECTED and by_id.loc["H3", WEIGHT] == CONFIDENT_MISTAKE
    assert by_id[BY_ONE].sum() == 2
    assert merged.corrected == 2


def test_confirmation_changes_nothing(
    history: pd.DataFrame, store: Store, analysts: list[str]
) -> None:
    store.reviews.take(word(analysts[0], "H1", "1", verdict="accepted"))

    frame, merged = merge_store(history, store)

    assert merged.confirmed == 1 and merged.corrected == 0
    assert (frame[WEIGHT] == 1).all() and not frame[BY_ONE].any()


def test_people_who_disagree_hold_a_ticket_back(
    history: pd.DataFrame, store: Store, analysts: list[str]
) -> None:
    store.reviews.take(word(analysts[0], "H1", "2"))
    store.reviews.take(word(analysts[1], "H1", "3"))

    frame, merged = merge_store(history, store)

    assert merged.conflicts == 1
    assert "H1" not in tiers(frame)


def test_two_who_agree_are_not_one_persons_word(
    history: pd.DataFrame, store: Store, analysts: list[str]
) -> None:
    store.reviews.take(word(analysts[0], "H1", "2"))
    store.reviews.take(word(analysts[1], "H1", "2"))

    frame, _ = merge_store(history, store)

    assert tiers(frame)["H1"] == "2" and not frame[BY_ONE].any()


def test_last_word_of_a_person_counts_and_what_was_taken_back_does_not(analysts: list[str]) -> None:
    words, conflicts = agreed(
        [
            word(analysts[0], "A", "2"),
            word(analysts[0], "A", "3"),
            word(analysts[0], "B", "2", undone_at=NOW),
            word(analysts[0], "C", None, verdict="rejected"),
        ]
    )

    assert {one: said.labels["tier"] for one, said in words.items()} == {"A": "3"}
    assert conflicts == set()


def test_one_analyst_is_the_source_of_no_more_than_a_twentieth_of_a_class(
    history: pd.DataFrame, store: Store, analysts: list[str]
) -> None:
    for number in range(1, 30, 2):
        store.reviews.take(word(analysts[0], f"H{number}", "2"))

    frame, merged = merge_store(history, store)

    changed = [one for one, tier in tiers(frame).items() if tier == "2" and int(one[1:]) % 2]
    assert len(changed) == 1  # 5% of the 30 tickets of tier 2
    assert merged.over_share == 14


def test_outcomes_of_triaged_tickets_are_new_rows(
    history: pd.DataFrame, store: Store, analysts: list[str]
) -> None:
    triaged(store, "N1")
    store.outcomes.add(
        Outcome(NOW, "N1", analysts[0], "3", "printing", article_ids=("KB1",), reopened=2)
    )
    store.outcomes.add(Outcome(NOW, "N2", analysts[0], "3"))

    frame, merged = merge_store(history, store)

    new = frame.set_index("id").loc["N1"]
    assert (new["tier"], new["category"], new["subject"]) == ("3", "printing", "Printer")
    assert new["article_ids"] == ("KB1",) and bool(new["reopened"])
    assert list(frame.columns[: len(history.columns)]) == list(history.columns)
    assert (merged.from_outcomes, merged.without_text) == (1, 1)


def test_word_against_how_it_ended_is_held_back_unless_we_had_routed_it(
    history: pd.DataFrame, store: Store, analysts: list[str]
) -> None:
    triaged(store, "N1")
    store.outcomes.add(Outcome(NOW, "N1", analysts[0], "3"))
    store.reviews.take(word(analysts[1], "N1", "1"))

    frame, merged = merge_store(history, store)

    assert merged.conflicts == 1 and "N1" not in tiers(frame)


def test_erased_ticket_is_out_of_the_history_too(history: pd.DataFrame, store: Store) -> None:
    store.erasures.erase("H7", NOW)

    frame, merged = merge_store(history, store)

    assert merged.erased == 1 and "H7" not in tiers(frame) and len(frame) == 59


def test_store_alone_is_a_history(store: Store, analysts: list[str]) -> None:
    from training.canonical import completed

    triaged(store, "N1")
    store.outcomes.add(Outcome(NOW, "N1", analysts[0], "3"))
    empty = completed(pd.DataFrame({"subject": [], "description": []}))

    frame, _ = merge_store(empty, store)

    assert tiers(frame) == {"N1": "3"}
    assert frame["created_at"].iloc[0] == pd.Timestamp(NOW)


def test_label_that_was_checked_in_the_audit_is_taken_over(
    history: pd.DataFrame, store: Store, analysts: list[str]
) -> None:
    doubts = [LabelDoubt(f"H{n}", "tier", "s", "d", "1", "2", 0.9) for n in (1, 3)]
    store.label_doubts.save(doubts)
    for doubt, label in zip(doubts, ("2", "1"), strict=True):
        store.label_doubts.decide(doubt.id, label=label, revision=0, api_key_id=analysts[0], at=NOW)

    frame, merged = merge_store(history, store)

    assert (tiers(frame)["H1"], tiers(frame)["H3"]) == ("2", "1")
    assert (merged.corrected, merged.confirmed) == (1, 1)


def test_articles_that_helped_are_learned_and_those_found_wrong_are_not(
    history: pd.DataFrame, store: Store, analysts: list[str]
) -> None:
    store.outcomes.add(
        Outcome(NOW, "H1", analysts[0], "1", article_ids=("KB1", "KB2"), asked_details=("device",))
    )
    for article, helpful in (("KB2", False), ("KB3", True)):
        store.reviews.take(
            word(analysts[1], "H1", None, verdict=None, article_id=article, helpful=helpful)
        )

    frame, merged = merge_store(history, store)

    row = frame.set_index("id").loc["H1"]
    assert row["article_ids"] == ("KB1", "KB3")
    assert row["asked_details"] == ("device",)
    assert (merged.corrected, merged.conflicts) == (0, 0)
