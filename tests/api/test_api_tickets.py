"""DELETE /v1/tickets/{ticket_id}: what is asked to be forgotten is forgotten."""

import json
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import wait
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.erasing import clear_training_caches
from api.metrics import Metrics
from api.settings import Settings
from api.writer import SuggestionWriter
from triage.store import Store, StoredSuggestion
from triage.store.database import Database
from triage.store.migrate import migrate

NOTHING = {
    "suggestions": 0,
    "feedback": 0,
    "outcomes": 0,
    "past_tickets": 0,
    "label_doubts": 0,
    "quotes": 0,
    "log_cleared": True,
    "caches_cleared": True,
}


@pytest.fixture
def client(make_client: Callable[..., TestClient], tmp_path: Path) -> TestClient:
    return make_client(models=tmp_path / "models")


def triaged(client: TestClient, ticket_id: str) -> str:
    answer = client.post(
        "/v1/triage",
        json={"id": ticket_id, "subject": "Account locked"},
        headers={"Idempotency-Key": f"first-{len(ticket_id)}"},
    )
    answer.raise_for_status()
    found: str = answer.json()["suggestion_id"]
    return found


def test_erased_ticket_is_gone_and_counted(client: TestClient) -> None:
    suggestion_id = triaged(client, "INC-7")
    client.post("/v1/feedback", json={"suggestion_id": suggestion_id, "verdict": "accepted"})
    client.post("/v1/outcomes", json={"ticket_id": "INC-7", "tier": "1"})

    answer = client.delete("/v1/tickets/INC-7")

    assert answer.status_code == 200
    assert answer.json() == NOTHING | {
        "suggestions": 1,
        "feedback": 1,
        "outcomes": 1,
        "past_tickets": 1,
    }
    assert client.get(f"/v1/suggestions/{suggestion_id}").status_code == 404
    assert client.delete("/v1/tickets/INC-7").json() == NOTHING


def test_ticket_that_is_not_here_is_noted(client: TestClient, store: Store) -> None:
    answer = client.delete("/v1/tickets/INC-8")

    assert (answer.status_code, answer.json()) == (200, NOTHING)
    assert store.erasures.among(["INC-8"]) == {"INC-8"}


@pytest.mark.parametrize("ticket_id", ["INC/7", "a b", "50%", "?#", "..", "Zoë", "x" * 200, "/"])
def test_id_may_be_whatever_a_ticket_has(client: TestClient, store: Store, ticket_id: str) -> None:
    encoded = "".join(f"%{byte:02X}" for byte in ticket_id.encode())

    answer = client.delete(f"/v1/tickets/{encoded}")

    assert answer.status_code == 200
    assert store.erasures.among([ticket_id]) == {ticket_id}


@pytest.mark.parametrize("encoded", ["", "x" * 201, "a%00b", "a%09b"])
def test_what_no_ticket_can_have_for_an_id_is_refused(client: TestClient, encoded: str) -> None:
    answer = client.delete(f"/v1/tickets/{encoded}")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "ticket_id"


