"""Past tickets: how they ended, redacted, for those that say much the same later."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from triage.store.database import Database
from triage.store.erasure import erased_among
from triage.store.tables import PastTicketRow, SuggestionRow

_GROUP = 5_000
"""Tickets of a transaction, and ids of a statement: well below what databases allow."""


@dataclass(frozen=True, slots=True)
class PastTicket:
    """A resolved ticket, its texts cleaned and redacted; ``signature`` is `triage.signature`'s."""

    ticket_id: str
    created_at: datetime | None
    subject: str
    description: str
    resolution: str
    tier: str | None
    category: str | None
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignedTicket:
    """What of a past ticket is kept in memory."""

    number: int
    ticket_id: str
    created_at: datetime | None
    category: str | None
    signature: bytes


@dataclass(frozen=True, slots=True)
class AnsweredTicket:
    """A ticket that was answered, redacted, and when."""

    suggestion_id: str
    ticket_id: str
    created_at: datetime
    subject: str
    description: str


class PastTickets:
    """The past tickets of a store, and those answered lately. Safe to share between threads.

    A ticket has a number, which no other one ever gets; a ticket that is saved again gets a new
    one. So whoever has seen all numbers up to one misses nothing by asking for those above it.

    Every method raises StoreError when the database cannot be reached or written to.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, tickets: Sequence[PastTicket]) -> int:
        """Save tickets in the place of those of the same ids; count the ones replaced.

        Tickets that were erased are left out.

        Raises
        ------
        ValueError : an id is given twice
        """
        if len({ticket.ticket_id for ticket in tickets}) < len(tickets):
            raise ValueError("past tickets to save: an id is given twice")
        replaced = 0
        for begin in range(0, len(tickets), _GROUP):
            group = tickets[begin : begin + _GROUP]
            with self._database.writing() as session:
                replaced += replace_past_tickets(session, group)
        return replaced

    def signed_after(self, number: int, limit: int) -> list[SignedTicket]:
        """List the next tickets above a number, by number."""
        statement = (
            select(
                PastTicketRow.number,
                PastTicketRow.ticket_id,
                PastTicketRow.created_at,
                PastTicketRow.category,
                PastTicketRow.signature,
            )
            .where(PastTicketRow.number > number)
            .order_by(PastTicketRow.number)
            .limit(limit)
        )
        with self._database.reading() as session:
            return [SignedTicket(*row) for row in session.execute(statement)]

    def get(self, numbers: Collection[int]) -> dict[int, PastTicket]:
        """Find tickets by number; those that are gone are left out."""
        statement = select(*_COLUMNS).where(PastTicketRow.number.in_(numbers))
        with self._database.reading() as session:
            return {row.number: _past_ticket(row) for row in session.execute(statement)}

    def newest(self, limit: int) -> list[PastTicket]:
        """List the tickets that came in last, the oldest of them first."""
        statement = (
            select(*_COLUMNS)
            .order_by(PastTicketRow.created_at.desc(), PastTicketRow.number.desc())
            .limit(limit)
        )
        with self._database.reading() as session:
            return [_past_ticket(row) for row in session.execute(statement)][::-1]

    def count(self) -> int:
        """Count the past tickets."""
        with self._database.reading() as session:
            return session.scalar(select(func.count()).select_from(PastTicketRow)) or 0

    def erase(self, ticket_id: str) -> bool:
        """Erase a past ticket; False when there is none of this id."""
        with self._database.writing() as session:
            gone = session.execute(
                delete(PastTicketRow).where(PastTicketRow.ticket_id == ticket_id)
            )
            return bool(gone.rowcount)  # type: ignore[attr-defined]

    def answered_since(
        self, moment: datetime, *, known: Collection[str] = ()
    ) -> list[AnsweredTicket]:
        """List the answered tickets that have an id, from a moment on, the oldest first.

        Parameters
        ----------
        known : suggestions that need not be told again
        """
        named = select(SuggestionRow.id).where(
            SuggestionRow.created_at >= moment, SuggestionRow.ticket_id.is_not(None)
        )
        found: list[AnsweredTicket] = []
        with self._database.reading() as session:
            # Texts are many times as long as ids, and most are known.
            ids = [one for one in session.scalars(named) if one not in known]
            for begin in range(0, len(ids), _GROUP):
                statement = select(
                    SuggestionRow.id.label("suggestion_id"),
                    SuggestionRow.ticket_id,
                    SuggestionRow.created_at,
                    SuggestionRow.subject,
                    SuggestionRow.description,
                ).where(SuggestionRow.id.in_(ids[begin : begin + _GROUP]))
                found += [AnsweredTicket(**row) for row in session.execute(statement).mappings()]
        return sorted(found, key=lambda ticket: (ticket.created_at, ticket.suggestion_id))

    def ended(self, ticket_ids: Collection[str]) -> set[str]:
        """Tell which tickets are past ones."""
        statement = select(PastTicketRow.ticket_id).where(PastTicketRow.ticket_id.in_(ticket_ids))
        with self._database.reading() as session:
            return set(session.scalars(statement))

    def still_answered(self, ticket_ids: Collection[str]) -> set[str]:
        """Tell which tickets an answer is stored for."""
        statement = select(SuggestionRow.ticket_id).where(SuggestionRow.ticket_id.in_(ticket_ids))
        with self._database.reading() as session:
            return {ticket_id for ticket_id in session.scalars(statement) if ticket_id}


_COLUMNS = (
    PastTicketRow.number,
    PastTicketRow.ticket_id,
    PastTicketRow.created_at,
    PastTicketRow.subject,
    PastTicketRow.description,
    PastTicketRow.resolution,
    PastTicketRow.tier,
    PastTicketRow.category,
    PastTicketRow.signature,
)


def replace_past_tickets(session: Session, tickets: Sequence[PastTicket]) -> int:
    """Put tickets, but for erased ones, in the place of those of the same ids; count these."""
    erased = erased_among(session, [ticket.ticket_id for ticket in tickets])
    kept = [ticket for ticket in tickets if ticket.ticket_id not in erased]
    if not kept:
        return 0
    ids = [ticket.ticket_id for ticket in kept]
    gone = session.execute(delete(PastTicketRow).where(PastTicketRow.ticket_id.in_(ids)))
    session.execute(
        insert(PastTicketRow),
        [{name: getattr(ticket, name) for name in PastTicket.__slots__} for ticket in kept],
    )
    return int(gone.rowcount)  # type: ignore[attr-defined]


def _past_ticket(row: Any) -> PastTicket:
    return PastTicket(**{name: getattr(row, name) for name in PastTicket.__slots__})
