"""The demonstration's review queue: tickets answered and stored as if they had come over HTTP."""

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from api.metrics import Metrics
from api.past import DeskPast, Glance
from api.records import record_of
from triage.store import open_store
from triage.ticket import Ticket

if TYPE_CHECKING:
    from triage.engine import Engine

_LOADED_S = 30.0
_CLOSED_S = 2.0


def fill_queue(database_url: str, engine: "Engine", tickets: Sequence[Ticket]) -> int:
    """Answer tickets that have no answer yet, and store that; count them.

    Each answer is dated when its ticket came in.

    Raises
    ------
    StoreError : the database cannot be reached or written to
    """
    with closing(open_store(database_url)) as store:
        known = store.past.still_answered({ticket.id for ticket in tickets if ticket.id})
        new = [ticket for ticket in tickets if ticket.id not in known]
        if not new:
            return 0
        past = DeskPast(store, Metrics())
        past.start()
        try:
            past.wait_until_loaded(_LOADED_S)
            answers = engine.answer(new, Glance(past))
        finally:
            past.close(_CLOSED_S)
        store.save_suggestions(
            [
                record_of(answer, at=ticket.created_at)
                for answer, ticket in zip(answers, new, strict=True)
            ]
        )
        return len(new)
