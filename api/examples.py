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

FEEDBACK: dict[str, Any] = {
    "suggestion_id": "sg_4f7c2e9a10b3",
    "verdict": "corrected",
    "tier": "2",
    "comment": "The domain controller locked it, not a typed password.",
}

OUTCOME: dict[str, Any] = {
    "ticket_id": "INC-20418",
    "tier": "1",
    "category": "access",
    "tier_path": ["1"],
    "reassignments": 0,
    "reopened": False,
    "first_contact": True,
    "csat": 5,
    "article_ids": ["KB0001"],
    "resolution": "Called back, unlocked the account, signed in together.",
    "resolved_at": "2026-11-24T09:40:00+01:00",
}

HANDOFF_REQUEST: dict[str, Any] = {
    **TICKET,
    "tier": "2",
    "category": "access",
    "steps_tried": ["Unlocked the account twice; it locks again within minutes."],
    "articles_tried": ["KB0001"],
    "details": {"device": "the laptop and a tablet at home"},
}

HANDOFF: dict[str, Any] = {
    "summary": "To tier 2 (Technical support): Accounts and sign-in: Locked out after the holidays",
    "note": "# Hand-off: To tier 2 (Technical support)\n\n## Symptoms\n\n`Locked out after ...`\n",
    "completeness": 0.76,
    "is_ready": True,
    "questions": ["On which number may we call you back?"],
    "parts": {
        "ticket_id": "INC-20418",
        "language": "en",
        "next_tier": "2",
        "known": [
            {"id": "device", "name": "Device", "evidence": "the laptop and a tablet at home"}
        ],
        "steps_tried": ["Unlocked the account twice; it locks again within minutes."],
        "articles_tried": ["KB0001"],
    },
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
        {
            "text": text,
            "article_id": "KB0001",
            "kind": "do",
            "record": None,
            "solved": 41,
            "tried": 44,
        }
        for text in (
            "Confirm who is asking by calling back.",
            "Unlock the account and let the user sign in.",
        )
    ],
    "articles": [
        {
            "id": "KB0001",
            "title": "Unlock a locked account",
            "url": None,
            "score": 0.83,
            "terms": ["account", "locked", "password"],
            "snippet": "account locked after the holidays",
            "is_stale": False,
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

ARTICLE: dict[str, Any] = {
    "title": "The badge printer prints blank cards",
    "category": "printing",
    "tier": "1",
    "symptoms": ["badge comes out white", "empty cards since the ribbon was changed"],
    "applies_to": ["badge printers at the reception"],
    "steps": [
        "Open the lid and look whether the ribbon is wound with the shiny side to the card.",
        "Print a test card from the printer's own menu.",
    ],
    "verify": ["Two badges in a row are printed completely."],
    "escalate_when": ["A new ribbon changes nothing: Onsite Support."],
}
