"""Erasure: a ticket's texts leave the database, its log, and what is learned next."""

import hashlib
import json
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from triage.quotes import quoted_tickets, without_quotes
from triage.store.database import Database
from triage.store.records import StoredSuggestion
from triage.store.tables import (
    ErasureRow,
    FeedbackRow,
    LabelDoubtRow,
    OutcomeRow,
    PastTicketRow,
    SessionRow,
    SuggestionRow,
)

_GROUP = 500
_PAUSE_S = 0.02
"""Between groups of old rows: others want to write too."""


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows are gone, by table.

    ``quotes`` counts the answers to other tickets that told of this one and do so no more.
    ``log_cleared`` is False when another program kept the database from clearing its log: until the
    next clearing, old states of rows can be found in the log file.
    """

    suggestions: int = 0
    feedback: int = 0
    outcomes: int = 0
    past_tickets: int = 0
    label_doubts: int = 0
    quotes: int = 0
    log_cleared: bool = True

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
        """Erase all rows of a ticket, and note that it was erased, whether or not it was here.

        Answers to other tickets that told of it stay, without what they told. Done again, it
        finishes what an earlier call could not.
        """
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
        # From here on, no answer that tells of it can come in.
        quotes = self._take_out(ticket_id)
        return replace(erased, quotes=quotes, log_cleared=self._database.scrub())

    def forget_before(self, moment: datetime) -> Erased:
        """Drop what is older: suggestions, past tickets, doubts, texts of feedback and outcomes.

        Verdicts, labels and figures stay: nothing in them says who or what it was about. The count
        of feedback and outcomes is of those that lost a text. A past ticket without a date stays.
        """
        suggestions = self._in_groups(
            select(SuggestionRow.id).where(SuggestionRow.created_at < moment),
            # Their reviews go along.
            lambda ids: delete(SuggestionRow).where(SuggestionRow.id.in_(ids)),
        )
        past = self._in_groups(
            select(PastTicketRow.number).where(PastTicketRow.created_at < moment),
            lambda numbers: delete(PastTicketRow).where(PastTicketRow.number.in_(numbers)),
        )
        feedback = self._in_groups(
            select(FeedbackRow.number).where(
                FeedbackRow.created_at < moment, FeedbackRow.comment != ""
            ),
            lambda numbers: (
                update(FeedbackRow).where(FeedbackRow.number.in_(numbers)).values(comment="")
            ),
        )
        outcomes = self._in_groups(
            select(OutcomeRow.number).where(
                OutcomeRow.received_at < moment, OutcomeRow.resolution != ""
            ),
            lambda numbers: (
                update(OutcomeRow).where(OutcomeRow.number.in_(numbers)).values(resolution="")
            ),
        )
        doubts = self._in_groups(
            select(LabelDoubtRow.id).where(LabelDoubtRow.noted_at < moment),
            lambda ids: delete(LabelDoubtRow).where(LabelDoubtRow.id.in_(ids)),
        )
        self._in_groups(
            select(SessionRow.token_hash).where(SessionRow.expires_at < moment),
            lambda ids: delete(SessionRow).where(SessionRow.token_hash.in_(ids)),
        )
        erased = Erased(suggestions, feedback, outcomes, past, doubts)
        return replace(erased, log_cleared=self._database.scrub())

    def clear_log(self) -> bool:
        """Clear the database's log of what was erased; False when something keeps it in use."""
        return self._database.scrub()

    def among(self, ticket_ids: Iterable[str]) -> set[str]:
        """Tell which tickets were erased."""
        with self._database.reading() as session:
            return set(erased_among(session, ticket_ids))

    def _take_out(self, ticket_id: str) -> int:
        # A look at every answer: rather outside the turn that others wait for.
        named = json.dumps(ticket_id, ensure_ascii=False)
        statement = select(SuggestionRow.id).where(
            SuggestionRow.answer.contains(named, autoescape=True)
        )
        with self._database.reading() as session:
            ids = session.scalars(statement).all()
        changed = 0
        for begin in range(0, len(ids), _GROUP):
            with self._database.writing() as session:
                for row in session.scalars(
                    select(SuggestionRow).where(SuggestionRow.id.in_(ids[begin : begin + _GROUP]))
                ):
                    told = json.loads(row.answer)
                    if ticket_id in quoted_tickets(told):
                        row.answer = _dumps(without_quotes(told, [ticket_id]))
                        changed += 1
        return changed

    def _in_groups(self, found: Any, change: Callable[[Sequence[Any]], Any]) -> int:
        changed = 0
        while True:
            # To look takes longer than to change: not while others wait for their turn.
            with self._database.reading() as session:
                group = session.scalars(found.limit(_GROUP)).all()
            if not group:
                return changed
            with self._database.writing() as session:
                changed += _rows(session, change(group))
            time.sleep(_PAUSE_S)


def hash_of(ticket_id: str) -> str:
    """Hash a ticket's id as erasures keep it."""
    return hashlib.sha256(ticket_id.encode("utf-8", "surrogatepass")).hexdigest()


def erased_among(session: Session, ticket_ids: Iterable[str]) -> dict[str, datetime]:
    """Tell which tickets were erased, and when last."""
    if session.scalar(select(ErasureRow.ticket_hash).limit(1)) is None:
        return {}
    id_of = {hash_of(one): one for one in ticket_ids}
    hashes = list(id_of)
    found: dict[str, datetime] = {}
    for begin in range(0, len(hashes), _GROUP):
        rows = session.execute(
            select(ErasureRow.ticket_hash, ErasureRow.erased_at).where(
                ErasureRow.ticket_hash.in_(hashes[begin : begin + _GROUP])
            )
        )
        found |= {id_of[ticket_hash]: erased_at for ticket_hash, erased_at in rows}
    return found


def without_erased(session: Session, records: Sequence[StoredSuggestion]) -> list[StoredSuggestion]:
    """Leave out suggestions made before their ticket was erased, and what others tell of it."""
    if session.scalar(select(ErasureRow.ticket_hash).limit(1)) is None:
        return list(records)
    quoted = {record.id: quoted_tickets(json.loads(record.answer)) for record in records}
    own = {record.ticket_id for record in records if record.ticket_id is not None}
    erased = erased_among(session, own.union(*quoted.values()))
    return [
        _without_quotes(record, quoted[record.id] & erased.keys())
        for record in records
        # Sent again after its erasure, a ticket is a new one.
        if record.ticket_id not in erased or record.created_at > erased[record.ticket_id]
    ]


def _without_quotes(record: StoredSuggestion, ticket_ids: Collection[str]) -> StoredSuggestion:
    if not ticket_ids:
        return record
    told = without_quotes(json.loads(record.answer), ticket_ids)
    return replace(record, answer=_dumps(told))


def _dumps(answer: Any) -> str:
    return json.dumps(answer, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _rows(session: Session, statement: Any) -> int:
    return int(session.execute(statement).rowcount)  # type: ignore[attr-defined]
