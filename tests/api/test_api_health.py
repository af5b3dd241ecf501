import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

LOCKED = {"subject": "Locked out"}


def test_strangers_may_ask_how_it_is(client: TestClient) -> None:
    del client.headers["X-API-Key"]

    assert client.get("/livez").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready", "model": True, "database": True}


def test_index_leads_to_places_that_exist(client: TestClient) -> None:
    index = client.get("/").json()

    assert index["name"] == "ticket-triage"
    for link in index["links"].values():
        assert client.get(link, params={"q": "locked"}).status_code in (200, 405)


def test_service_that_cannot_write_is_alive_and_not_ready(
    client: TestClient, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "triage.db")
    other.execute("BEGIN IMMEDIATE")
    client.post("/v1/triage", json=LOCKED)
    deadline = time.monotonic() + 5
    while client.get("/readyz").status_code == 200:
        assert time.monotonic() < deadline
        time.sleep(0.02)

    answer = client.get("/readyz")
    alive = client.get("/livez")
    other.rollback()
    other.close()

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert answer.json()["detail"].endswith("cannot be written to.")
    assert alive.status_code == 200
    while client.get("/readyz").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_idempotent_request_is_not_acknowledged_while_it_cannot_be_stored(
    make_client: Callable[..., TestClient], tmp_path: Path
) -> None:
    client = make_client(request_timeout_s=0.3)
    other = sqlite3.connect(tmp_path / "triage.db")
    other.execute("BEGIN IMMEDIATE")
    headers = {"Idempotency-Key": "f3b0"}

    refused = client.post("/v1/triage", json=LOCKED, headers=headers)
    other.rollback()
    other.close()
    time.sleep(1.2)
    answer = client.post("/v1/triage", json=LOCKED, headers=headers)

    assert refused.status_code == 503
    assert answer.status_code == 200


def test_broken_database_is_told_without_details(client: TestClient, tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "triage.db")
    database.execute("DROP TABLE suggestions")
    database.close()

    answer = client.get("/v1/suggestions/sg_1")

    assert answer.status_code == 503
    assert answer.json()["detail"] == "The database cannot be reached; try again in a moment."


def test_requests_and_decisions_are_counted_by_route_not_by_address(client: TestClient) -> None:
    client.post("/v1/triage", json=LOCKED)
    client.get("/v1/suggestions/sg_secret")
    client.get("/nowhere/secret")
    client.request("SECRET", "/livez")

    text = client.get("/metrics").text

    assert 'triage_requests_total{method="POST",route="/v1/triage",status="200"} 1.0' in text
    assert 'route="/v1/suggestions/{suggestion_id}",status="404"' in text
    assert 'route="unmatched",status="404"' in text
    assert 'method="OTHER"' in text
    assert 'triage_suggestions_total{decision="suggest"} 1.0' in text
    assert "secret" not in text.lower()


def test_log_has_one_json_object_for_a_request_and_no_text_of_it(
    make_client: Callable[..., TestClient], capfd: pytest.CaptureFixture[str]
) -> None:
    client = make_client(log_level="info")
    key = client.headers["X-API-Key"]
    client.post("/v1/triage?q=hunter2", json={"subject": "explode hunter2"})
    client.post("/v1/triage", json={"hunter2": "hunter2"})
    client.get("/v1/articles/hunter2", headers={"X-Request-ID": "desk-7"})

    lines = capfd.readouterr().err.splitlines()

    records = [json.loads(line) for line in lines]
    requests = [one for one in records if one["event"] == "request"]
    assert [(one["method"], one["route"], one["status"]) for one in requests] == [
        ("POST", "/v1/triage", 500),
        ("POST", "/v1/triage", 422),
        ("GET", "/v1/articles/{article_id}", 404),
    ]
    assert requests[-1]["request_id"] == "desk-7"
    assert all(one["duration_ms"] > 0 and one["time"].endswith("Z") for one in requests)
    (failure,) = [one for one in records if one["event"] == "unexpected"]
    assert failure["exception"] == "ValueError"
    assert failure["places"][-1].endswith("_suggest")
    assert "hunter2" not in "".join(lines)
    assert key not in "".join(lines)


def test_serving_process_loads_nothing_of_training() -> None:
    script = (
        "import sys, api.app, api.server\n"
        "print([name for name in ('mlflow', 'dask', 'training', 'pandas') if name in sys.modules])"
    )

    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout.strip() == "[]"
