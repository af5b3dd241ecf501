"""The way from a request to the engine: off the event loop, in small batches, one at a time."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from triage.past import Past
from triage.suggestion import Answer
from triage.ticket import Ticket

if TYPE_CHECKING:
    from triage.engine import Engine

_BATCH = 32
"""Tickets the engine is given at once: a large request lets single tickets in between."""


class Inference:
    """Runs the engine in one thread, so that requests neither block the loop nor each other."""

    def __init__(self, engine: "Engine", past: Past) -> None:
        self.engine = engine
        """What answers now. Another may take its place; what was begun is finished by the old."""
        self._past = past
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="inference")

    async def suggest(self, tickets: Sequence[Ticket], *, past: Past | None = None) -> list[Answer]:
        """Answer tickets in their order.

        Parameters
        ----------
        past : what is asked about tickets seen before; the one that remembers these by default
        """
        loop = asyncio.get_running_loop()
        answers: list[Answer] = []
        engine = self.engine  # for the whole request, whatever is put in its place meanwhile
        for start in range(0, len(tickets), _BATCH):
            batch = tickets[start : start + _BATCH]
            answers += await loop.run_in_executor(
                self._executor, engine.answer, batch, past or self._past
            )
        return answers

    def close(self) -> None:
        """Finish what was begun and stop the thread."""
        self._executor.shutdown()
