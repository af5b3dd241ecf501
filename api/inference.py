"""The way from a request to the engine: off the event loop, in small batches, one at a time."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from triage.suggestion import Suggestion
from triage.ticket import Ticket

if TYPE_CHECKING:
    from triage.engine import TriageEngine

_BATCH = 32
"""Tickets the engine is given at once: a large request lets single tickets in between."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A suggestion, and the redacted ticket it may be stored with."""

    suggestion: Suggestion
    ticket: Ticket


class Inference:
    """Runs the engine in one thread, so that requests neither block the loop nor each other."""

    def __init__(self, engine: "TriageEngine") -> None:
        self._engine = engine
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="inference")

    async def suggest(self, tickets: Sequence[Ticket]) -> list[Answer]:
        """Answer tickets in their order."""
        loop = asyncio.get_running_loop()
        answers: list[Answer] = []
        for start in range(0, len(tickets), _BATCH):
            batch = tickets[start : start + _BATCH]
            answers += await loop.run_in_executor(self._executor, self._suggest, batch)
        return answers

    def close(self) -> None:
        """Finish what was begun and stop the thread."""
        self._executor.shutdown()

    def _suggest(self, tickets: Sequence[Ticket]) -> list[Answer]:
        suggestions = self._engine.suggest(tickets)
        return [
            Answer(suggestion, self._engine.redacted(ticket))
            for suggestion, ticket in zip(suggestions, tickets, strict=True)
        ]
