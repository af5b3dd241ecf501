"""Tickets that came in lately and have not ended yet: what a new one may be a duplicate of."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

import numpy as np
import numpy.typing as npt

from triage.similar import TicketIndex

KEPT = timedelta(days=14)
"""How long a ticket is taken for open when nobody says how it ended."""

FLOOR = 0.55
"""Least likeness of a duplicate, see docs/similar.md."""

N_OPEN = 2
"""Most open tickets that are told about one ticket."""


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """A ticket's redacted subject, when it came in, and when it was taken in here."""

    ticket_id: str
    subject: str
    at: datetime
    taken_at: datetime


class OpenTickets:
    """The tickets of the last days, one of each id, found by what they say.

    Safe to share between threads.

    Parameters
    ----------
    beside : index of resolved tickets, which decides with these how rare a stem is
    """

    def __init__(self, beside: TicketIndex) -> None:
        self.index = TicketIndex(beside)
        self._tickets: dict[int, OpenTicket] = {}
        self._number_of: dict[str, int] = {}
        self._last = 0
        self._changing = Lock()

    def __len__(self) -> int:
        return len(self._tickets)

    @property
    def moments(self) -> npt.NDArray[np.datetime64]:
        """When the tickets came in."""
        with self._changing:
            told = [ticket.at.replace(tzinfo=None) for ticket in self._tickets.values()]
        return np.array(told, dtype="datetime64[h]")

    def get(self, ticket_id: str) -> OpenTicket | None:
        """Find a ticket by its id."""
        with self._changing:
            number = self._number_of.get(ticket_id)
            return None if number is None else self._tickets[number]

    def take(self, tickets: Sequence[tuple[OpenTicket, bytes]]) -> None:
        """Take in tickets with their signatures, in place of what was known of the same ids."""
        newest = {ticket.ticket_id: (ticket, signature) for ticket, signature in tickets}
        self.forget(newest.keys())
        with self._changing:
            numbers = list(range(self._last + 1, self._last + len(newest) + 1))
            self._last += len(newest)
            for number, (ticket, _) in zip(numbers, newest.values(), strict=True):
                self._tickets[number] = ticket
                self._number_of[ticket.ticket_id] = number
        self.index.add(numbers, [signature for _, signature in newest.values()])

    def forget(self, ticket_ids: Collection[str]) -> None:
        """Forget tickets; ids that are unknown are passed over."""
        with self._changing:
            numbers = [self._number_of.pop(one) for one in ticket_ids if one in self._number_of]
            for number in numbers:
                del self._tickets[number]
        if numbers:
            self.index.remove(numbers)

    def forget_before(self, moment: datetime) -> None:
        """Forget the tickets that came in before a moment."""
        with self._changing:
            old = [one.ticket_id for one in self._tickets.values() if one.at < moment]
        self.forget(old)

    def find(self, signature: bytes, *, but: str | None = None) -> list[tuple[OpenTicket, float]]:
        """Find the open tickets that say the same, the most alike first.

        Parameters
        ----------
        but : id of the ticket that is asked about, which is no duplicate of itself
        """
        numbers, likeness = self.index.query(signature, top=N_OPEN + 1, floor=FLOOR)
        with self._changing:
            found = [
                (self._tickets[number], alike)
                for number, alike in zip(numbers.tolist(), likeness.tolist(), strict=True)
                if number in self._tickets
            ]
        return [one for one in found if one[0].ticket_id != but][:N_OPEN]
