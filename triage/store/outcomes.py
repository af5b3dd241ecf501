"""Outcomes: how tickets ended, as the help desk told it."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from triage.store.database import Database
from triage.store.once import insert_once
from triage.store.past_tickets import PastTicket, replace_past_tickets
from triage.store.reviews import overtake
from triage.store.tables import OutcomeRow, ReviewRow

_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a ticket ended; its ``resolution`` is redacted. Times are in UTC, unknown facts None.

    ``tier`` resolved it. ``shaped_by_routing`` is True where we had routed the ticket unseen: then
    the outcome is no independent word on the suggestion. ``number`` is given by the store, ever
    rising; of several outcomes of a ticket the one with the highest stands.
    """

    received_at: datetime
    ticket_id: str
    api_key_id: str
    tier: str
    category: str | None = None
    tier_path: tuple[str, ...] = ()
    reassignments: int | None = None
    reopened: int | None = None
    first_contact: bool | None = None
    csat: float | None = None
    article_ids: tuple[str, ...] = ()
    asked_details: tuple[str, ...] = ()
    resolution: str = ""
    resolved_at: datetime | None = None
    shaped_by_routing: bool = False
    idempotency_key: str | None = None
    body_hash: str | None = None
    number: int | None = None


class Outcomes:
    """The outcomes of one database, in the order they came. Safe to share between threads.

    Every method raises StoreError when the database cannot be reached or written to.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, outcome: Outcome, past: PastTicket | None = None) -> Outcome:
        """Store an outcome; return what stands for its idempotency key, perhaps an earlier one.

        Its ticket leaves the review queue. Whether we had routed it is looked up here.

        Parameters
        ----------
        past : the ticket as it is shown to those that say much the same later, if its text is
            known; one that was erased is left out
        """

        def work(session: Session) -> Outcome:
            shaped = _was_routed(session, outcome.ticket_id)
            standing, is_new = _insert(session, replace(outcome, shaped_by_routing=shaped))
            if is_new:
                overtake(session, [outcome.ticket_id])
                if past is not None:
                    replace_past_tickets(session, [past])
            return standing

        return self._database.write(work)

    def since(self, number: int = 0) -> Iterator[Outcome]:
        """Go through the outcomes above a number, in the order they came."""
        while True:
            statement = (
                select(OutcomeRow)
                .where(OutcomeRow.number > number)
                .order_by(OutcomeRow.number)
                .limit(_PAGE)
            )
            with self._database.reading() as session:
                page = [_outcome(row) for row in session.scalars(statement)]
            yield from page
            if len(page) < _PAGE:
                return
            number = page[-1].number or 0

    def of(self, ticket_id: str) -> Outcome | None:
        """Find how a ticket ended, as told last; None when nobody told."""
        statement = (
            select(OutcomeRow)
            .where(OutcomeRow.ticket_id == ticket_id)
            .order_by(OutcomeRow.number.desc())
            .limit(1)
        )
        with self._database.reading() as session:
            row = session.scalar(statement)
            return _outcome(row) if row else None

    def find_by_idempotency_key(self, api_key_id: str, idempotency_key: str) -> Outcome | None:
        """Find what came with an idempotency key of an API key; None when nothing did."""
        with self._database.reading() as session:
            return _by_idempotency_key(session, api_key_id, idempotency_key)


_LISTS = ("tier_path", "article_ids", "asked_details")
_COLUMNS = tuple(
    field.name for field in fields(Outcome) if field.name != "number" and field.name not in _LISTS
)


def _insert(session: Session, outcome: Outcome) -> tuple[Outcome, bool]:
    values = {name: getattr(outcome, name) for name in _COLUMNS}
    values |= {name: list(getattr(outcome, name)) for name in _LISTS}
    number = insert_once(session, OutcomeRow, values)
    if number is not None:
        return replace(outcome, number=number), True
    standing = _by_idempotency_key(session, outcome.api_key_id, outcome.idempotency_key or "")
    assert standing is not None
    return standing, False


def _was_routed(session: Session, ticket_id: str) -> bool:
    statement = (
        select(ReviewRow.decision)
        .where(ReviewRow.ticket_id == ticket_id)
        .order_by(ReviewRow.created_at.desc())
        .limit(1)
    )
    return session.scalar(statement) == "route"


def _by_idempotency_key(session: Session, api_key_id: str, idempotency_key: str) -> Outcome | None:
    row = session.scalar(
        select(OutcomeRow).where(
            OutcomeRow.api_key_id == api_key_id, OutcomeRow.idempotency_key == idempotency_key
        )
    )
    return _outcome(row) if row else None


def _outcome(row: OutcomeRow) -> Outcome:
    values: dict[str, Any] = {name: getattr(row, name) for name in _COLUMNS}
    lists: dict[str, Any] = {name: tuple(getattr(row, name)) for name in _LISTS}
    return Outcome(**values, **lists, number=row.number)
