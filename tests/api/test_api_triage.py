import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from api.app import create_app
from api.settings import Settings
from triage.store import Store
from triage.suggestion import Suggestion

LOCKED = {"id": "INC-7", "subject": "Locked out", "description": "Ask ada@desk.example"}


def wait_until_stored(store: Store, suggestion_id: str) -> None:
    deadline = time.monotonic() + 5
    while store.get_suggestion(suggestion_id) is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_ticket_gets_a_suggestion_as_the_core_declares_it(client: TestClient) -> None:
    answer = client.post("/v1/triage", json=LOCKED)

    assert answer.status_code == 200
    suggestion = TypeAdapter(Suggestion).validate_python(answer.json())
    assert suggestion.decision == "suggest"
    assert suggestion.ticket_id == "INC-7"
    assert suggestion.tier is not None and suggestion.tier.label == "1"
    assert suggestion.to_dict() == answer.json()


@pytest.mark.parametrize(
    "ticket", [{"subject": ""}, {"description": " "}, {"subject": "", "description": None}]
)
def test_empty_ticket_is_left_to_a_person(client: TestClient, ticket: dict[str, Any]) -> None:
    answer = client.post("/v1/triage", json=ticket)

    assert answer.status_code == 200
    assert answer.json()["decision"] == "review"
    assert answer.json()["tier"]["label"] is None


@pytest.mark.parametrize("ticket", [{}, {"id": "7"}, {"subject": None, "description": None}])
def test_ticket_without_any_text_is_not_valid(client: TestClient, ticket: dict[str, Any]) -> None:
    answer = client.post("/v1/triage", json=ticket)

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "", "problem": "missing"}]


def test_every_part_of_a_ticket_reaches_the_engine(
    client: TestClient, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    answer = engine.answer
    engine.answer = lambda tickets, past: seen.extend(tickets) or answer(tickets, past)

    client.post(
        "/v1/triage",
        json={
            **LOCKED,
            "fields": {"site": "Hamburg"},
            "created_at": "2026-11-24T08:12:00+01:00",
            "requester": "ada",
            "channel": "portal",
        },
    )

    (ticket,) = seen
    assert (ticket.subject, ticket.description, ticket.id) == (
        "Locked out",
        "Ask ada@desk.example",
        "INC-7",
    )
    assert dict(ticket.fields) == {"site": "Hamburg"}
    assert (ticket.requester, ticket.channel) == ("ada", "portal")
    assert ticket.created_at.isoformat() == "2026-11-24T07:12:00+00:00"


def test_suggestion_is_stored_with_redacted_text_alone(
    client: TestClient, store: Store, tmp_path: Path
) -> None:
    answer = client.post("/v1/triage", json={**LOCKED, "version": "3"})
    wait_until_stored(store, answer.json()["suggestion_id"])

    stored = store.get_suggestion(answer.json()["suggestion_id"])

    assert stored is not None
    assert (stored.subject, stored.description) == ("Locked out", "Ask <email>")
    assert (stored.ticket_id, stored.ticket_version) == ("INC-7", "3")
    assert stored.answer == answer.text
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"ada@desk.example" not in written


def test_suggestion_is_found_before_and_after_it_is_stored(
    client: TestClient, store: Store
) -> None:
    answers = [client.post("/v1/triage", json=LOCKED) for _ in range(5)]
    ids = [answer.json()["suggestion_id"] for answer in answers]

    at_once = [client.get(f"/v1/suggestions/{suggestion_id}") for suggestion_id in ids]
    wait_until_stored(store, ids[-1])
    later = [client.get(f"/v1/suggestions/{suggestion_id}") for suggestion_id in ids]

    assert [one.content for one in at_once] == [answer.content for answer in answers]
    assert [one.content for one in later] == [answer.content for answer in answers]


def test_stopping_the_service_stores_what_waits(
    settings: Settings, engine: Any, store: Store
) -> None:
    _, secret = store.create_key("desk", ["predict"])
    with TestClient(create_app(settings, engine=engine, store=store)) as client:
        client.headers["X-API-Key"] = secret
        answers = [client.post("/v1/triage", json=LOCKED) for _ in range(5)]

    stored = [store.get_suggestion(answer.json()["suggestion_id"]) for answer in answers]

    assert None not in stored


@pytest.mark.parametrize(
    ("suggestion_id", "status"), [("sg_0", 404), ("a" * 64, 404), ("a" * 65, 422), ("a%00b", 422)]
)
def test_suggestion_that_does_not_exist_is_not_found(
    client: TestClient, suggestion_id: str, status: int
) -> None:
    assert client.get(f"/v1/suggestions/{suggestion_id}").status_code == status


def test_repeated_request_gets_the_very_same_answer(client: TestClient, engine: Any) -> None:
    headers = {"Idempotency-Key": "f3b0"}
    first = client.post("/v1/triage", json=LOCKED, headers=headers)

    again = client.post("/v1/triage", json=LOCKED, headers=headers)

    assert first.status_code == again.status_code == 200
    assert again.content == first.content
    assert engine.batches == [1]


def test_idempotent_answer_is_stored_before_it_is_given(client: TestClient, store: Store) -> None:
    answer = client.post("/v1/triage", json=LOCKED, headers={"Idempotency-Key": "f3b0"})

    assert store.get_suggestion(answer.json()["suggestion_id"]) is not None


def test_idempotency_key_of_another_request_is_refused(client: TestClient) -> None:
    headers = {"Idempotency-Key": "f3b0"}
    client.post("/v1/triage", json=LOCKED, headers=headers)

    answer = client.post("/v1/triage", json={**LOCKED, "id": "INC-8"}, headers=headers)

    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:ticket-triage:idempotency-conflict"


def test_idempotency_keys_of_two_callers_are_apart(client: TestClient, store: Store) -> None:
    headers = {"Idempotency-Key": "f3b0"}
    _, secret = store.create_key("another desk", ["predict"])
    first = client.post("/v1/triage", json=LOCKED, headers=headers)

    other = client.post("/v1/triage", json=LOCKED, headers={**headers, "X-API-Key": secret})

    assert other.status_code == 200
    assert other.json()["suggestion_id"] != first.json()["suggestion_id"]


def test_twins_that_arrive_at_once_get_one_answer(client: TestClient, store: Store) -> None:
    def post(_: int) -> str:
        return client.post("/v1/triage", json=LOCKED, headers={"Idempotency-Key": "f3b0"}).text

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(post, range(8)))

    assert len(set(answers)) == 1
    assert "suggestion_id" in answers[0]


