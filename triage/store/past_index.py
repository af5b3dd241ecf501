"""The past tickets of a store, found by what they say: signatures in memory, texts on disk."""

from collections import deque
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


_KNOWN = np.dtype([("number", np.int64), ("id", np.int64), ("hour", "datetime64[h]")])
"""What is known of a ticket beside its words: its id as a hash, and when it came in if told."""


class PastIndex:
    """Follows the past tickets of a store. One thread reads on while others ask."""

    def __init__(self, past: PastTickets) -> None:
        self._past = past
        self._last = 0
        self._newest: list[SignedTicket] = []
        self._known = np.empty(0, dtype=_KNOWN)
        self._topics = Topics()
        self._gone: deque[int] = deque()
        self.index = TicketIndex()

    def __len__(self) -> int:
        return len(self._known)

    @property
    def moments(self) -> npt.NDArray[np.datetime64]:
        """When the tickets came in, as far as is known, to the hour."""
        hours: npt.NDArray[np.datetime64] = self._known["hour"]
        return hours[~np.isnat(hours)]

    def read_on(self) -> int:
        """Read the next tickets of the store; count them, 0 when there are no more for now.

        A ticket that was saved again takes the place of its older self.

        Raises
        ------
        StoreError : the database cannot be reached
        """
        self._forget([self._gone.popleft() for _ in range(len(self._gone))])
        tickets = self._past.signed_after(self._last, _CHUNK)
        if not tickets:
            return 0
        self._last = tickets[-1].number
        numbers = [ticket.number for ticket in tickets]
        added = np.array([_row(ticket) for ticket in tickets], dtype=_KNOWN)
        self._topics.add(numbers, [ticket.category for ticket in tickets])
        # Before the new ones come: the index counts what leaves until it merges.
        self._forget(self._known["number"][np.isin(self._known["id"], added["id"])].tolist())
        self.index.add(numbers, [ticket.signature for ticket in tickets])
        self._known = np.concatenate([self._known, added])
        self._newest = [*self._newest, *tickets][-_N_ASKED:]
        return len(tickets)

    def _forget(self, numbers: Sequence[int]) -> None:
        if not numbers:
            return
        self.index.remove(numbers)
        self._topics.remove(numbers)
        self._known = self._known[np.isin(self._known["number"], numbers, invert=True)]
        gone = set(numbers)
        self._newest = [ticket for ticket in self._newest if ticket.number not in gone]

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

        A ticket that is no longer in the store is told no more, and forgotten by the next
        `read_on`: the index may be busy for long, and an answer must not wait for it.

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
        self._gone.extend(wanted - found.keys())
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


def _row(ticket: SignedTicket) -> tuple[int, int, np.datetime64]:
    moment = ticket.created_at.replace(tzinfo=None) if ticket.created_at else None
    return ticket.number, hash(ticket.ticket_id), np.datetime64(moment, "h")


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
