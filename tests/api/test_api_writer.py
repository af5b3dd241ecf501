import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import wait
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from api.metrics import Metrics
from api.writer import QueueFull, SuggestionWriter
from triage.store import Store, StoredSuggestion
from triage.store.database import Database
from triage.store.migrate import migrate


def record(number: int, *, confidence: float | None = 0.5) -> StoredSuggestion:
    return StoredSuggestion(
        id=f"s{number}",
        created_at=datetime.now(UTC),
        model_version="v1",
        decision="suggest",
        confidence=confidence,  # type: ignore[arg-type]
        subject="Locked",
        description="",
        answer="{}",
    )


class CountingStore(Store):
    """A real store that remembers the size of each group, and can be held up."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.groups: list[tuple[float, int]] = []
        self.may_save = threading.Event()
        self.may_save.set()

    def save_suggestions(self, records: Sequence[StoredSuggestion]) -> list[StoredSuggestion]:
        self.may_save.wait()
        self.groups.append((time.monotonic(), len(records)))
        return super().save_suggestions(records)


@pytest.fixture
def counting(tmp_path: Path) -> Iterator[CountingStore]:
    database = Database(f"sqlite:///{tmp_path / 'triage.db'}", busy_timeout_s=0.05)
    migrate(database)
    store = CountingStore(database)
    yield store
    store.close()


@pytest.fixture
def writer(counting: CountingStore) -> Iterator[SuggestionWriter]:
    made = SuggestionWriter(counting, capacity=50, metrics=Metrics())
    yield made
    counting.may_save.set()
    made.close(5.0)


def test_what_was_put_is_stored(writer: SuggestionWriter, counting: CountingStore) -> None:
    (future,) = writer.put([record(1)])

    assert future.result(5) == counting.get_suggestion("s1")
    assert writer.find("s1") is None


def test_suggestions_are_stored_in_groups_at_most_every_50_ms(
    writer: SuggestionWriter, counting: CountingStore
) -> None:
    futures = []
    for number in range(30):
        futures += writer.put([record(number)])
        time.sleep(0.005)
    wait(futures, timeout=5)

    times = [moment for moment, _ in counting.groups]
    assert sum(size for _, size in counting.groups) == 30
    assert len(counting.groups) <= 6
    assert all(later - earlier >= 0.045 for earlier, later in pairwise(times))


def test_suggestion_is_found_while_it_waits(
    writer: SuggestionWriter, counting: CountingStore
) -> None:
    counting.may_save.clear()
    (future,) = writer.put([record(1)])

    found = writer.find("s1")

    assert found is not None and found.id == "s1"
    assert counting.get_suggestion("s1") is None
    counting.may_save.set()
    future.result(5)


def test_full_queue_takes_nothing_more_until_it_drains(
    writer: SuggestionWriter, counting: CountingStore
) -> None:
    counting.may_save.clear()
    futures = writer.put([record(number) for number in range(50)])

    with pytest.raises(QueueFull):
        writer.require_room(1)
    with pytest.raises(QueueFull):
        writer.put([record(50)])

    counting.may_save.set()
    wait(futures, timeout=5)
    (late,) = writer.put([record(50)])
    assert late.result(5).id == "s50"
    assert counting.get_suggestion("s49") is not None


def test_locked_database_delays_and_loses_nothing(
    writer: SuggestionWriter, counting: CountingStore, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "triage.db")
    other.execute("BEGIN IMMEDIATE")
    futures = writer.put([record(1), record(2)])
    deadline = time.monotonic() + 5
    while not writer.is_failing:
        assert time.monotonic() < deadline
        time.sleep(0.01)

    other.rollback()
    other.close()

    assert [future.result(5).id for future in futures] == ["s1", "s2"]
    assert counting.get_suggestion("s2") is not None
    assert not writer.is_failing


def test_suggestion_that_cannot_be_stored_does_not_hold_up_the_others(
    writer: SuggestionWriter, counting: CountingStore
) -> None:
    counting.may_save.clear()
    futures = writer.put([record(1), record(2, confidence=None), record(3)])
    counting.may_save.set()
    wait(futures, timeout=5)

    assert counting.get_suggestion("s1") is not None
    assert counting.get_suggestion("s3") is not None
    assert futures[1].exception() is not None
    assert not writer.is_failing


def test_closing_stores_what_waits(counting: CountingStore) -> None:
    writer = SuggestionWriter(counting, capacity=50, metrics=Metrics())
    writer.put([record(number) for number in range(50)])

    writer.close(5.0)

    assert counting.get_suggestion("s49") is not None


def test_closing_on_a_locked_database_ends_and_says_what_is_lost(
    counting: CountingStore, tmp_path: Path
) -> None:
    metrics = Metrics()
    writer = SuggestionWriter(counting, capacity=50, metrics=metrics)
    other = sqlite3.connect(tmp_path / "triage.db")
    other.execute("BEGIN IMMEDIATE")
    writer.put([record(1)])

    writer.close(5.0)
    other.close()

    assert b"triage_store_lost_total 1.0" in metrics.render()