def test_database_that_is_in_use_is_told_as_a_problem(client: TestClient, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "triage.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    answer = client.delete("/v1/tickets/INC-7")
    other.close()

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"


def test_erased_ticket_is_told_to_no_other_though_it_came_just_now(client: TestClient) -> None:
    deadline = time.monotonic() + 10
    similar: list[Any] = []
    while not similar and time.monotonic() < deadline:
        client.post("/v1/triage", json={"id": "INC-7", "subject": "Projector locked in Oslo"})
        again = client.post("/v1/triage", json={"id": "B", "subject": "Projector locked in Oslo"})
        similar = again.json()["similar"]
    assert [one["ticket_id"] for one in similar] == ["INC-7"]

    client.delete("/v1/tickets/INC-7")
    later = client.post("/v1/triage", json={"id": "C", "subject": "Projector locked in Oslo"})

    assert "INC-7" not in [one["ticket_id"] for one in later.json()["similar"]]


def test_service_on_postgresql_answers_keeps_and_forgets(
    settings: Settings, engine: Any, postgres_url: str, tmp_path: Path
) -> None:
    on_postgres = settings.model_copy(
        update={"database_url": postgres_url, "models": tmp_path / "models", "retention_days": 30}
    )
    with TestClient(create_app(on_postgres, engine=engine)) as client:
        store: Store = client.app.state.service.store  # type: ignore[attr-defined]
        client.headers["X-API-Key"] = store.create_key("boss", ["admin"])[1]

        suggestion_id = triaged(client, "INC-7")
        said = {"suggestion_id": suggestion_id, "verdict": "accepted"}
        taken = [
            client.post("/v1/feedback", json=said, headers={"Idempotency-Key": "k1"})
            for _ in range(2)
        ]
        ended = client.post("/v1/outcomes", json={"ticket_id": "INC-7", "tier": "1"})
        ready = client.get("/readyz")
        erased = client.delete("/v1/tickets/INC-7")

    assert [one.status_code for one in (*taken, ended, ready)] == [201, 201, 201, 200]
    assert taken[0].json() == taken[1].json()
    assert erased.json() == NOTHING | {
        "suggestions": 1,
        "feedback": 1,
        "outcomes": 1,
        "past_tickets": 1,
    }


class HeldUpStore(Store):
    """A real store whose saving of suggestions can be held up."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.may_save = threading.Event()

    def save_suggestions(self, records: Any) -> Any:
        self.may_save.wait(10)
        return super().save_suggestions(records)


def test_suggestion_that_waits_to_be_stored_is_not_stored_after_the_erasure(
    tmp_path: Path,
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'triage.db'}")
    migrate(database)
    store = HeldUpStore(database)
    writer = SuggestionWriter(store, capacity=10, metrics=Metrics())
    quoting = json.dumps({"similar": [{"ticket_id": "INC-7", "subject": "Zoe's account"}]})
    futures = writer.put(
        [
            StoredSuggestion(
                "s1", datetime.now(UTC), "v", "suggest", 0.5, "Zoe", "", "{}", "INC-7"
            ),
            StoredSuggestion("s2", datetime.now(UTC), "v", "suggest", 0.5, "B", "", quoting, "B"),
        ]
    )

    store.erasures.erase("INC-7", datetime.now(UTC))
    store.may_save.set()
    wait(futures, timeout=10)
    writer.close(5)

    kept = store.get_suggestion("s2")
    assert store.get_suggestion("s1") is None
    assert kept is not None and "Zoe" not in kept.answer
    store.close()


def caches(models: Path) -> Path:
    cache = models / "cache"
    (cache / "joblib" / "deep").mkdir(parents=True)
    (cache / "joblib" / "deep" / "output.pkl").write_text("words of a ticket")
    (cache / "meaning-1.npy").write_text("words of a ticket")
    (cache / "article-vectors.npz").write_text("words of an article")
    (cache / ".article-vectors.npz.17").write_text("words of an article")
    return cache


def test_caches_of_training_are_removed_and_vectors_of_articles_stay(
    client: TestClient, tmp_path: Path
) -> None:
    cache = caches(tmp_path / "models")

    answer = client.delete("/v1/tickets/INC-7")

    assert answer.json()["caches_cleared"] is True
    assert {entry.name for entry in cache.iterdir()} == {
        "article-vectors.npz",
        ".article-vectors.npz.17",
    }


def test_caches_are_found_beside_a_single_bundle_too(tmp_path: Path) -> None:
    cache = caches(tmp_path)
    (tmp_path / "20250301-120000-made").mkdir()
    (tmp_path / "20250301-120000-made" / "manifest.json").write_text("{}")

    assert clear_training_caches(tmp_path / "20250301-120000-made")

    assert not (cache / "joblib").exists()


def test_link_in_a_cache_is_removed_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    cache = caches(tmp_path / "models")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").write_text("kept")
    (cache / "link").symlink_to(tmp_path / "elsewhere")

    assert clear_training_caches(tmp_path / "models")

    assert not (cache / "link").is_symlink()
    assert (tmp_path / "elsewhere" / "kept").read_text() == "kept"


def test_cache_that_cannot_be_removed_is_told(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no folder")

    assert clear_training_caches(tmp_path) is False
    assert clear_training_caches(tmp_path / "nowhere") is True
