"""The review queue: which suggestions wait for a person, and who decided which."""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Select, and_, bindparam, func, insert, or_, select, update
from sqlalchemy.orm import Session

from triage.errors import TriageError
from triage.language import detect_language
from triage.review import CONFLICT, worth_of
from triage.store.database import Database
from triage.store.feedback import (
    Feedback,
    insert_feedback,
    last_word,
    mark_undone,
    read_feedback,
    told_before,
)
from triage.store.records import StoredSuggestion
from triage.store.tables import ApiKeyRow, OutcomeRow, ReviewRow, SuggestionRow

ReviewState = Literal["open", "decided", "overtaken"]

_MOST_COUNTED = 1_000
_GROUP = 5_000  # ids of a statement

_LOOKED_AT_FIRST = 2_000
"""Reviews at the top of the queue that words are looked for in, before all texts are gone through:
what is frequent is found there in a tenth of the time."""


@dataclass(frozen=True, slots=True)
class Review:
    """Where a suggestion stands. ``decided_by_name`` is the name of the key that decided it.

    ``state`` is "overtaken" when the ticket ended or was answered again before anybody decided.
    """

    suggestion_id: str
    ticket_id: str | None
    created_at: datetime
    model_version: str
    decision: str
    confidence: float
    tier: str | None
    category: str | None
    language: str
    worth: float
    reasons: tuple[str, ...]
    state: ReviewState
    revision: int
    decided_by: str | None = None
    decided_at: datetime | None = None
    subject: str = ""
    decided_by_name: str | None = None


@dataclass(frozen=True, slots=True)
class ReviewFilter:
    """Which reviews to list; None does not narrow. ``search`` is looked for in the text."""

    state: ReviewState = "open"
    tier: str | None = None
    category: str | None = None
    decision: str | None = None
    language: str | None = None
    model_version: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    decided_by: str | None = None
    search: str | None = None


class AlreadyDecided(TriageError):
    """Another person, or a newer answer, was faster; ``review`` is how it stands now."""

    def __init__(self, review: Review | None) -> None:
        super().__init__("somebody else has decided this ticket; look at it again")
        self.review = review