@pytest.mark.parametrize("key", ["", "x" * 201, "two words", "é".encode().decode("latin-1")])
def test_odd_idempotency_key_is_not_valid(client: TestClient, key: str) -> None:
    answer = client.post(
        "/v1/triage", json=LOCKED, headers={"Idempotency-Key": key.encode("latin-1")}
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "Idempotency-Key"


def test_batch_answers_each_ticket_in_its_place(client: TestClient, store: Store) -> None:
    answer = client.post(
        "/v1/triage/batch",
        json={
            "tickets": [
                LOCKED,
                {"subject": 5, "colour": "red"},
                "no ticket",
                {"subject": "s" * 1001},
                {"id": "INC-9", "subject": ""},
            ]
        },
    )

    assert answer.status_code == 200
    first, wrong, text, long, last = answer.json()["results"]
    assert (first["ticket_id"], last["ticket_id"]) == ("INC-7", "INC-9")
    assert {fault["pointer"] for fault in wrong["error"]["errors"]} == {"/subject", ""}
    assert text["error"]["errors"] == [{"pointer": "", "problem": "not_an_object"}]
    assert long["error"]["errors"] == [{"pointer": "/subject", "problem": "too_long"}]
    assert "colour" not in answer.text
    wait_until_stored(store, last["suggestion_id"])


def test_batch_is_given_to_the_engine_in_parts(client: TestClient, engine: Any) -> None:
    answer = client.post("/v1/triage/batch", json={"tickets": [LOCKED] * 70})

    assert len(answer.json()["results"]) == 70
    assert engine.batches == [32, 32, 6]


@pytest.mark.parametrize(("number", "problem"), [(0, "too_few"), (257, "too_many")])
def test_batch_of_a_wrong_size_is_not_valid(client: TestClient, number: int, problem: str) -> None:
    answer = client.post("/v1/triage/batch", json={"tickets": [LOCKED] * number})

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "/tickets", "problem": problem}]


def test_batch_of_the_largest_size_is_answered(client: TestClient) -> None:
    answer = client.post("/v1/triage/batch", json={"tickets": [LOCKED] * 256})

    assert answer.status_code == 200
    assert len(answer.json()["results"]) == 256


def test_full_queue_is_told_with_the_time_to_come_back(
    make_client: Callable[..., TestClient],
) -> None:
    client = make_client(store_queue=3)

    answer = client.post("/v1/triage/batch", json={"tickets": [LOCKED] * 4})

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json()["type"] == "urn:ticket-triage:unavailable"
    assert client.post("/v1/triage", json=LOCKED).status_code == 200
    assert "triage_store_refused_total 1.0" in client.get("/metrics").text


def test_long_texts_are_refused_and_the_longest_allowed_are_answered(client: TestClient) -> None:
    allowed = client.post("/v1/triage", json={"subject": "s" * 1000, "description": "d" * 20_000})
    refused = client.post("/v1/triage", json={"subject": "s" * 1001, "description": "d" * 20_001})

    assert allowed.status_code == 200
    assert refused.status_code == 422
    assert refused.json()["errors"] == [
        {"pointer": "/subject", "problem": "too_long"},
        {"pointer": "/description", "problem": "too_long"},
    ]


def test_model_is_described_without_its_tables_and_paths(client: TestClient) -> None:
    answer = client.get("/v1/model")

    assert answer.json() == {
        "version": "20261124-060102-1a2b3c4d",
        "basis": "model",
        "trained_at": "2026-11-24T06:01:02Z",
        "targets": {
            "tier": {
                "labels": ["1", "2"],
                "metrics": {"newest": {"accuracy": 0.93, "n": 1200.0}},
                "thresholds": {"1": 0.8, "2": None},
            }
        },
    }


def test_articles_are_searched_and_read(client: TestClient) -> None:
    found = client.get("/v1/articles", params={"q": "locked out"}).json()["articles"]
    article = client.get(f"/v1/articles/{found[0]['id']}").json()

    assert [hit["title"] for hit in found] == ["Unlock a locked account"]
    assert article["steps"] == ["Call the user back.", "Unlock the account."]
    assert article["body"].startswith("## Steps")
    assert client.get("/v1/articles", params={"q": "printer"}).json() == {"articles": []}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/articles", 422),
        (f"/v1/articles?q={'x' * 1001}", 422),
        ("/v1/articles/KB9999", 404),
        ("/v1/articles/..%2F..%2Fetc", 404),
        ("/v1/articles/a b", 422),
    ],
)
def test_article_requests_that_lead_nowhere(client: TestClient, path: str, status: int) -> None:
    assert client.get(path).status_code == status


def test_answer_is_compact_json_that_keeps_other_scripts(client: TestClient) -> None:
    answer = client.post("/v1/triage", json={"id": "票-7", "subject": "locked"})

    assert answer.headers["content-type"] == "application/json"
    assert "票-7" in answer.text
    assert answer.text == json.dumps(answer.json(), ensure_ascii=False, separators=(",", ":"))
