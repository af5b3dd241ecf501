"""The past tickets of a store, found by what they say: signatures in memory, texts on disk."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from triage.signature import sign_ticket
from triage.similar import FLOOR, FloatArray, IntArray, TicketIndex
from triage.store.past_tickets import PastTicket, PastTickets, SignedTicket
from triage.suggestion import SimilarTicket
from triage.ticket import Ticket
from triage.topics import FLOOR as TOPIC_FLOOR
from triage.topics import VOTERS, Topics, shares_of

N_SIMILAR = 5
"""Most past tickets that are told about one ticket."""

MAX_RESOLUTION = 600
"""Characters of a resolution that are told."""

_CHUNK = 20_000
_N_ASKED = 1_000  # of the newest tickets, to see how many of each topic there are

Hits = tuple[IntArray, FloatArray]


class PastIndex:
    """Follows the past tickets of a store. One thread reads on while others ask."""

    def __init__(self, past: PastTickets) -> None:
        self._past = past
        self._newest: list[SignedTicket] = []
        self._topics = Topics()
        self._hours: list[npt.NDArray[np.datetime64]] = []
        self.index = TicketIndex()

    def __len__(self) -> int:
        return len(self.index)

    @property
    def moments(self) -> npt.NDArray[np.datetime64]:
        """When the tickets came in, as far as is known, to the hour."""
        return np.concatenate([np.empty(0, dtype="datetime64[h]"), *self._hours])

    def read_on(self) -> int:
        """Read the next tickets of the store; count them, 0 when there are no more for now.

        Raises
        ------
        StoreError : the database cannot be reached
        """
        last = self._newest[-1].number if self._newest else 0
        tickets = self._past.signed_after(last, _CHUNK)
        if not tickets:
            return 0
        numbers = [ticket.number for ticket in tickets]
        self._topics.add(numbers, [ticket.category for ticket in tickets])
        self.index.add(numbers, [ticket.signature for ticket in tickets])
        told = [ticket.created_at.replace(tzinfo=None) for ticket in tickets if ticket.created_at]
        self._hours.append(np.array(told, dtype="datetime64[h]"))
        self._newest = [*self._newest, *tickets][-_N_ASKED:]
        return len(tickets)

    def look(self, signature: bytes) -> Hits:
        """Find the tickets most like a signature, without a look into the database."""
        return self.index.query(signature, top=VOTERS, floor=TOPIC_FLOOR)

    def topic(self, hits: Hits) -> str | None:
        """Tell what those tickets are about; None when nothing is like the one asked for."""
        return self._topics.vote(*hits)

    def topic_shares(self) -> Mapping[str, float]:
        """Tell how many tickets are about each topic, as the newest ones are understood."""
        topics = []
        for ticket in self._newest:
            numbers, likeness = self.look(ticket.signature)
            others = numbers != ticket.number
            topics.append(self.topic((numbers[others], likeness[others])))
        return shares_of(topics)

    def tell(
        self, tickets: Sequence[Ticket], hits: Sequence[Hits], *, top: int = N_SIMILAR
    ) -> list[list[SimilarTicket]]:
        """Look up what was found for each ticket, as far as it is alike enough to be shown.

        A ticket that is no longer in the store is forgotten here as well.

        Raises
        ------
        StoreError : the database cannot be reached
        """
        shown = [
            [one for one in zip(*map(np.ndarray.tolist, found), strict=True) if one[1] >= FLOOR]
            for found in hits
        ]
        wanted = {number for of_ticket in shown for number, _ in of_ticket}
        found = self._past.get(wanted) if wanted else {}
        if gone := wanted - found.keys():
            self.index.remove(list(gone))
        return [
            [
                _similar(found[number], likeness)
                for number, likeness in of_ticket
                if number in found and found[number].ticket_id != ticket.id
            ][:top]
            for ticket, of_ticket in zip(tickets, shown, strict=True)
        ]

    def similar(
        self, tickets: Sequence[Ticket], *, top: int = N_SIMILAR
    ) -> list[list[SimilarTicket]]:
        """Find the past tickets most like each prepared ticket, the most alike first.

        Raises
        ------
        StoreError : the database cannot be reached
        """
        return self.tell(tickets, [self.look(sign_ticket(ticket)) for ticket in tickets], top=top)


def _similar(ticket: PastTicket, likeness: float) -> SimilarTicket:
    resolution = ticket.resolution
    if len(resolution) > MAX_RESOLUTION:
        resolution = resolution[: MAX_RESOLUTION - 1].rstrip() + "…"
    return SimilarTicket(
        ticket_id=ticket.ticket_id,
        subject=ticket.subject,
        tier=ticket.tier,
        category=ticket.category,
        resolution=resolution,
        similarity=round(likeness, 3),
    )