class Reviews:
    """The reviews of one database. Safe to share between threads.

    Every method raises StoreError when the database cannot be reached or written to.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def queue(
        self,
        wanted: ReviewFilter,
        *,
        after: Review | None = None,
        before: Review | None = None,
        limit: int = 50,
    ) -> list[Review]:
        """List reviews: open ones by worth, decided ones by when, each page beside another's end.

        Parameters
        ----------
        after : the last review of the page before; it need not be in the queue any more
        before : the first review of the page after; the list ends just before it
        """
        by: Any = {
            "open": ReviewRow.worth,
            "decided": ReviewRow.decided_at,
            "overtaken": ReviewRow.created_at,
        }[wanted.state]
        own = ReviewRow.suggestion_id
        place: list[Any] = []
        if after is not None:
            end = _place(after, wanted.state)
            place.append(or_(by < end, and_(by == end, own < after.suggestion_id)))
        if before is not None:
            start = _place(before, wanted.state)
            place.append(or_(by > start, and_(by == start, own > before.suggestion_id)))
        is_backward = before is not None and after is None
        order = (by.asc(), own.asc()) if is_backward else (by.desc(), own.desc())

        def read(ids: Any) -> list[Review]:
            # Found by the index alone, then read: a row that is passed over costs nothing.
            of_page = ids.order_by(*order).limit(limit).subquery()
            statement = _joined().join(of_page, of_page.c.suggestion_id == own).order_by(*order)
            return [_review(*row) for row in session.execute(statement)]

        with self._database.reading() as session:
            ids = _narrowed(wanted).where(*place)
            if not wanted.search:
                found = read(ids)
            elif named := _of_ticket(session, wanted.search):
                found = read(ids.where(own.in_(named)))
            else:
                says = _says(wanted.search, self._database)
                first = ids.order_by(*order).limit(_LOOKED_AT_FIRST).subquery()
                found = read(
                    select(own)
                    .join(first, first.c.suggestion_id == own)
                    .join(SuggestionRow, SuggestionRow.id == own)
                    .where(says)
                )
                if len(found) < limit:
                    found = read(ids.where(_found(session, says)))
        return found[::-1] if is_backward else found

    def count(self, wanted: ReviewFilter, *, most: int = _MOST_COUNTED) -> int:
        """Count reviews, and stop at ``most``."""
        with self._database.reading() as session:
            ids = _narrowed(wanted)
            if wanted.search:
                named = _of_ticket(session, wanted.search)
                says = _says(wanted.search, self._database)
                own = ReviewRow.suggestion_id
                ids = ids.where(own.in_(named) if named else _found(session, says))
            inner = ids.limit(most).subquery()
            return session.scalar(select(func.count()).select_from(inner)) or 0

    def get(self, suggestion_id: str) -> Review | None:
        """Find the review of a suggestion; None when there is none."""
        with self._database.reading() as session:
            return _find(session, suggestion_id)

    def decide(self, feedback: Feedback, *, revision: int) -> Feedback:
        """Decide a review as a person who saw its revision; return the feedback as stored.

        The first feedback to an idempotency key stands, and is returned again.

        Raises
        ------
        AlreadyDecided : the review has another revision by now, or is gone; nothing was stored
        """
        with self._database.writing() as session:
            before = told_before(session, feedback)
            if before is not None:
                return before
            changed = session.execute(
                update(ReviewRow)
                .where(
                    ReviewRow.suggestion_id == feedback.suggestion_id,
                    ReviewRow.revision == revision,
                    ReviewRow.state == "open",
                )
                .values(
                    state="decided",
                    revision=revision + 1,
                    decided_by=feedback.api_key_id,
                    decided_at=feedback.created_at,
                )
            )
            if not changed.rowcount:  # type: ignore[attr-defined]
                raise AlreadyDecided(_find(session, feedback.suggestion_id))
            return insert_feedback(session, feedback)[0]

    def undo(self, number: int, *, api_key_id: str, at: datetime) -> Review:
        """Take back a decision of one's own that nobody built upon; return how the review stands.

        It is open again, but for one that somebody else had decided the same way before, and one
        whose ticket was answered again or has ended meanwhile.

        Raises
        ------
        AlreadyDecided : it is not the last word on its suggestion, is somebody else's, or is gone
        """
        with self._database.writing() as session:
            feedback = read_feedback(session, number)
            if feedback is None or feedback.api_key_id != api_key_id or feedback.undone_at:
                raise AlreadyDecided(None)
            row = session.get(ReviewRow, feedback.suggestion_id, with_for_update=True)
            last = last_word(session, feedback.suggestion_id)
            if row is None or row.state != "decided" or last is None or last.number != number:
                raise AlreadyDecided(_find(session, feedback.suggestion_id))
            mark_undone(session, number, at)
            _reopen(session, row)
            session.flush()
            review = _find(session, feedback.suggestion_id)
            assert review is not None
            return review

    def take(self, feedback: Feedback) -> Feedback:
        """Store feedback that came without a look at the queue, and settle its review.

        What contradicts an earlier person's labels opens the review again, before all others. The
        first feedback to an idempotency key stands: what is returned is perhaps not what was given.
        """

        def work(session: Session) -> Feedback:
            standing, is_new = insert_feedback(session, feedback)
            if is_new and standing.verdict is not None:
                _settle(session, standing)
            return standing

        return self._database.write(work)


_DECIDE_UNTOUCHED = (
    update(ReviewRow)
    .where(
        ReviewRow.suggestion_id == bindparam("one"),
        ReviewRow.revision == 0,
        ReviewRow.state == "open",
    )
    .values(state="decided", revision=1, decided_by=bindparam("by"), decided_at=bindparam("at"))
    .execution_options(synchronize_session=False)
)
"""Nobody said anything before: nearly always so, and one statement instead of four."""


def insert_reviews(session: Session, records: Sequence[StoredSuggestion]) -> None:
    """Queue new suggestions, each in the place of an older open one of the same ticket."""
    newest = {record.ticket_id: record.id for record in records if record.ticket_id is not None}
    for begin in range(0, len(newest), _GROUP):
        tickets = list(newest)[begin : begin + _GROUP]
        session.execute(
            update(ReviewRow)
            .where(ReviewRow.ticket_id.in_(tickets), ReviewRow.state == "open")
            .values(state="overtaken", revision=ReviewRow.revision + 1)
        )
    session.execute(
        insert(ReviewRow),
        [
            _values(
                record,
                is_newest=record.ticket_id is None or newest[record.ticket_id] == record.id,
            )
            for record in records
        ],
    )


def overtake(session: Session, ticket_ids: Collection[str]) -> None:
    """Take the open reviews of ended tickets out of the queue."""
    session.execute(
        update(ReviewRow)
        .where(ReviewRow.ticket_id.in_(ticket_ids), ReviewRow.state == "open")
        .values(state="overtaken", revision=ReviewRow.revision + 1)
    )


def _settle(session: Session, feedback: Feedback) -> None:
    untouched = session.execute(
        _DECIDE_UNTOUCHED,
        {"one": feedback.suggestion_id, "by": feedback.api_key_id, "at": feedback.created_at},
    )
    if untouched.rowcount:  # type: ignore[attr-defined]
        return
    row = session.get(ReviewRow, feedback.suggestion_id, with_for_update=True)
    if row is None:
        return
    row.revision += 1
    other = last_word(session, feedback.suggestion_id, but_of=feedback.api_key_id)
    if other is not None and not _agree(other, feedback):
        if "conflict" not in row.reasons:
            row.worth += CONFLICT
            row.reasons = ["conflict", *row.reasons]
        row.state = "open"
        row.decided_by = row.decided_at = None
        return
    row.state = "decided"
    row.decided_by, row.decided_at = feedback.api_key_id, feedback.created_at


def _reopen(session: Session, row: ReviewRow) -> None:
    """Put a review whose last word was taken back where it belongs now."""
    row.revision += 1
    before = last_word(session, row.suggestion_id)
    if before is not None and "conflict" not in row.reasons:
        row.decided_by, row.decided_at = before.api_key_id, before.created_at
        return
    row.state = "overtaken" if _has_moved_on(session, row) else "open"
    row.decided_by = row.decided_at = None


def _has_moved_on(session: Session, row: ReviewRow) -> bool:
    if row.ticket_id is None:
        return False
    answered_again = select(ReviewRow.suggestion_id).where(
        ReviewRow.ticket_id == row.ticket_id, ReviewRow.created_at > row.created_at
    )
    ended = select(OutcomeRow.number).where(
        OutcomeRow.ticket_id == row.ticket_id, OutcomeRow.received_at > row.created_at
    )
    return any(session.scalar(one.limit(1)) is not None for one in (answered_again, ended))


def _agree(one: Feedback, other: Feedback) -> bool:
    return (one.tier, one.category) == (other.tier, other.category)


def _values(record: StoredSuggestion, *, is_newest: bool) -> dict[str, Any]:
    answer = json.loads(record.answer)
    worth = worth_of(answer)
    return {
        "suggestion_id": record.id,
        "ticket_id": record.ticket_id,
        "created_at": record.created_at,
        "model_version": record.model_version,
        "decision": record.decision,
        "confidence": record.confidence,
        "tier": _likeliest(answer.get("tier")),
        "category": _likeliest(answer.get("category")),
        "language": detect_language(f"{record.subject}\n{record.description}"),
        "worth": worth.score,
        "reasons": list(worth.reasons),
        "state": "open" if is_newest else "overtaken",
        "revision": 0,
    }


def _place(review: Review, state: ReviewState) -> Any:
    """Give what a queue is ordered by; of a decision taken back, when it was asked for."""
    if state == "open":
        return review.worth
    return review.created_at if state == "overtaken" else review.decided_at or review.created_at


def _likeliest(prediction: dict[str, Any] | None) -> str | None:
    """Name the label suggested, or the likeliest where none was: what the queue is narrowed by."""
    if not prediction:
        return None
    if prediction.get("label") is not None:
        return str(prediction["label"])
    alternatives = prediction.get("alternatives")
    return str(alternatives[0]["label"]) if alternatives else None


def _joined() -> Select[*tuple[Any, ...]]:
    joined: Select[*tuple[Any, ...]] = (
        select(ReviewRow, SuggestionRow.subject, ApiKeyRow.name)
        .join(SuggestionRow, SuggestionRow.id == ReviewRow.suggestion_id)
        .outerjoin(ApiKeyRow, ApiKeyRow.id == ReviewRow.decided_by)
    )
    return joined


def _narrowed(wanted: ReviewFilter) -> Any:
    """Select the ids of reviews by all that a filter asks for but words."""
    statement = select(ReviewRow.suggestion_id).where(ReviewRow.state == wanted.state)
    for name in ("tier", "category", "decision", "language", "model_version", "decided_by"):
        value = getattr(wanted, name)
        if value is not None:
            statement = statement.where(getattr(ReviewRow, name) == value)
    if wanted.since is not None:
        statement = statement.where(ReviewRow.created_at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(ReviewRow.created_at < wanted.until)
    return statement


def _of_ticket(session: Session, words: str) -> Sequence[str]:
    """List the reviews of the ticket that words are the id of."""
    statement = select(ReviewRow.suggestion_id).where(ReviewRow.ticket_id == words)
    return session.scalars(statement.limit(_GROUP)).all()


def _found(session: Session, says: Any) -> Any:
    """Say that a review is of a suggestion that says something; all texts are gone through."""
    matching = select(SuggestionRow.id).where(says)
    # Named one by one where they are few: SQLite then looks up those instead of every review.
    found = session.scalars(matching.limit(_GROUP)).all()
    return ReviewRow.suggestion_id.in_(found if len(found) < _GROUP else matching)


def _says(words: str, database: Database) -> Any:
    """Say that words stand in the text of a suggestion, whatever their case."""
    texts = (SuggestionRow.subject, SuggestionRow.description)
    exact = or_(*(text.icontains(words, autoescape=True) for text in texts))
    if database.engine.dialect.name != "sqlite":
        return exact
    # SQLite's LIKE minds no case of English letters and is far quicker than lower(), which has to
    # look at what is left: any sign stands for the letters that it does not know.
    known = re.sub(r"([%_\\])", r"\\\1", words)
    pattern = f"%{re.sub(r'[^ -~]', '_', known)}%"
    rough = or_(*(text.like(pattern, escape="\\") for text in texts))
    return rough if words.isascii() else and_(rough, exact)


def _find(session: Session, suggestion_id: str) -> Review | None:
    row = session.execute(_joined().where(ReviewRow.suggestion_id == suggestion_id)).one_or_none()
    return _review(*row) if row else None


def _review(row: ReviewRow, subject: str, decided_by_name: str | None) -> Review:
    return Review(
        suggestion_id=row.suggestion_id,
        ticket_id=row.ticket_id,
        created_at=row.created_at,
        model_version=row.model_version,
        decision=row.decision,
        confidence=row.confidence,
        tier=row.tier,
        category=row.category,
        language=row.language,
        worth=row.worth,
        reasons=tuple(row.reasons),
        state=row.state,  # type: ignore[arg-type]
        revision=row.revision,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        subject=subject,
        decided_by_name=decided_by_name,
    )
