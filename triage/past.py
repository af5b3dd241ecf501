"""What the desk has seen before, as the engine asks for it; a store of tickets answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from triage.suggestion import IncidentNote, SimilarTicket
from triage.ticket import Ticket


@dataclass(frozen=True, slots=True)
class Recalled:
    """What was remembered about a ticket: similar ones, best first, and the burst it is part of."""

    similar: list[SimilarTicket] = field(default_factory=list)
    incident: IncidentNote | None = None


class Past(Protocol):
    """Remembers tickets. The engine knows no store: whoever runs it brings one."""

    def recall(self, tickets: Sequence[Ticket]) -> list[Recalled]:
        """Look up prepared tickets (`triage.prepare`), one result each, in their order."""
        ...
