"""Store: keys and suggestions, in records rather than rows."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from triage.errors import ConfigurationError, TriageError
from triage.store.articles import ArticleDrafts
from triage.store.database import Database
from triage.store.erasure import Erasures, without_erased
from triage.store.feedback import FeedbackLog
from triage.store.figures import FigureSource
from triage.store.label_doubts import LabelDoubts
from triage.store.migrate import migrate
from triage.store.outcomes import Outcomes
from triage.store.past_tickets import PastTickets
from triage.store.records import SCOPES, ApiKeyInfo, StoredSuggestion
from triage.store.reviews import Reviews, insert_reviews
from triage.store.sessions import Sessions
from triage.store.tables import ApiKeyRow, SuggestionRow


class Store:
    """API keys and suggestions in one database. Safe to share between threads.

    Every method raises StoreError when the database cannot be reached or written to.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.past = PastTickets(database)
        self.drafts = ArticleDrafts(database)
        self.reviews = Reviews(database)
        self.feedback = FeedbackLog(database)
        self.outcomes = Outcomes(database)
        self.sessions = Sessions(database)
        self.erasures = Erasures(database)
        self.label_doubts = LabelDoubts(database)
        self.figures = FigureSource(database)

    def ping(self) -> None:
        """Ask the database for an answer, whatever it is."""
        with self._database.reading() as session:
            session.execute(text("SELECT 1"))

    def create_key(
        self, name: str, scopes: Sequence[str], expires_at: datetime | None = None
    ) -> tuple[ApiKeyInfo, str]:
        """Make a key; its secret is returned this once and can never be read again.

        Raises
        ------
        ConfigurationError : no name, no scope, a scope that does not exist, or an expiry without
            time zone or in the past
        """
        now = datetime.now(UTC)
        _check_key(name, scopes, expires_at, now)
        key_id = secrets.token_hex(6)
        secret = f"tt_{key_id}_{secrets.token_urlsafe(32)}"
        row = ApiKeyRow(
            id=key_id,
            name=name.strip(),
            hash=_digest(secret),
            scopes=sorted(set(scopes)),
            created_at=now,
            expires_at=expires_at,
        )
        with self._database.writing() as session:
            session.add(row)
            session.flush()
            info = _key_info(row)
        return info, secret

    def list_keys(self) -> list[ApiKeyInfo]:
        """List all keys, revoked ones too, the oldest first."""
        with self._database.reading() as session:
            rows = session.scalars(select(ApiKeyRow).order_by(ApiKeyRow.created_at, ApiKeyRow.id))
            return [_key_info(row) for row in rows]

    def revoke_key(self, key_id: str) -> ApiKeyInfo:
        """Revoke a key for good; one that is revoked already stays as it is.

        Raises
        ------
        TriageError : there is no key with this id
        """
        with self._database.writing() as session:
            row = session.get(ApiKeyRow, key_id)
            if row is None:
                raise TriageError("no key has this id; `triage keys list` shows the ids there are")
            row.revoked_at = row.revoked_at or datetime.now(UTC)
            session.flush()
            return _key_info(row)

    def find_key(self, secret: str) -> ApiKeyInfo | None:
        """Find the active key that a secret belongs to; None when there is none."""
        prefix, _, rest = secret.partition("_")
        key_id, _, _ = rest.partition("_")
        if prefix != "tt" or not key_id:
            return None
        with self._database.reading() as session:
            row = session.get(ApiKeyRow, key_id)
            if row is None or not hmac.compare_digest(row.hash, _digest(secret)):
                return None
            info = _key_info(row)
        return info if info.is_active(datetime.now(UTC)) else None

    def get_key(self, key_id: str) -> ApiKeyInfo | None:
        """Find a key by its id, revoked ones too; None when there is none."""
        with self._database.reading() as session:
            row = session.get(ApiKeyRow, key_id)
            return _key_info(row) if row else None

    def note_use(self, key_id: str) -> None:
        """Note that a key is used now."""
        with self._database.writing() as session:
            row = session.get(ApiKeyRow, key_id)
            if row is not None:
                row.last_used_at = datetime.now(UTC)

    def save_suggestions(self, records: Sequence[StoredSuggestion]) -> list[StoredSuggestion]:
        """Save suggestions in one transaction; return what stands in the store for each.

        That is the record itself, or the earlier one that already answered the same
        idempotency key. Saving a record twice is harmless. One that was made before its ticket was
        erased is not kept, and what a record tells of other tickets that were erased is left out.

        Raises
        ------
        sqlalchemy.exc.DBAPIError : a record cannot be stored at all, whatever the database's state
        """
        with self._database.writing() as session:
            return _save(session, records)

    def get_suggestion(self, suggestion_id: str) -> StoredSuggestion | None:
        """Find a suggestion by its id; None when there is none."""
        with self._database.reading() as session:
            row = session.get(SuggestionRow, suggestion_id)
            return _suggestion(row) if row else None

    def newest_suggestion_for(self, ticket_id: str) -> StoredSuggestion | None:
        """Find the newest suggestion of a ticket; None when it has none."""
        statement = (
            select(SuggestionRow)
            .where(SuggestionRow.ticket_id == ticket_id)
            .order_by(SuggestionRow.created_at.desc())
            .limit(1)
        )
        with self._database.reading() as session:
            row = session.scalar(statement)
            return _suggestion(row) if row else None

    def find_by_idempotency_key(
        self, api_key_id: str, idempotency_key: str
    ) -> StoredSuggestion | None:
        """Find what was answered to an idempotency key of an API key; None when nothing was."""
        with self._database.reading() as session:
            return _by_idempotency_key(session, api_key_id, idempotency_key)

    def close(self) -> None:
        """Close the store's connections."""
        self._database.close()


