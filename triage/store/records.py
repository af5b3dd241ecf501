"""What the store gives and takes: plain frozen records, no SQL in them."""

from dataclasses import dataclass
from datetime import datetime

SCOPES = ("predict", "feedback", "review", "admin")
"""What an API key may do; ``admin`` implies the others."""


@dataclass(frozen=True, slots=True)
class ApiKeyInfo:
    """An API key as it may be shown: everything but the secret. Times are in UTC."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def allows(self, scope: str) -> bool:
        """Tell whether the key carries a scope, or ``admin``, which implies it."""
        return scope in self.scopes or "admin" in self.scopes

    def is_active(self, now: datetime) -> bool:
        """Tell whether the key is neither revoked nor expired at a moment."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class StoredSuggestion:
    """A suggestion as it was answered, with the redacted text it was made for.

    ``answer`` is the JSON sent to the caller, kept to the byte, so that a repeated request gets
    the very same answer. ``body_hash`` is the SHA-256 of the request it answered; it and
    ``idempotency_key`` are set only when the caller sent a key.
    """

    id: str
    created_at: datetime
    model_version: str
    decision: str
    confidence: float
    subject: str
    description: str
    answer: str
    ticket_id: str | None = None
    ticket_version: str | None = None
    api_key_id: str | None = None
    idempotency_key: str | None = None
    body_hash: str | None = None
