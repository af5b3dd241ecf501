"""Suggestions as the store holds them, made up: what the pages are shown with."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from triage.review import is_blind
from triage.store import StoredSuggestion
from triage.suggestion import (
    Alternative,
    ArticleHit,
    Handoff,
    IncidentNote,
    Prediction,
    Reason,
    SimilarTicket,
    Step,
    Suggestion,
    TermWeight,
)

BLIND_SHARE = 0.05
START = datetime.now(UTC) - timedelta(hours=6)


def make_suggestion(number: int, *, blind: bool = False, **changes: Any) -> StoredSuggestion:
    """Make a suggestion of the ticket INC-number, in the blind sample or not.

    Parameters
    ----------
    changes : parts of the suggestion, or ``subject``, ``description`` and ``created_at``
    """
    suggestion_id = next(
        one
        for one in (f"sg{number:04}x{try_}" for try_ in range(10_000))
        if is_blind(one, BLIND_SHARE) == blind
    )
    subject = changes.pop("subject", "Locked out of my account")
    description = changes.pop(
        "description", "My account is locked since this morning, please unlock the password."
    )
    created_at = changes.pop("created_at", START + timedelta(minutes=number))
    ticket_id = changes.pop("ticket_id", f"INC-{number}")
    suggestion = replace(_usual(suggestion_id, ticket_id), **changes)
    return StoredSuggestion(
        id=suggestion_id,
        created_at=created_at,
        model_version=suggestion.model_version,
        decision=suggestion.decision,
        confidence=suggestion.confidence,
        subject=subject,
        description=description,
        answer=json.dumps(suggestion.to_dict()),
        ticket_id=ticket_id,
    )


def predict(label: str | None, *shares: tuple[str, float], name: str | None = None) -> Prediction:
    """Make a prediction of a label among others with their shares, the best first."""
    return Prediction(
        label=label,
        name=name if label else None,
        confidence=dict(shares)[label] if label else shares[0][1],
        decision="suggest" if label else "review",
        set=[other for other, _ in shares[:2]],
        alternatives=[Alternative(other, share) for other, share in shares],
    )


def make_article(title: str = "Unlock a locked account", url: str | None = None) -> ArticleHit:
    """Make an article that is offered."""
    return ArticleHit("KB0001", title, url, 0.83, ["locked"], "account locked after the holidays")


def _usual(suggestion_id: str, ticket_id: str | None) -> Suggestion:
    return Suggestion(
        suggestion_id=suggestion_id,
        ticket_id=ticket_id,
        model_version="20261124-060102-1a2b3c4d",
        decision="suggest",
        confidence=0.74,
        reasons=[Reason("joint_unsure", "Not all targets are sure.", "Confirm the suggestion.")],
        tier=predict("1", ("1", 0.86), ("2", 0.11), name="Service desk"),
        category=predict(
            "access", ("access", 0.81), ("permissions", 0.12), name="Accounts and sign-in"
        ),
        next_tier="1",
        steps=[
            Step("Check who is calling.", "KB0001"),
            Step("Unlock the account.", "KB0001", solved=41, tried=44),
        ],
        articles=[make_article(url="https://kb.example/KB0001")],
        similar=[SimilarTicket("INC-9001", "Account locked", "1", "access", "Unlocked it.", 0.71)],
        missing_details=["Which user name do you sign in with?"],
        handoff=Handoff("To tier 2", "# Hand-off\n\nLocked out", 0.5, False, ["Who?"], {}),
        incident=IncidentNote("inc1", ["INC-1", "INC-2"], "2026-11-24T08:00:00Z", ["locked"], 0.1),
        explanation={
            "tier": [TermWeight("locked", 1.2), TermWeight("morning", -0.4)],
            "category": [TermWeight("password", 1.5), TermWeight("locked", 0.7)],
        },
        warnings=["Perhaps reported already: INC-2 is open and says much the same."],
    )
