"""Label doubts: labels of the history that are perhaps wrong, and what people made of them."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import and_, func, insert, or_, select, update
from sqlalchemy.orm import Session

from triage.errors import TriageError
from triage.store.database import Database
from triage.store.erasure import erased_among
from triage.store.tables import ApiKeyRow, LabelDoubtRow

DoubtState = Literal["open", "decided"]

_GROUP = 500
_MOST_COUNTED = 1_000


@dataclass(frozen=True, slots=True)
class LabelDoubt:
    """A ticket of the history and the label of one target that is perhaps wrong; texts redacted.

    ``doubt`` in [0, 1] is how sure the ``likely`` label is. Once decided, ``label`` holds: the one
    given, confirmed, or another. ``revision`` counts the decisions.
    """

    ticket_id: str
    target: str
    subject: str
    description: str
    given: str
    likely: str
    doubt: float
    state: DoubtState = "open"
    label: str | None = None
    revision: int = 0
    decided_by: str | None = None
    decided_at: datetime | None = None
    decided_by_name: str | None = None

    @property
    def id(self) -> str:
        """Name the doubt: the same ticket and target are the same doubt."""
        place = f"{self.target}\n{self.ticket_id}".encode("utf-8", "surrogatepass")
        return hashlib.sha256(place).hexdigest()[:32]


class DoubtDecided(TriageError):
    """Another person was faster; ``doubt`` is how it stands now, None when it is gone."""

    def __init__(self, doubt: LabelDoubt | None) -> None:
        super().__init__("somebody else has decided this label; look at it again")
        self.doubt = doubt


class LabelDoubts:
    """The label doubts of one database. Safe to share between threads.

    Every method raises StoreError when the database cannot be reached or written to.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, doubts: Sequence[LabelDoubt]) -> int:
        """Save doubts and count those that are open now.

        One that a person has decided stays decided, unless the history gives the ticket another
        label since. Tickets that were erased stay away.
        """
        kept = 0
        for begin in range(0, len(doubts), _GROUP):
            part = {doubt.id: doubt for doubt in doubts[begin : begin + _GROUP]}
            with self._database.writing() as session:
                kept += _save(session, list(part.values()))
        return kept

    def queue(
        self,
        state: DoubtState = "open",
        *,
        after: LabelDoubt | None = None,
        before: LabelDoubt | None = None,
        limit: int = 50,
    ) -> list[LabelDoubt]:
        """List doubts: open ones with the surest first, decided ones with the latest first.

        Parameters
        ----------
        after : the last doubt of the page before; it need not be in the queue any more
        before : the first doubt of the page after; the list ends just before it
        """
        by: Any = LabelDoubtRow.doubt if state == "open" else LabelDoubtRow.decided_at
        own = LabelDoubtRow.id
        statement = _joined().where(LabelDoubtRow.state == state)
        if after is not None:
            place = _place(after, state)
            statement = statement.where(or_(by < place, and_(by == place, own < after.id)))
        if before is not None:
            place = _place(before, state)
            statement = statement.where(or_(by > place, and_(by == place, own > before.id)))
        is_backward = before is not None and after is None
        order = (by.asc(), own.asc()) if is_backward else (by.desc(), own.desc())
        with self._database.reading() as session:
            found = [
                _doubt(*row) for row in session.execute(statement.order_by(*order).limit(limit))
            ]
        return found[::-1] if is_backward else found

    def count(self, state: DoubtState = "open", *, most: int = _MOST_COUNTED) -> int:
        """Count doubts, and stop at ``most``."""
        inner = select(LabelDoubtRow.id).where(LabelDoubtRow.state == state).limit(most)
        with self._database.reading() as session:
            return session.scalar(select(func.count()).select_from(inner.subquery())) or 0

    def get(self, doubt_id: str) -> LabelDoubt | None:
        """Find a doubt by its id; None when there is none."""
        with self._database.reading() as session:
            return _find(session, doubt_id)

    def decide(
        self, doubt_id: str, label: str, *, revision: int, api_key_id: str, at: datetime
    ) -> LabelDoubt:
        """Say which label holds, as a person who saw a revision of the doubt.

        Raises
        ------
        DoubtDecided : the doubt has another revision by now, or is gone; nothing was stored
        """
        with self._database.writing() as session:
            changed = session.execute(
                update(LabelDoubtRow)
                .where(
                    LabelDoubtRow.id == doubt_id,
                    LabelDoubtRow.revision == revision,
                    LabelDoubtRow.state == "open",
                )
                .values(
                    state="decided",
                    label=label,
                    revision=revision + 1,
                    decided_by=api_key_id,
                    decided_at=at,
                )
            )
            doubt = _find(session, doubt_id)
            if not changed.rowcount or doubt is None:  # type: ignore[attr-defined]
                raise DoubtDecided(doubt)
            return doubt

    def undo(self, doubt_id: str, *, api_key_id: str) -> LabelDoubt:
        """Take back a decision of one's own; return the doubt, open again.

        Raises
        ------
        DoubtDecided : it is not decided, was decided by somebody else, or is gone
        """
        with self._database.writing() as session:
            changed = session.execute(
                update(LabelDoubtRow)
                .where(
                    LabelDoubtRow.id == doubt_id,
                    LabelDoubtRow.state == "decided",
                    LabelDoubtRow.decided_by == api_key_id,
                )
                .values(
                    state="open",
                    label=None,
                    revision=LabelDoubtRow.revision + 1,
                    decided_by=None,
                    decided_at=None,
                )
            )
            doubt = _find(session, doubt_id)
            if not changed.rowcount or doubt is None:  # type: ignore[attr-defined]
                raise DoubtDecided(doubt)
            return doubt

    def latest_of(self, api_key_id: str) -> LabelDoubt | None:
        """Find the doubt that a person decided last; None when there is none."""
        statement = (
            _joined()
            .where(LabelDoubtRow.state == "decided", LabelDoubtRow.decided_by == api_key_id)
            .order_by(LabelDoubtRow.decided_at.desc(), LabelDoubtRow.id.desc())
            .limit(1)
        )
        with self._database.reading() as session:
            row = session.execute(statement).one_or_none()
            return _doubt(*row) if row else None

    def decided(self) -> Iterator[LabelDoubt]:
        """Go through all doubts that people have decided, the latest first."""
        last = None
        while page := self.queue("decided", after=last, limit=_GROUP):
            yield from page
            last = page[-1]


