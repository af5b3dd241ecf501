"""Erasure: a ticket's texts leave the database, its log, and what is learned next."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from triage.store.database import Database
from triage.store.tables import (
    ErasureRow,
    FeedbackRow,
    LabelDoubtRow,
    OutcomeRow,
    PastTicketRow,
    ReviewRow,
    SuggestionRow,
)

_GROUP = 500


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows are gone, by table."""

    suggestions: int = 0
    feedback: int = 0
    outcomes: int = 0
    past_tickets: int = 0
    label_doubts: int = 0

    @property
    def total(self) -> int:
        """All rows that are gone."""
        return (
            self.suggestions + self.feedback + self.outcomes + self.past_tickets + self.label_doubts
        )


class Erasures:
    """Erases tickets, and remembers which by a hash of their ids. Safe to share between threads.

    Every method raises StoreError when the database cannot be reached or written to.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def erase(self, ticket_id: str, at: datetime) -> Erased:
        """Erase all rows of a ticket, and note that it was erased, whether or not it was here."""
        with self._database.writing() as session:
            mine = select(SuggestionRow.id).where(SuggestionRow.ticket_id == ticket_id)
            erased = Erased(
                feedback=_rows(
                    session,
                    delete(FeedbackRow).where(
                        or_(FeedbackRow.ticket_id == ticket_id, FeedbackRow.suggestion_id.in_(mine))
                    ),
                ),
                outcomes=_rows(
                    session, delete(OutcomeRow).where(OutcomeRow.ticket_id == ticket_id)
                ),
                past_tickets=_rows(
                    session, delete(PastTicketRow).where(PastTicketRow.ticket_id == ticket_id)
                ),
                label_doubts=_rows(
                    session, delete(LabelDoubtRow).where(LabelDoubtRow.ticket_id == ticket_id)
                ),
                # Last: the feedback is found by them. Their reviews go along.
                suggestions=_rows(
                    session, delete(SuggestionRow).where(SuggestionRow.ticket_id == ticket_id)
                ),
            )
            session.merge(ErasureRow(ticket_hash=hash_of(ticket_id), erased_at=at))
        self._database.scrub()
        return erased

    def forget_before(self, moment: datetime) -> Erased:
        """Drop what is older: suggestions, past tickets and texts of feedback and outcomes.

        Verdicts, labels and figures stay: nothing in them says who or what it was about. The count
        of feedback and outcomes is of those that lost a text.
        """
        suggestions = past = 0
        while True:
            with self._database.writing() as session:
                old = session.scalars(
                    select(SuggestionRow.id).where(SuggestionRow.created_at < moment).limit(_GROUP)
                ).all()
                if not old:
                    break
                session.execute(delete(ReviewRow).where(ReviewRow.suggestion_id.in_(old)))
                suggestions += _rows(
                    session, delete(SuggestionRow).where(SuggestionRow.id.in_(old))
                )
        with self._database.writing() as session:
            past = _rows(session, delete(PastTicketRow).where(PastTicketRow.created_at < moment))
            feedback = _rows(
                session,
                update(FeedbackRow)
                .where(FeedbackRow.created_at < moment, FeedbackRow.comment != "")
                .values(comment=""),
            )
            outcomes = _rows(
                session,
                update(OutcomeRow)
                .where(OutcomeRow.received_at < moment, OutcomeRow.resolution != "")
                .values(resolution=""),
            )
        erased = Erased(suggestions, feedback, outcomes, past)
        if erased.total:
            self._database.scrub()
        return erased

    def among(self, ticket_ids: Iterable[str]) -> set[str]:
        """Tell which tickets were erased."""
        ids = list(ticket_ids)
        found: set[str] = set()
        with self._database.reading() as session:
            if not session.scalar(select(func.count()).select_from(ErasureRow)):
                return found
            for begin in range(0, len(ids), _GROUP):
                hashes = {hash_of(one): one for one in ids[begin : begin + _GROUP]}
                known = session.scalars(
                    select(ErasureRow.ticket_hash).where(ErasureRow.ticket_hash.in_(hashes))
                )
                found |= {hashes[one] for one in known}
        return found


def hash_of(ticket_id: str) -> str:
    """Hash a ticket's id as erasures keep it."""
    return hashlib.sha256(ticket_id.encode("utf-8", "surrogatepass")).hexdigest()


def _rows(session: Session, statement: Any) -> int:
    return int(session.execute(statement).rowcount)  # type: ignore[attr-defined]
