import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.metrics import Metrics
from api.past import DeskPast
from api.settings import load_settings
from triage.errors import TriageError
from triage.past import Recalled
from triage.signature import sign_ticket
from triage.store import PastTicket, Store, StoredSuggestion, StoreError
from triage.ticket import Ticket

PROJECTOR = "Projector in room Oslo stays dark"
CANARY = "zyxcanary"
STORED = StoredSuggestion(
    id="sg_other",
    created_at=datetime(2026, 11, 1, tzinfo=UTC),
    model_version="v",
    decision="suggest",
    confidence=0.5,
    subject="Badge reader at the gate blinks red",
    description="",
    answer="{}",
    ticket_id="OTHER-1",
)


def fill(store: Store, n_tickets: int = 300) -> None:
    """Store tickets of every kind, an hour apart, and one about a projector."""
    kinds = ("printing", "vpn", "email")
    begin = datetime(2026, 9, 1, tzinfo=UTC)
    tickets = [
        past(f"P{n}", f"{kinds[n % 3]} trouble number{n}", kinds[n % 3], begin + timedelta(hours=n))
        for n in range(n_tickets)
    ]
    store.past.save([*tickets, past("OSLO", PROJECTOR, "hardware", begin)])


def past(ticket_id: str, subject: str, category: str, at: datetime) -> PastTicket:
    return PastTicket(
        ticket_id=ticket_id,
        created_at=at,
        subject=subject,
        description="",
        resolution="Lamp changed.",
        tier="1",
        category=category,
        signature=sign_ticket(Ticket(subject)),
    )


def ask(client: TestClient, ticket_id: str | None = None, subject: str = PROJECTOR) -> Any:
    response = client.post("/v1/triage", json={"id": ticket_id, "subject": subject})
    assert response.status_code == 200
    return response.json()


def wait_until_loaded(client: TestClient) -> None:
    assert client.app.state.service.past.wait_until_loaded(10)  # type: ignore[attr-defined]


@pytest.fixture
def desk(make_client: Callable[..., TestClient], store: Store) -> TestClient:
    """A service that knows past tickets."""
    fill(store)
    client = make_client()
    wait_until_loaded(client)
    return client


def test_ticket_is_shown_how_those_like_it_ended(desk: TestClient) -> None:
    [similar] = ask(desk)["similar"]

    assert similar == {
        "ticket_id": "OSLO",
        "subject": PROJECTOR,
        "tier": "1",
        "category": "hardware",
        "resolution": "Lamp changed.",
        "similarity": 1.0,
        "is_open": False,
    }


def test_open_ticket_that_says_the_same_is_named_at_once(desk: TestClient) -> None:
    ask(desk, "NEW-1", "Badge reader at the gate blinks red")

    [similar] = ask(desk, "NEW-2", "badge reader at the gate blinks red again")["similar"]

    assert similar["ticket_id"] == "NEW-1" and similar["is_open"]
    assert similar["resolution"] == "" and similar["tier"] is None


def test_ticket_asked_about_again_does_not_find_itself(desk: TestClient) -> None:
    ask(desk, "NEW-1", "Badge reader at the gate blinks red")

    assert ask(desk, "NEW-1", "Badge reader at the gate blinks red")["similar"] == []
    assert ask(desk, "OSLO")["similar"] == []


def test_ticket_without_an_id_is_not_remembered(desk: TestClient) -> None:
    ask(desk, None, "Badge reader at the gate blinks red")

    assert ask(desk, "NEW-2", "Badge reader at the gate blinks red")["similar"] == []


def test_tickets_of_one_batch_see_the_ones_before_them(desk: TestClient) -> None:
    subject = "Badge reader at the gate blinks red"
    tickets = [{"id": f"NEW-{n}", "subject": subject} for n in range(8)]

    results = desk.post("/v1/triage/batch", json={"tickets": tickets}).json()["results"]

    assert [len(result["similar"]) for result in results] == [0, 1, 2, 2, 2, 2, 2, 2]
    incident = results[-1]["incident"]
    assert incident["tickets"] == [f"NEW-{n}" for n in range(8)]
    assert "badge" in incident["terms"]
    ids = {result["incident"]["id"] for result in results if result["incident"]}
    assert len(ids) == 1


def test_open_ticket_that_another_process_answered_is_found_within_seconds(
    desk: TestClient, store: Store
) -> None:
    store.save_suggestions([replace(STORED, created_at=datetime.now(UTC))])

    deadline = time.monotonic() + 10
    while not (similar := ask(desk, None, "badge reader at the gate blinks red")["similar"]):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert [one["ticket_id"] for one in similar] == ["OTHER-1"]


def wait_for_past(client: TestClient, number: int) -> None:
    deadline = time.monotonic() + 10
    while f"triage_past_tickets {number}" not in client.get("/metrics").text:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_ticket_that_is_resolved_is_no_open_duplicate_however_it_was_worded_in_the_end(
    desk: TestClient, store: Store
) -> None:
    subject = "Badge reader at the gate blinks red"
    ask(desk, "T1", subject)
    ask(desk, "T2", subject)

    store.past.save([past("T1", "Power supply replaced", "hardware", datetime.now(UTC))])

    similar = ask(desk, None, subject)["similar"]
    assert [(one["ticket_id"], one["is_open"]) for one in similar] == [("T2", True)]


