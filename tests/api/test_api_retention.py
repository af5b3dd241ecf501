"""Old texts are forgotten by the service itself."""

import json
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.logs import configure_events
from api.retention import Retention
from triage.store import Store, StoredSuggestion

NOW = datetime.now(UTC)


def suggestion(suggestion_id: str, days: float) -> StoredSuggestion:
    at = NOW - timedelta(days=days)
    return StoredSuggestion(suggestion_id, at, "v", "suggest", 0.5, "zyxcanary", "", "{}", "INC-7")


def until(happened: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_service_forgets_what_is_too_old_when_it_starts(
    make_client: Callable[..., TestClient], store: Store
) -> None:
    store.save_suggestions([suggestion("old", 31), suggestion("young", 29)])

    make_client(retention_days=30)

    until(lambda: store.get_suggestion("old") is None)
    assert store.get_suggestion("young") is not None


def test_nothing_is_forgotten_unless_it_is_wanted(
    make_client: Callable[..., TestClient], store: Store
) -> None:
    store.save_suggestions([suggestion("old", 3_000)])

    make_client()
    time.sleep(0.3)

    assert store.get_suggestion("old") is not None


def test_it_goes_on_forgetting_and_several_may(store: Store) -> None:
    both = [Retention(store, 30, period_s=0.02) for _ in range(2)]
    for one in both:
        one.start()

    for number in range(3):
        store.save_suggestions([suggestion(f"old{number}", 31)])
        until(lambda number=number: store.get_suggestion(f"old{number}") is None)

    for one in both:
        one.close(5)


def test_log_that_could_not_be_cleared_is_cleared_later(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triage.store.database._SCRUB_TRIES", 1)
    store.save_suggestions([suggestion("s1", 0)])
    reader = sqlite3.connect(tmp_path / "triage.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM suggestions").fetchone()
    assert not store.erasures.erase("INC-7", NOW).log_cleared
    reader.close()
    assert b"zyxcanary" in (tmp_path / "triage.db-wal").read_bytes()

    retention = Retention(store, 0, period_s=0.02)
    retention.start()
    until(lambda: b"zyxcanary" not in (tmp_path / "triage.db-wal").read_bytes())
    retention.close(5)

    assert b"zyxcanary" not in (tmp_path / "triage.db").read_bytes()


def test_database_that_fails_is_told_and_tried_again(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_events("info")
    store.save_suggestions([suggestion("old", 31)])
    other = sqlite3.connect(tmp_path / "triage.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    retention = Retention(store, 30, period_s=0.02)
    retention.start()
    lines: list[str] = []

    def is_told() -> bool:
        lines.extend(capsys.readouterr().err.splitlines())
        return any("is locked by another program" in line for line in lines)

    until(is_told)
    other.rollback()
    other.close()

    until(lambda: store.get_suggestion("old") is None)
    retention.close(5)
    lines.extend(capsys.readouterr().err.splitlines())
    told = [json.loads(line) for line in lines]
    assert {line["level"] for line in told} == {"error", "info"}
    [forgotten] = [line for line in told if line["event"] == "old texts forgotten"]
    assert forgotten["suggestions"] == 1
    assert "zyxcanary" not in "".join(lines)
