from datetime import UTC, datetime, timedelta
from typing import Any

from api.demo_queue import fill_queue
from api.settings import Settings
from triage.store import ReviewFilter, Store
from triage.ticket import Ticket

NOW = datetime.now(UTC)


def tickets(number: int) -> list[Ticket]:
    return [
        Ticket("Locked out", "Ask ada@desk.example", id=f"INC-{n}", created_at=NOW - timedelta(n))
        for n in range(number)
    ]


def test_tickets_wait_as_if_they_had_come_over_the_interface(
    settings: Settings, engine: Any, store: Store
) -> None:
    added = fill_queue(settings.database_url, engine, tickets(3))

    waiting = store.reviews.queue(ReviewFilter())
    assert added == 3
    assert {one.ticket_id: one.created_at for one in waiting} == {
        ticket.id: ticket.created_at for ticket in tickets(3)
    }
    stored = store.get_suggestion(waiting[0].suggestion_id)
    assert stored is not None and stored.description == "Ask <email>"


def test_queue_is_not_filled_twice(settings: Settings, engine: Any, store: Store) -> None:
    fill_queue(settings.database_url, engine, tickets(3))

    added = fill_queue(settings.database_url, engine, tickets(4))

    assert added == 1
    assert store.reviews.count(ReviewFilter()) == 4
