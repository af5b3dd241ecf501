"""A small engine of known behaviour, and a server process around it: run as a script."""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

from fastapi import FastAPI

from api.app import create_app
from api.logs import configure_process
from api.server import listen, run, run_workers
from api.settings import load_settings
from triage.article import Article
from triage.assistance import Helper
from triage.past import Past, Recalled
from triage.store import open_store
from triage.suggestion import (
    Alternative,
    Answer,
    ArticleHit,
    Decision,
    Prediction,
    Reason,
    Step,
    Suggestion,
)
from triage.taxonomy import load_taxonomy
from triage.ticket import Ticket

VERSION = "20261124-060102-1a2b3c4d"
UNLOCK = Article(
    id="KB0001",
    title="Unlock a locked account",
    category="access",
    tier="1",
    url="https://kb.example/KB0001",
    steps=("Call the user back.", "Unlock the account."),
    body="## Steps\n\n1. Call the user back.\n2. Unlock the account.\n",
)


class FakeKnowledge:
    """One article, found by the word "locked"."""

    articles = (UNLOCK,)

    def get(self, article_id: str) -> Article | None:
        return UNLOCK if article_id == UNLOCK.id else None

    def search(self, query: str, top: int = 10) -> list[ArticleHit]:
        if "locked" not in query.lower():
            return []
        return [ArticleHit(UNLOCK.id, UNLOCK.title, UNLOCK.url, 0.83, ["locked"])][:top]


class FakeEngine:
    """Knows locked accounts and nothing else. "slow" takes a second, "explode" fails."""

    version = VERSION
    knowledge = FakeKnowledge()
    manifest: dict[str, Any] = {  # noqa: RUF012
        "version": VERSION,
        "trained_at": "2026-11-24T06:01:02Z",
        "source": "/srv/exports/history.csv",
        "metrics": {
            "tier": {"newest": {"accuracy": 0.93, "n": 1200, "confusion": [[1, 2]]}, "rows": {}}
        },
    }
    basis = "model"
    recommender = knowledge
    helper: Any = Helper(FakeKnowledge(), load_taxonomy())  # type: ignore[arg-type]
    thresholds: dict[str, dict[str, float | None]] = {"tier": {"1": 0.8, "2": None}}  # noqa: RUF012

    def __init__(self) -> None:
        self.batches: list[int] = []
        self._numbers = count(1)
        self._run = uuid4().hex[:8]

    def answer(self, tickets: Sequence[Ticket], past: Past) -> list[Answer]:
        self.batches.append(len(tickets))
        prepared = [_redacted(ticket) for ticket in tickets]
        return [
            Answer(self._suggest(ticket, recalled), ticket)
            for ticket, recalled in zip(prepared, past.recall(prepared), strict=True)
        ]

    def with_articles(self, knowledge: Any, vectors: Any) -> "FakeEngine":
        return self

    def _suggest(self, ticket: Ticket, recalled: Recalled) -> Suggestion:
        text = f"{ticket.subject} {ticket.description}".lower()
        if "explode" in text:
            raise ValueError(f"cannot make sense of {text}")
        if "slow" in text:
            time.sleep(1.0)
        decision: Decision = "suggest" if "locked" in text else "review"
        found = decision == "suggest"
        tier = Prediction(
            label="1" if found else None,
            name="Service desk" if found else None,
            confidence=0.9 if found else 0.4,
            decision=decision,
            set=["1"],
            alternatives=[Alternative("1", 0.9 if found else 0.4)],
        )
        return Suggestion(
            suggestion_id=f"sg_{self._run}_{next(self._numbers)}",
            ticket_id=ticket.id,
            model_version=VERSION,
            decision=decision,
            confidence=tier.confidence,
            reasons=[Reason("fake", "It says so.", "Have a look.")],
            tier=tier,
            category=None,
            steps=[Step(step, UNLOCK.id) for step in UNLOCK.steps] if found else [],
            articles=self.knowledge.search(text),
            similar=recalled.similar,
            incident=recalled.incident,
        )


def _redacted(ticket: Ticket) -> Ticket:
    return replace(ticket, subject=_redact(ticket.subject), description=_redact(ticket.description))


def _redact(text: str) -> str:
    return " ".join("<email>" if "@" in word else word for word in text.split(" "))


def make_app() -> FastAPI:
    """Make the application of a worker process."""
    settings = load_settings()
    configure_process(settings.log_level)
    return create_app(settings, engine=FakeEngine())


def main() -> None:
    """Serve as TRIAGE_* says; the first argument is a file to write a new admin's key to."""
    settings = load_settings()
    configure_process(settings.log_level)
    store = open_store(settings.database_url)
    _, secret = store.create_key("test", ["admin"])
    Path(sys.argv[1]).write_text(secret)
    with listen(settings) as listener:
        if settings.workers > 1:
            store.close()
            run_workers("fake_service:make_app", settings, listener)
        else:
            run(create_app(settings, engine=FakeEngine(), store=store), settings, listener)


if __name__ == "__main__":
    main()
