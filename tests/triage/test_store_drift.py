"""Drift of a store: its newest suggestions against what the model that serves learned from."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from training.drift_profile import profile_of
from training.fit import Learned
from training.tickets import iter_tickets
from triage.engine import TriageEngine
from triage.knowledge_engine import load_knowledge_engine
from triage.store import Outcome, Store, StoredSuggestion
from triage.store.drift import drift_summary
from triage.suggestion import Suggestion
from triage.ticket import Ticket

NOW = datetime.now(UTC)
SPANISH = Ticket("No puedo entrar", "Desde esta mañana no me deja entrar en mi cuenta")


@pytest.fixture(scope="module")
def serving(loaded_engine: TriageEngine, learned: Learned, history: pd.DataFrame) -> TriageEngine:
    """The made-up desk's engine, whose manifest knows what was usual and promises 95%."""
    known = {"drift": profile_of(learned, history).packed(), "target_precision": 0.95}
    metrics = {"tier": {"newest": {"accuracy": 0.9, "n": 48}}}
    return replace(loaded_engine, manifest={**loaded_engine.manifest, **known, "metrics": metrics})


@pytest.fixture(scope="module")
def newest(long_history: pd.DataFrame) -> list[Ticket]:
    """120 tickets of the desk that the model has not seen."""
    return list(iter_tickets(long_history.iloc[300:420]))


def answered(
    store: Store, engine: TriageEngine, tickets: Sequence[Ticket], *, days_ago: float = 0
) -> list[Suggestion]:
    """Answer tickets and store the answers, a minute apart, the last one at a moment."""
    answers = engine.answer(tickets)
    last = NOW - timedelta(days=days_ago)
    store.save_suggestions(
        [
            StoredSuggestion(
                id=answer.suggestion.suggestion_id,
                created_at=last - timedelta(minutes=len(answers) - place),
                model_version=engine.version,
                decision=answer.suggestion.decision,
                confidence=answer.suggestion.confidence,
                subject=answer.ticket.subject,
                description=answer.ticket.description,
                answer=json.dumps(answer.suggestion.to_dict()),
                ticket_id=answer.ticket.id,
            )
            for place, answer in enumerate(answers)
        ]
    )
    return [answer.suggestion for answer in answers]


def end(store: Store, suggestions: Sequence[Suggestion], *, wrongly: bool) -> None:
    """Tell how tickets ended: as suggested, or elsewhere."""
    key = store.create_key("desk", ["admin"])[0].id
    for one in suggestions:
        assert one.ticket_id is not None and one.tier is not None
        tier = one.tier.label or one.tier.alternatives[0].label
        other = next(label for label in "123" if label != tier)
        store.outcomes.add(Outcome(NOW, one.ticket_id, key, other if wrongly else tier))


def test_quiet_desk_raises_no_alarm(
    store: Store, serving: TriageEngine, newest: list[Ticket]
) -> None:
    answered(store, serving, newest)

    told = drift_summary(store, serving)

    assert told.n_tickets == 120
    assert told.note == ""
    assert [one.name for one in told.alarms] == []
    assert {"terms", "language", "tier", "category", "confidence", "decision"} <= {
        one.name for one in told.signals
    }


def test_new_language_is_found_and_said_without_a_word_of_a_ticket(
    store: Store, serving: TriageEngine, newest: list[Ticket]
) -> None:
    answered(store, serving, [*newest[:90], *[SPANISH] * 30])

    told = drift_summary(store, serving)

    assert "language" in {one.name for one in told.alarms}
    assert "mañana" not in json.dumps(told.to_dict(), ensure_ascii=False)


def test_only_the_window_asked_for_is_looked_at(
    store: Store, serving: TriageEngine, newest: list[Ticket]
) -> None:
    answered(store, serving, [SPANISH] * 120, days_ago=9)
    answered(store, serving, newest)

    by_number = drift_summary(store, serving, window=110)
    by_days = drift_summary(store, serving, days=7)
    of_all = drift_summary(store, serving)

    assert (by_number.n_tickets, by_days.n_tickets, of_all.n_tickets) == (110, 120, 240)
    assert not by_number.alarms
    assert not by_days.alarms
    assert of_all.alarms


def test_what_another_model_suggested_is_no_drift_of_this_one(
    store: Store, serving: TriageEngine, newest: list[Ticket]
) -> None:
    answered(store, replace(serving, version="before"), newest)

    told = drift_summary(store, serving)

    names = {one.name for one in told.signals}
    assert "terms" in names
    assert not names & {"tier", "category", "confidence", "decision"}


def test_tickets_that_end_elsewhere_show_in_quality(
    store: Store, serving: TriageEngine, newest: list[Ticket]
) -> None:
    suggestions = answered(store, serving, newest)
    end(store, suggestions, wrongly=True)

    told = drift_summary(store, serving)

    assert told.n_ended == 120
    assert {"accuracy_tier", "calibration"} <= {one.name for one in told.alarms}
    assert any("triage retrain" in one for one in told.advice)


def test_tickets_that_end_as_suggested_raise_no_alarm(
    store: Store, serving: TriageEngine, newest: list[Ticket]
) -> None:
    suggestions = answered(store, serving, newest)
    end(store, suggestions, wrongly=False)

    told = drift_summary(store, serving)

    assert told.n_ended == 120
    assert not told.alarms


def test_empty_store_says_that_there_is_too_little(store: Store, serving: TriageEngine) -> None:
    told = drift_summary(store, serving)

    assert (told.n_tickets, told.since, told.signals) == (0, None, ())
    assert "too few" in told.note


def test_bundle_of_before_profiles_says_what_to_do(
    store: Store, loaded_engine: TriageEngine, newest: list[Ticket]
) -> None:
    answered(store, loaded_engine, newest)

    told = drift_summary(store, loaded_engine)

    assert told.signals == ()
    assert "train it again" in told.note


def test_desk_without_a_model_has_nothing_to_drift_from(store: Store, tmp_path: Path) -> None:
    (tmp_path / "kb").mkdir()
    (tmp_path / "kb" / "KB1.md").write_text(
        "---\nid: KB1\ntitle: Unlock a locked account\n---\n\n## Steps\n\n1. Unlock it.\n", "utf-8"
    )
    engine = load_knowledge_engine(tmp_path / "kb")

    told = drift_summary(store, engine)

    assert "no model yet" in told.note
