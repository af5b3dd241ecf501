"""Feedback: what people said about suggestions, each word of it once."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from triage.store.database import Database
from triage.store.once import insert_once
from triage.store.tables import FeedbackRow

Verdict = Literal["accepted", "corrected", "rejected"]

_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a person said about a suggestion; its texts are redacted. Times are in UTC.

    ``tier`` and ``category`` are the labels that hold for this person, ``shown_*`` those that were
    suggested, shown or (``is_blind``) not. ``verdict`` is None where only an article was judged.
    ``number`` is given by the store, ever rising.
    """

    created_at: datetime
    suggestion_id: str
    ticket_id: str | None
    model_version: str
    api_key_id: str
    verdict: Verdict | None
    tier: str | None
    category: str | None
    shown_tier: str | None
    shown_category: str | None
    confidence: float
    decision: str
    is_blind: bool = False
    article_id: str | None = None
    helpful: bool | None = None
    steps_done: tuple[str, ...] = ()
    comment: str = ""
    undone_at: datetime | None = None
    idempotency_key: str | None = None
    body_hash: str | None = None
    number: int | None = None


class FeedbackLog:
    """All feedback of one database, in the order it came. Safe to share between threads.

    Every method raises StoreError when the database cannot be reached or written to.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def since(self, number: int = 0) -> Iterator[Feedback]:
        """Go through the feedback above a number, what was undone too, in the order it came."""
        while True:
            statement = (
                select(FeedbackRow)
                .where(FeedbackRow.number > number)
                .order_by(FeedbackRow.number)
                .limit(_PAGE)
            )
            with self._database.reading() as session:
                page = [_feedback(row) for row in session.scalars(statement)]
            yield from page
            if len(page) < _PAGE:
                return
            number = page[-1].number or 0

    def about(self, suggestion_id: str) -> list[Feedback]:
        """List what was said about a suggestion and not taken back, in the order it came."""
        statement = (
            select(FeedbackRow)
            .where(FeedbackRow.suggestion_id == suggestion_id, FeedbackRow.undone_at.is_(None))
            .order_by(FeedbackRow.number)
        )
        with self._database.reading() as session:
            return [_feedback(row) for row in session.scalars(statement)]

    def judged(self, suggestion_ids: Collection[str]) -> set[str]:
        """Tell about which suggestions anything was said, what was undone too."""
        statement = (
            select(FeedbackRow.suggestion_id)
            .where(FeedbackRow.suggestion_id.in_(suggestion_ids))
            .distinct()
        )
        with self._database.reading() as session:
            return set(session.scalars(statement))

    def find_by_idempotency_key(self, api_key_id: str, idempotency_key: str) -> Feedback | None:
        """Find what came with an idempotency key of an API key; None when nothing did."""
        with self._database.reading() as session:
            return _by_idempotency_key(session, api_key_id, idempotency_key)


def insert_feedback(session: Session, feedback: Feedback) -> tuple[Feedback, bool]:
    """Insert feedback; give what stands for its idempotency key, and whether that is new."""
    values = {name: getattr(feedback, name) for name in _COLUMNS}
    values["steps_done"] = list(feedback.steps_done)
    number = insert_once(session, FeedbackRow, values)
    if number is not None:
        return replace(feedback, number=number), True
    standing = _by_idempotency_key(session, feedback.api_key_id, feedback.idempotency_key or "")
    assert standing is not None
    return standing, False


def told_before(session: Session, feedback: Feedback) -> Feedback | None:
    """Read what stands for the idempotency key of feedback; None when it has none or is new."""
    if feedback.idempotency_key is None:
        return None
    return _by_idempotency_key(session, feedback.api_key_id, feedback.idempotency_key)


def read_feedback(session: Session, number: int) -> Feedback | None:
    """Read one feedback by its number."""
    row = session.get(FeedbackRow, number)
    return _feedback(row) if row else None


def last_word(
    session: Session, suggestion_id: str, *, but_of: str | None = None
) -> Feedback | None:
    """Read the last verdict on a suggestion that nobody took back, perhaps but one person's."""
    statement = (
        select(FeedbackRow)
        .where(
            FeedbackRow.suggestion_id == suggestion_id,
            FeedbackRow.verdict.is_not(None),
            FeedbackRow.undone_at.is_(None),
        )
        .order_by(FeedbackRow.number.desc())
        .limit(1)
    )
    if but_of is not None:
        statement = statement.where(FeedbackRow.api_key_id != but_of)
    row = session.scalar(statement)
    return _feedback(row) if row else None


def mark_undone(session: Session, number: int, at: datetime) -> None:
    """Mark feedback as taken back."""
    session.execute(update(FeedbackRow).where(FeedbackRow.number == number).values(undone_at=at))


_COLUMNS = tuple(
    field.name for field in fields(Feedback) if field.name not in ("number", "steps_done")
)


def _by_idempotency_key(session: Session, api_key_id: str, idempotency_key: str) -> Feedback | None:
    row = session.scalar(
        select(FeedbackRow).where(
            FeedbackRow.api_key_id == api_key_id, FeedbackRow.idempotency_key == idempotency_key
        )
    )
    return _feedback(row) if row else None


def _feedback(row: FeedbackRow) -> Feedback:
    return Feedback(
        **{name: getattr(row, name) for name in _COLUMNS},
        steps_done=tuple(row.steps_done),
        number=row.number,
    )
