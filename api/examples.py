"""The example of the HTTP interface's own description: somebody who is locked out."""

from typing import Any

TICKET: dict[str, Any] = {
    "id": "INC-20418",
    "version": "1",
    "subject": "Locked out after the holidays",
    "description": "Back today, typed my old password a few times and now Windows says the "
    "account is locked. I have a customer call at ten.",
    "fields": {"site": "Hamburg"},
    "created_at": "2026-11-24T08:12:00+01:00",
    "channel": "portal",
}

SUGGESTION: dict[str, Any] = {
    "suggestion_id": "sg_4f7c2e9a10b3",
    "ticket_id": "INC-20418",
    "model_version": "20261124-060102-1a2b3c4d",
    "decision": "route",
    "confidence": 0.96,
    "reasons": [
        {
            "code": "confident",
            "message": "Tier and category are sure enough to be set without a look.",
            "next_action": "Start with the steps below.",
        }
    ],
    "tier": {
        "label": "1",
        "name": "Service desk",
        "confidence": 0.98,
        "decision": "route",
        "set": ["1"],
        "alternatives": [{"label": "1", "confidence": 0.98}, {"label": "2", "confidence": 0.02}],
        "basis": "model",
        "path": [],
    },
    "category": {
        "label": "access",
        "name": "Accounts and sign-in",
        "confidence": 0.97,
        "decision": "route",
        "set": ["access"],
        "alternatives": [{"label": "access", "confidence": 0.97}],
        "basis": "model",
        "path": [],
    },
    "targets": {},
    "next_tier": "1",
    "steps": [
        {"text": "Confirm who is asking by calling back.", "article_id": "KB0001"},
        {"text": "Unlock the account and let the user sign in.", "article_id": "KB0001"},
    ],
    "articles": [
        {
            "id": "KB0001",
            "title": "Unlock a locked account",
            "url": None,
            "score": 0.83,
            "terms": ["account", "locked", "password"],
        }
    ],
    "similar": [],
    "missing_details": [],
    "handoff": None,
    "incident": None,
    "explanation": {
        "tier": [{"term": "locked", "weight": 1.4}],
        "category": [{"term": "password", "weight": 1.9}],
    },
    "warnings": [],
}