def test_tickets_that_are_added_again_count_once(desk: TestClient, store: Store) -> None:
    fill(store)
    store.past.save([past("GATE", "Badge reader blinks red", "hardware", datetime.now(UTC))])

    wait_for_past(desk, 302)

    assert [one["ticket_id"] for one in ask(desk)["similar"]] == ["OSLO"]


def test_ticket_that_is_handed_up_is_not_remembered(desk: TestClient) -> None:
    subject = "Badge reader at the gate blinks red"
    for n in range(6):
        answer = desk.post("/v1/handoff", json={"id": f"UP-{n}", "subject": subject})
        assert answer.status_code == 200

    asked = ask(desk, "NEW", subject)

    assert asked["similar"] == []
    assert asked["incident"] is None


def test_past_tickets_that_are_added_later_are_found_within_seconds(
    desk: TestClient, store: Store
) -> None:
    store.past.save([past("GATE", "Badge reader blinks red", "hardware", datetime.now(UTC))])

    wait_for_past(desk, 302)

    [similar] = ask(desk, None, "badge reader blinks red")["similar"]
    assert similar["ticket_id"] == "GATE"


def test_erased_ticket_is_shown_no_more(desk: TestClient, store: Store) -> None:
    assert store.past.erase("OSLO")

    assert ask(desk)["similar"] == []


def test_tickets_answered_before_the_start_are_open_still(
    make_client: Callable[..., TestClient], store: Store
) -> None:
    fill(store)
    days = timedelta(days=13)
    base = replace(STORED, id="sg_1", created_at=datetime.now(UTC) - days, ticket_id="YOUNG")
    earlier = base.created_at - timedelta(days=2)
    store.save_suggestions([base, replace(base, id="sg_2", ticket_id="OLD", created_at=earlier)])
    client = make_client()
    wait_until_loaded(client)

    similar = ask(client, None, "Badge reader at the gate blinks red")["similar"]

    assert [one["ticket_id"] for one in similar] == ["YOUNG"]


def test_nothing_is_found_before_the_past_is_read(store: Store) -> None:
    fill(store)
    unread = DeskPast(store, Metrics())

    assert unread.recall([Ticket(PROJECTOR)]) == [Recalled()]
    unread.close(1)


class BrokenPast:
    """Past tickets of a database that has gone away; the first look at it may work."""

    def __init__(self, store: Store) -> None:
        self._past = store.past
        self.is_broken = False

    def __getattr__(self, name: str) -> Any:
        if self.is_broken:
            raise StoreError(f"database triage.db: cannot be read; not even {name}")
        return getattr(self._past, name)


def test_failing_database_costs_similar_tickets_and_no_answer(
    make_client: Callable[..., TestClient],
    store: Store,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fill(store)
    broken = BrokenPast(store)
    store.past = broken  # type: ignore[assignment]
    client = make_client()
    wait_until_loaded(client)
    assert ask(client)["similar"]

    broken.is_broken = True
    results = [ask(client, f"T{n}", f"{PROJECTOR} {CANARY}") for n in range(5)]

    assert [result["similar"] for result in results] == [[]] * 5
    assert any(result["incident"] for result in results)
    failures = next(
        line
        for line in client.get("/metrics").text.splitlines()
        if line.startswith("triage_past_failures_total")
    )
    assert float(failures.split()[-1]) >= 1
    written = "".join(capsys.readouterr())
    assert written.count("cannot be read") <= 1
    assert CANARY not in written


def test_answer_that_is_stored_after_the_database_was_away_is_found(
    make_client: Callable[..., TestClient], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.past._LATE", timedelta(seconds=1))
    monkeypatch.setattr("api.past._POLL_S", 0.05)
    monkeypatch.setattr("api.past._RETRY_S", 0.0)
    broken = BrokenPast(store)
    store.past = broken  # type: ignore[assignment]
    client = make_client()
    wait_until_loaded(client)
    broken.is_broken = True
    answered = datetime.now(UTC)
    time.sleep(1.5)
    broken.is_broken = False
    time.sleep(0.2)

    store.save_suggestions([replace(STORED, created_at=answered)])

    deadline = time.monotonic() + 10
    while not (similar := ask(client, None, STORED.subject)["similar"]):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert [one["ticket_id"] for one in similar] == ["OTHER-1"]


def test_mistake_of_ours_costs_similar_tickets_and_no_answer(
    desk: TestClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service = desk.app.state.service  # type: ignore[attr-defined]
    monkeypatch.setattr(service.past, "_open", None)

    assert ask(desk, "T", f"{PROJECTOR} {CANARY}")["similar"] == []
    assert CANARY not in "".join(capsys.readouterr())


def test_closing_does_not_wait_for_the_next_look(store: Store) -> None:
    followed = DeskPast(store, Metrics())
    followed.start()
    assert followed.wait_until_loaded(10)

    began = time.monotonic()
    followed.close(5)

    assert time.monotonic() - began < 0.9


def test_window_of_incidents_must_make_sense(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRIAGE_INCIDENT_WINDOW_MINUTES", "5")

    with pytest.raises(TriageError, match="incident_window_minutes"):
        load_settings()
