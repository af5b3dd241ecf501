"""Sessions of people who signed in with a key; the store knows a hash of each token alone."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select

from triage.store.database import Database
from triage.store.tables import ApiKeyRow, SessionRow

LIFETIME = timedelta(hours=12)
"""A working day with its breaks; then the key is asked for again."""


class Sessions:
    """The sessions of one database. Safe to share between threads and processes.

    Every method raises StoreError when the database cannot be reached or written to.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, api_key_id: str, now: datetime) -> str:
        """Begin a session of a key; its token is returned this once. Old sessions are removed."""
        token = secrets.token_urlsafe(32)
        with self._database.writing() as session:
            session.execute(delete(SessionRow).where(SessionRow.expires_at <= now))
            session.add(
                SessionRow(
                    token_hash=_digest(token),
                    api_key_id=api_key_id,
                    created_at=now,
                    expires_at=now + LIFETIME,
                )
            )
        return token

    def find(self, token: str, now: datetime) -> str | None:
        """Find whose session a token is, as the id of an API key.

        None when it is over, or its key is revoked or has expired.
        """
        statement = (
            select(SessionRow.api_key_id)
            .join(ApiKeyRow, ApiKeyRow.id == SessionRow.api_key_id)
            .where(
                SessionRow.token_hash == _digest(token),
                SessionRow.expires_at > now,
                ApiKeyRow.revoked_at.is_(None),
                or_(ApiKeyRow.expires_at.is_(None), ApiKeyRow.expires_at > now),
            )
        )
        with self._database.reading() as session:
            return session.scalar(statement)

    def end(self, token: str) -> None:
        """End a session, if there is one."""
        with self._database.writing() as session:
            session.execute(delete(SessionRow).where(SessionRow.token_hash == _digest(token)))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
