"""An answer as it is stored: the very text that the caller gets, and what it was made for."""

import json
from datetime import UTC, datetime
from typing import Any

from triage.store import StoredSuggestion
from triage.suggestion import Answer


def record_of(
    answer: Answer,
    ticket_version: str | None = None,
    *,
    at: datetime | None = None,
    api_key_id: str | None = None,
    idempotency_key: str | None = None,
    body_hash: str | None = None,
) -> StoredSuggestion:
    """Make the record of an answer.

    Parameters
    ----------
    at : when it was given; now by default
    """
    suggestion = answer.suggestion
    return StoredSuggestion(
        id=suggestion.suggestion_id,
        created_at=at or datetime.now(UTC),
        model_version=suggestion.model_version,
        decision=suggestion.decision,
        confidence=suggestion.confidence,
        subject=answer.ticket.subject,
        description=answer.ticket.description,
        answer=dumps(suggestion.to_dict()),
        ticket_id=suggestion.ticket_id,
        ticket_version=ticket_version,
        api_key_id=api_key_id,
        idempotency_key=idempotency_key,
        body_hash=body_hash,
    )


def dumps(content: Any) -> str:
    """Write plain data as the service sends it."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
