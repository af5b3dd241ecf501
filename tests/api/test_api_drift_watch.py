"""The service looks for drift by itself, and its gauges tell."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.drift_watch import DriftWatch
from api.metrics import Metrics
from training.drift_profile import profile_of
from training.fit import Learned
from training.tickets import iter_tickets
from triage.engine import TriageEngine
from triage.store import Store, StoredSuggestion


class Serving:
    """What the watch needs of the service: the engine that answers now."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine


def gauges(metrics: Metrics) -> dict[tuple[str, str], float]:
    return {
        (sample.name, sample.labels["signal"]): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        if family.name.startswith("triage_drift")
        for sample in family.samples
    }


def until(happened: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_gauges_tell_the_newest_value_of_each_signal() -> None:
    metrics = Metrics()

    metrics.set_drift("language", 0.3, is_alarm=True)
    metrics.set_drift("language", 0.01, is_alarm=False)

    assert gauges(metrics) == {
        ("triage_drift", "language"): 0.01,
        ("triage_drift_alarm", "language"): 0.0,
    }


def test_desk_without_a_model_is_watched_without_a_gauge(store: Store, engine: Any) -> None:
    metrics = Metrics()
    watch = DriftWatch(store, Serving(engine), metrics, first_s=0, period_s=0.01)  # type: ignore[arg-type]

    watch.start()
    time.sleep(0.2)
    watch.close(5)

    assert gauges(metrics) == {}


@pytest.fixture
def watched(
    store: Store, loaded_engine: TriageEngine, learned: Learned, history: pd.DataFrame
) -> TriageEngine:
    """The made-up desk's engine, which knows what was usual; the store has 100 answers of it."""
    profile = profile_of(learned, history)
    answers = loaded_engine.answer(list(iter_tickets(history.head(100))))
    store.save_suggestions(
        [
            StoredSuggestion(
                id=answer.suggestion.suggestion_id,
                created_at=datetime.now(UTC),
                model_version=loaded_engine.version,
                decision=answer.suggestion.decision,
                confidence=answer.suggestion.confidence,
                subject=answer.ticket.subject,
                description=answer.ticket.description,
                answer=json.dumps(answer.suggestion.to_dict()),
                ticket_id=answer.ticket.id,
            )
            for answer in answers
        ]
    )
    return replace(loaded_engine, manifest={**loaded_engine.manifest, "drift": profile.packed()})


def test_watch_goes_on_when_a_look_fails(store: Store, watched: TriageEngine) -> None:
    metrics, failing = Metrics(), _Failing(store)
    watch = DriftWatch(failing, Serving(watched), metrics, first_s=0, period_s=0.01)  # type: ignore[arg-type]

    watch.start()
    until(lambda: failing.n_failed)
    failing.is_failing = False
    until(lambda: gauges(metrics))
    watch.close(5)

    assert {"terms", "language", "confidence"} <= {signal for _, signal in gauges(metrics)}


class _Failing:
    """A store that cannot be read until it can."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.is_failing = True
        self.n_failed = 0

    @property
    def figures(self) -> Any:
        if self.is_failing:
            self.n_failed += 1
            raise RuntimeError("broken")
        return self._store.figures
