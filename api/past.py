"""What the desk has seen before: resolved tickets, open ones, bursts; behind the engine's answers.

Past tickets are read from the store after the service is ready, and followed from then on, as are
the tickets that other processes answer. Nothing here may cost an answer: what fails is counted and
left out.
"""

import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import structlog

from api.metrics import Metrics
from triage.flow import Flow
from triage.incidents import WINDOW, BurstWatch, Sighting, Usual
from triage.open_tickets import KEPT, OpenTicket, OpenTickets
from triage.past import Recalled
from triage.signature import sign_ticket
from triage.store import AnsweredTicket, Store, StoreError
from triage.store.past_index import N_SIMILAR, Hits, PastIndex
from triage.suggestion import IncidentNote, SimilarTicket
from triage.ticket import Ticket

_POLL_S = 1.0
_RETRY_S = 5.0
_USUAL_S = 3600.0
_GROWN = 1.5  # growth of the past after which what is usual is reckoned anew

_LATE = timedelta(seconds=60)
"""How long an answer may take to get into the store."""

_WATCHED = 3
"""Windows before the start whose answers are gone through for bursts that still go on."""

_TOPICS_S = 0.5
"""Time to find the topics of other processes' tickets; for the others their words must do."""


class DeskPast:
    """Remembers the tickets of a store; a `triage.past.Past`.

    Before `start` has read the store, there is nothing to remember.
    """

    def __init__(self, store: Store, metrics: Metrics, *, window: timedelta = WINDOW) -> None:
        self._store = store
        self._metrics = metrics
        self._past = PastIndex(store.past)
        self._open = OpenTickets(self._past.index)
        nothing = Flow.of(np.empty(0, dtype="datetime64[h]"))
        self._watch = BurstWatch(Usual(nothing, self._past.index), window=window)
        self._window = window
        self._watching = threading.Lock()
        self._known: dict[str, datetime] = {}
        self._look_from = datetime.now(UTC) - KEPT
        self._failed_at = datetime.min.replace(tzinfo=UTC)
        self._topic_shares: Mapping[str, float] = {}
        self._size_when_counted = 0
        self._reckoned_at = 0.0
        self._is_failing = False
        self._retry_at = 0.0
        self._is_loaded = threading.Event()
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="past", daemon=True)

    def start(self) -> None:
        """Begin to read the store, in a thread of its own."""
        self._thread.start()

    def wait_until_loaded(self, timeout_s: float) -> bool:
        """Wait until what the store held at the start is remembered."""
        return self._is_loaded.wait(timeout_s)

    def close(self, timeout_s: float) -> None:
        """Stop to follow the store."""
        self._is_closing.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def recall(self, tickets: Sequence[Ticket], *, remember: bool = True) -> list[Recalled]:
        """Look up prepared tickets; nothing is found before all is loaded.

        Parameters
        ----------
        remember : whether the tickets are open from now on, and count in bursts
        """
        if not self._is_loaded.is_set():
            return [Recalled() for _ in tickets]
        try:
            return self._recall(tickets, remember)
        except Exception as error:
            self._metrics.count_past_failure()
            structlog.get_logger().error("similar tickets", exc_info=error)
            return [Recalled() for _ in tickets]

    def _recall(self, tickets: Sequence[Ticket], remember: bool) -> list[Recalled]:
        now = datetime.now(UTC)
        found, still_open, incidents = [], [], []
        for ticket in tickets:
            signature = sign_ticket(ticket)
            hits = self._past.look(signature)
            found.append(hits)
            still_open.append(self._open.find(signature, but=ticket.id))
            known = self._open.get(ticket.id) if ticket.id else None
            at = known.at if known else min(ticket.created_at or now, now)
            seen = ticket if remember else replace(ticket, id=None)
            incidents.append(self._see(seen, at, signature, self._past.topic(hits)))
            if ticket.id and remember:
                self._open.take([(OpenTicket(ticket.id, ticket.subject, at, now), signature)])
        similar = self._tell(tickets, found, still_open)
        return [Recalled(*both) for both in zip(similar, incidents, strict=True)]

    def _see(
        self, ticket: Ticket, at: datetime, signature: bytes, topic: str | None
    ) -> IncidentNote | None:
        sighting = Sighting.of(ticket, at, signature, topic)
        with self._watching:
            return self._watch.observe(sighting)

    def _tell(
        self,
        tickets: Sequence[Ticket],
        found: Sequence[Hits],
        still_open: Sequence[list[tuple[OpenTicket, float]]],
    ) -> list[list[SimilarTicket]]:
        """Look into the database for what is not in memory, unless it has just failed."""
        if time.monotonic() < self._retry_at:
            return [[] for _ in tickets]
        try:
            resolved = self._past.tell(tickets, found)
            gone = self._gone([ticket for of_one in still_open for ticket, _ in of_one])
        except StoreError as error:
            self._note_failure(error)
            return [[] for _ in tickets]
        return [
            _joined(past, [one for one in opened if one[0].ticket_id not in gone])
            for past, opened in zip(resolved, still_open, strict=True)
        ]

    def _gone(self, tickets: Collection[OpenTicket]) -> set[str]:
        """Forget tickets that have ended, or were erased from the store, and name them."""
        if not tickets:
            return set()
        # The newest are perhaps not stored yet.
        latest = datetime.now(UTC) - _LATE
        stored = {ticket.ticket_id for ticket in tickets if ticket.taken_at < latest}
        gone = stored - self._store.past.still_answered(stored) if stored else stored
        ids = {ticket.ticket_id for ticket in tickets}
        gone |= self._store.past.ended(ids) | self._store.erasures.among(ids)
        self._open.forget(gone)
        return gone

    def _run(self) -> None:
        began = time.monotonic()
        while not self._is_closing.is_set():
            try:
                self._follow()
            except StoreError as error:
                if not self._is_closing.is_set():
                    self._note_failure(error)
            except Exception as error:
                self._metrics.count_past_failure()
                structlog.get_logger().error("past tickets", exc_info=error)
            else:
                self._is_failing = False
                if not self._is_loaded.is_set():
                    self._is_loaded.set()
                    structlog.get_logger().info(
                        "past tickets read",
                        resolved=len(self._past),
                        open=len(self._open),
                        seconds=round(time.monotonic() - began, 1),
                    )
            self._is_closing.wait(_POLL_S)

    def _follow(self) -> None:
        """Read what is new in the store."""
        while self._past.read_on():
            if self._is_closing.is_set():
                return
        now = datetime.now(UTC)
        self._open.forget_before(now - KEPT)
        oldest = self._look_from - _LATE
        self._known = {one: at for one, at in self._known.items() if at >= oldest}
        answered = self._store.past.answered_since(self._look_from, known=self._known.keys())
        self._known |= {ticket.suggestion_id: ticket.created_at for ticket in answered}
        self._reckon_usual()
        self._take([ticket for ticket in answered if self._is_news(ticket)], now)
        # What was answered while the database was away gets there some time after it is back.
        if now > self._failed_at + _LATE:
            self._look_from = now - _LATE
        self._metrics.set_past_tickets(len(self._past))

    def _is_news(self, answered: AnsweredTicket) -> bool:
        """Tell a ticket that another process answered from one that came through here."""
        known = self._open.get(answered.ticket_id)
        return known is None or known.taken_at < answered.created_at - _LATE

    def _take(self, answered: Sequence[AnsweredTicket], now: datetime) -> None:
        taken = []
        begin = time.monotonic()
        for one in answered:
            ticket = Ticket(one.subject, one.description, id=one.ticket_id)
            signature = sign_ticket(ticket)
            known = self._open.get(one.ticket_id)
            at = known.at if known else one.created_at
            if at > now - _WATCHED * self._window:
                has_time = time.monotonic() - begin < _TOPICS_S
                topic = self._past.topic(self._past.look(signature)) if has_time else None
                self._see(ticket, at, signature, topic)
            taken.append((OpenTicket(one.ticket_id, one.subject, at, one.created_at), signature))
        self._open.take(taken)

    def _reckon_usual(self) -> None:
        """Reckon anew, once an hour, what the desk gets without an incident."""
        has_grown = len(self._past) > self._size_when_counted * _GROWN
        is_recent = time.monotonic() < self._reckoned_at + _USUAL_S
        if self._is_loaded.is_set() and is_recent and not has_grown:
            return
        if has_grown:
            self._size_when_counted = len(self._past)
            self._topic_shares = self._past.topic_shares()
        moments = np.concatenate([self._past.moments, self._open.moments])
        usual = Usual(Flow.of(moments), self._past.index, self._open.index, self._topic_shares)
        self._reckoned_at = time.monotonic()
        with self._watching:
            self._watch.usual = usual

    def _note_failure(self, error: StoreError) -> None:
        self._retry_at = time.monotonic() + _RETRY_S
        self._failed_at = datetime.now(UTC)
        self._metrics.count_past_failure()
        if not self._is_failing:
            structlog.get_logger().error("similar tickets", problem=str(error))
        self._is_failing = True


class Glance:
    """Looks at a desk's past and leaves no trace in it; a `triage.past.Past`."""

    def __init__(self, past: DeskPast) -> None:
        self._past = past

    def recall(self, tickets: Sequence[Ticket]) -> list[Recalled]:
        """Look up prepared tickets."""
        return self._past.recall(tickets, remember=False)


def _joined(
    resolved: Sequence[SimilarTicket], still_open: Sequence[tuple[OpenTicket, float]]
) -> list[SimilarTicket]:
    """Put resolved and open tickets in one order."""
    opened = [
        SimilarTicket(
            ticket_id=ticket.ticket_id,
            subject=ticket.subject,
            tier=None,
            category=None,
            resolution="",
            similarity=round(likeness, 3),
            is_open=True,
        )
        for ticket, likeness in still_open
    ]
    # Sorting keeps the order of equals: a duplicate comes before what was solved long ago.
    return sorted([*opened, *resolved], key=lambda ticket: -ticket.similarity)[:N_SIMILAR]