def open_store(url: str, *, busy_timeout_s: float = 5.0, must_exist: bool = False) -> Store:
    """Open the store at a database URL, creating or migrating its tables.

    Parameters
    ----------
    must_exist : refuse a SQLite file that is not there, rather than make it

    Raises
    ------
    ConfigurationError : the URL is not one, or its driver is not installed
    StoreError : the database cannot be opened or written to, is not one, is not there and must be,
        or is too new
    """
    database = Database(url, busy_timeout_s=busy_timeout_s, must_exist=must_exist)
    try:
        migrate(database)
    except BaseException:
        database.close()
        raise
    return Store(database)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _check_key(
    name: str, scopes: Sequence[str], expires_at: datetime | None, now: datetime
) -> None:
    if not 1 <= len(name.strip()) <= 200:
        raise ConfigurationError("a key needs a name of 1 to 200 characters that says whose it is")
    if not scopes:
        raise ConfigurationError(f"a key needs at least one scope of {', '.join(SCOPES)}")
    for scope in scopes:
        if scope not in SCOPES:
            raise ConfigurationError(f"scope {scope!r} does not exist; use {', '.join(SCOPES)}")
    if expires_at is not None and (expires_at.tzinfo is None or expires_at <= now):
        raise ConfigurationError("a key's expiry needs a time zone and must lie in the future")


def _save(session: Session, records: Sequence[StoredSuggestion]) -> list[StoredSuggestion]:
    ids = [record.id for record in records]
    known = set(session.scalars(select(SuggestionRow.id).where(SuggestionRow.id.in_(ids))))
    answered: dict[tuple[str, str], StoredSuggestion] = {}
    standing: list[StoredSuggestion] = []
    new: list[StoredSuggestion] = []
    for record in records:
        winner = record
        if record.api_key_id is not None and record.idempotency_key is not None:
            place = (record.api_key_id, record.idempotency_key)
            winner = answered.get(place) or _by_idempotency_key(session, *place) or record
            answered[place] = winner
        if winner is record and record.id not in known:
            known.add(record.id)
            new.append(record)
        standing.append(winner)
    kept = without_erased(session, new)
    if kept:
        session.execute(insert(SuggestionRow), [asdict(record) for record in kept])
        insert_reviews(session, kept)
    return standing


def _by_idempotency_key(
    session: Session, api_key_id: str, idempotency_key: str
) -> StoredSuggestion | None:
    row = session.scalar(
        select(SuggestionRow).where(
            SuggestionRow.api_key_id == api_key_id,
            SuggestionRow.idempotency_key == idempotency_key,
        )
    )
    return _suggestion(row) if row else None


def _key_info(row: ApiKeyRow) -> ApiKeyInfo:
    return ApiKeyInfo(
        id=row.id,
        name=row.name,
        scopes=tuple(row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )


def _suggestion(row: SuggestionRow) -> StoredSuggestion:
    return StoredSuggestion(
        id=row.id,
        created_at=row.created_at,
        model_version=row.model_version,
        decision=row.decision,
        confidence=row.confidence,
        subject=row.subject,
        description=row.description,
        answer=row.answer,
        ticket_id=row.ticket_id,
        ticket_version=row.ticket_version,
        api_key_id=row.api_key_id,
        idempotency_key=row.idempotency_key,
        body_hash=row.body_hash,
    )