_COLUMNS = tuple(field.name for field in fields(LabelDoubt) if field.name != "decided_by_name")


def _save(session: Session, doubts: Sequence[LabelDoubt]) -> int:
    erased = erased_among(session, [doubt.ticket_id for doubt in doubts])
    wanted = [doubt for doubt in doubts if doubt.ticket_id not in erased]
    known = {
        row.id: row
        for row in session.scalars(
            select(LabelDoubtRow).where(LabelDoubtRow.id.in_([doubt.id for doubt in wanted]))
        )
    }
    new, n_open = [], 0
    for doubt in wanted:
        row = known.get(doubt.id)
        if row is not None and row.state == "decided" and row.given == doubt.given:
            continue
        n_open += 1
        values = {name: getattr(doubt, name) for name in _COLUMNS}
        if row is None:
            new.append({"id": doubt.id, **values})
            continue
        # People may have it before them: what they say was said about what they saw.
        is_other = any(
            getattr(row, name) != values[name]
            for name in ("given", "likely", "subject", "description", "state")
        )
        values["revision"] = row.revision + is_other
        for name, value in values.items():
            setattr(row, name, value)
    if new:
        session.execute(insert(LabelDoubtRow), new)
    return n_open


def _joined() -> Any:
    return select(LabelDoubtRow, ApiKeyRow.name).outerjoin(
        ApiKeyRow, ApiKeyRow.id == LabelDoubtRow.decided_by
    )


def _place(doubt: LabelDoubt, state: DoubtState) -> Any:
    return doubt.doubt if state == "open" else doubt.decided_at


def _find(session: Session, doubt_id: str) -> LabelDoubt | None:
    row = session.execute(_joined().where(LabelDoubtRow.id == doubt_id)).one_or_none()
    return _doubt(*row) if row else None


def _doubt(row: LabelDoubtRow, decided_by_name: str | None) -> LabelDoubt:
    values = {name: getattr(row, name) for name in _COLUMNS}
    return LabelDoubt(**values, decided_by_name=decided_by_name)
