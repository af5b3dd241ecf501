"""Bursts: the same thing reported far more often than usual, perhaps a major incident.

People describe one outage in many ways, but a few words are in many of their tickets, and most of
these are about one topic. So each word of a new ticket, and its topic, is counted among the tickets
of the last hour, half hour and ten minutes, and held against its usual share of the desk's usual
flow. How unlikely the count is without an incident is the upper tail of a Poisson distribution,
corrected for all that is looked at (docs/incidents.md).
"""

import hashlib
from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice

import numpy as np
import numpy.typing as npt
from scipy.special import gammainc

from triage.flow import Flow
from triage.shared_terms import shared_terms
from triage.signature import read_signature
from triage.similar import TicketIndex
from triage.suggestion import IncidentNote
from triage.ticket import Ticket

FloatArray = npt.NDArray[np.float64]
StemArray = npt.NDArray[np.uint32]
Sign = int | str
"""What tickets of a burst have in common: a stem's hash, or the name of a topic."""

WINDOW = timedelta(minutes=60)
MIN_TICKETS = 3
FALSE_ALARMS_A_WEEK = 1 / 5
"""Bursts named by chance at most, where tickets have nothing to do with one another.

The corrections count what overlaps in full: on such tickets 1 in 50 weeks is measured.
"""

MAX_LISTED = 100
"""Tickets of a burst that a note lists at most, the newest ones."""

_PARTS = (1, 1 / 2, 1 / 6)
"""Parts of the window in which tickets are counted: an outage fills the shortest one first."""

_TOPIC_SHARE = 0.5  # of the false alarms allowed; the words of a ticket share the rest
_MAX_SHARE = 0.5  # what most tickets have tells nothing apart
_MAX_COUNTED = 100  # tickets in which people are told apart; more of them cost answers time
_NEWS = 1.2  # growth of a burst after which its words are listed anew
_MAX_READ = 50  # tickets whose words are listed
_MIN_KNOWN = 100  # tickets before anything can be called unusual
_SHRINKAGE = 50.0  # tickets; a new desk's first ones say little about what is usual lately


@dataclass(frozen=True, slots=True)
class Sighting:
    """A prepared ticket, when it came in, its signature's stems, and its topic if one is known."""

    ticket: Ticket
    at: datetime
    stems: StemArray
    topic: str | None = None

    @classmethod
    def of(
        cls, ticket: Ticket, at: datetime, signature: bytes, topic: str | None = None
    ) -> "Sighting":
        return cls(ticket, at, np.ascontiguousarray(read_signature(signature)["stem"]), topic)

    @property
    def who(self) -> str:
        """Whom to count once: the requester, or the ticket where nobody is named."""
        requester = self.ticket.requester
        return f"requester {requester}" if requester else f"ticket {self.ticket.id}"

    @property
    def signs(self) -> list[Sign]:
        """Everything that it may have in common with others of a burst."""
        return [*self.stems.tolist(), *([self.topic] if self.topic else [])]


@dataclass(frozen=True, slots=True)
class Usual:
    """What a desk gets without an incident: the flow of tickets, and each sign's share of them.

    ``past`` and ``live`` hold the stems of resolved tickets and of those of the last days;
    ``topics`` is the share of tickets that are taken for one of each topic.
    """

    flow: Flow
    past: TicketIndex
    live: TicketIndex | None = None
    topics: Mapping[str, float] = field(default_factory=dict)

    def shares(self, signs: Sequence[Sign], n_recent: int, recent: FloatArray) -> FloatArray | None:
        """Give the usual share of tickets with each sign; None where too few are known.

        Parameters
        ----------
        n_recent : tickets of the window, which must not count as usual themselves
        recent : how many of them have each sign
        """
        n_past = len(self.past)
        n_live = max(len(self.live) - n_recent, 0) if self.live is not None else 0
        if n_past + n_live < _MIN_KNOWN:
            return None
        is_stem = np.array([isinstance(sign, int) for sign in signs], dtype=bool)
        stems = np.array([sign for sign in signs if isinstance(sign, int)], dtype=np.uint32)
        of_late = np.zeros(len(stems))
        if self.live is not None:
            of_late = np.maximum(self.live.count(stems) - recent[is_stem], 0.0)
        shares = np.empty(len(signs))
        shares[is_stem] = np.maximum(
            (self.past.count(stems) + of_late + 1) / (n_past + n_live + 1),
            of_late / (n_live + _SHRINKAGE),
        )
        shares[~is_stem] = [self.topics.get(sign, 1.0) for sign in signs if isinstance(sign, str)]
        return shares


@dataclass(slots=True)
class _Incident:
    id: str
    since: datetime
    last: datetime
    signs: dict[Sign, float] = field(default_factory=dict)
    """How unlikely each sign's count was, at its most unlikely."""
    tickets: dict[str, Ticket] = field(default_factory=dict)
    usual: float = 0.0
    terms: list[str] = field(default_factory=list)
    n_read: int = 0
    """Tickets that the terms were last taken from: a few more of them say nothing new."""


class _Counted:
    """The tickets of the window that have something in common, oldest first."""

    __slots__ = ("_times", "sightings")

    def __init__(self) -> None:
        self.sightings: dict[str, Sighting] = {}
        self._times: list[datetime] = []

    def __len__(self) -> int:
        return len(self._times)

    def add(self, ticket_id: str, sighting: Sighting) -> None:
        self.sightings[ticket_id] = sighting
        insort(self._times, sighting.at)

    def remove(self, ticket_id: str) -> None:
        sighting = self.sightings.pop(ticket_id)
        del self._times[bisect_left(self._times, sighting.at)]

    def since(self, moments: Sequence[datetime]) -> list[int]:
        """Count the tickets after each moment."""
        return [len(self._times) - bisect_right(self._times, moment) for moment in moments]

    def people_since(self, moments: Sequence[datetime]) -> list[int]:
        """Count different requesters after each moment; of many tickets, the newest tell enough."""
        newest: dict[str, datetime] = {}
        for sighting in islice(reversed(self.sightings.values()), _MAX_COUNTED):
            who = sighting.who
            newest[who] = max(sighting.at, newest.get(who, sighting.at))
        return [sum(at > moment for at in newest.values()) for moment in moments]


class BurstWatch:
    """Sees tickets as they come in, and names the burst that one belongs to.

    Parameters
    ----------
    usual : what the desk gets without an incident; may be replaced while watching
    window : how far back tickets are counted
    false_alarms_a_week : how many bursts may be named where there is none
    """

    def __init__(
        self,
        usual: Usual,
        *,
        window: timedelta = WINDOW,
        false_alarms_a_week: float = FALSE_ALARMS_A_WEEK,
    ) -> None:
        self.usual = usual
        self._window = window
        self._false_alarms_a_week = false_alarms_a_week
        self._now = datetime.min.replace(tzinfo=UTC)
        self._recent = _Counted()
        self._with_sign: defaultdict[Sign, _Counted] = defaultdict(_Counted)
        self._incidents: list[_Incident] = []

    def observe(self, sighting: Sighting) -> IncidentNote | None:
        """Count a ticket, and tell of which burst it is part.

        An id counts once, and so does a requester; a ticket without an id is not counted, and
        prolongs no burst.
        """
        self._now = max(self._now, sighting.at)
        self._forget()
        ticket_id = sighting.ticket.id
        if ticket_id is not None and sighting.at > self._now - self._window:
            self._take(ticket_id, sighting)
        signs, likelihood, expected = self._judge(sighting)
        if not signs:
            return None
        best = int(np.argmin(likelihood))
        incident = self._incident_of(signs, signs[best])
        if ticket_id is not None:
            incident.last = self._now
        incident.usual = float(expected[best])
        for sign, value in zip(signs, likelihood.tolist(), strict=True):
            incident.signs[sign] = min(value, incident.signs.get(sign, 1.0))
        for one in self._with_sign[signs[best]].sightings.values():
            incident.tickets.setdefault(str(one.ticket.id), one.ticket)
        return self._note(incident)

    def _take(self, ticket_id: str, sighting: Sighting) -> None:
        if ticket_id in self._recent.sightings:
            return
        self._recent.add(ticket_id, sighting)
        for sign in sighting.signs:
            self._with_sign[sign].add(ticket_id, sighting)

    def _forget(self) -> None:
        begin = self._now - self._window
        while len(self._recent):
            ticket_id, oldest = next(iter(self._recent.sightings.items()))
            if oldest.at > begin:
                break
            self._recent.remove(ticket_id)
            for sign in oldest.signs:
                self._with_sign[sign].remove(ticket_id)
                if not len(self._with_sign[sign]):
                    del self._with_sign[sign]
        self._incidents = [one for one in self._incidents if one.last > begin]

    def _judge(self, sighting: Sighting) -> tuple[list[Sign], FloatArray, FloatArray]:
        """Find the signs that come in a burst, how likely each is by chance, what is usual."""
        signs = [
            sign
            for sign in sighting.signs
            if sign in self._with_sign and len(self._with_sign[sign]) >= MIN_TICKETS
        ]
        nothing = list[Sign](), np.empty(0), np.empty(0)
        if not signs:
            return nothing
        held = [self._with_sign[sign] for sign in signs]
        n_holders = np.array([len(counted) for counted in held], dtype=np.float64)
        shares = self.usual.shares(signs, len(self._recent), n_holders)
        if shares is None:
            return nothing
        begins = [self._now - self._window * part for part in _PARTS]
        counts = np.array([one.since(begins) for one in held], dtype=np.float64)
        expected = self._expected(shares, begins, counts)
        of_stem = (1 - _TOPIC_SHARE) / max(len(sighting.stems), 1)
        weights = np.array([of_stem if isinstance(sign, int) else _TOPIC_SHARE for sign in signs])
        allowed = self._false_alarms_a_week / max(self.usual.flow.per_week, 1.0) / len(_PARTS)
        likelihood = _by_chance(counts, expected).min(axis=1) / weights
        is_burst = (likelihood <= allowed) & (shares <= _MAX_SHARE)
        # To tell people apart takes time: only where there are too many tickets.
        for place in np.flatnonzero(is_burst):
            people = np.array(held[place].people_since(begins), dtype=np.float64)
            likelihood[place] = _by_chance(people, expected[place]).min() / weights[place]
        is_burst &= likelihood <= allowed
        return (
            [sign for sign, is_one in zip(signs, is_burst, strict=True) if is_one],
            likelihood[is_burst],
            expected[is_burst, 0],
        )

    def _expected(
        self, shares: FloatArray, begins: Sequence[datetime], n_tickets: FloatArray
    ) -> FloatArray:
        """Tickets with each sign to expect since each moment."""
        flow = [self.usual.flow.expected(self._now, self._now - begin) for begin in begins]
        # More tickets of every kind are a busy hour and no burst of any kind.
        others = np.maximum(self._recent.since(begins) - n_tickets, 0)
        busy = np.maximum(others[:, :1] * np.array(_PARTS), others - 2 * np.sqrt(others))
        of_sign = shares[:, None]
        expected: FloatArray = of_sign * np.maximum(flow, busy / (1 - of_sign).clip(0.01))
        return expected

    def _incident_of(self, signs: Sequence[Sign], best: Sign) -> _Incident:
        for incident in self._incidents:
            if any(sign in incident.signs for sign in signs):
                return incident
        members = self._with_sign[best].sightings.values()
        first = min(members, key=lambda one: (one.at, str(one.ticket.id)))
        # The same for every process that sees these tickets, and after a restart.
        digest = hashlib.sha256(f"{first.ticket.id}".encode()).hexdigest()
        incident = _Incident(f"burst-{digest[:10]}", first.at, self._now)
        self._incidents.append(incident)
        return incident

    def _note(self, incident: _Incident) -> IncidentNote:
        if len(incident.tickets) > _NEWS * incident.n_read:
            incident.n_read = len(incident.tickets)
            said = list(incident.tickets.values())[-_MAX_READ:]
            incident.terms = shared_terms(said, self.usual.past)
        return IncidentNote(
            id=incident.id,
            tickets=list(incident.tickets)[-MAX_LISTED:],
            since=incident.since.astimezone(UTC).isoformat(),
            terms=incident.terms,
            usual=round(incident.usual, 4),
        )


def _by_chance(counts: FloatArray, expected: FloatArray) -> FloatArray:
    """Tell how likely so many tickets are: given one of them, P(X >= counts - 1), X of Poisson."""
    tail = gammainc((counts - 1).clip(min=1), expected.clip(min=1e-9))
    return np.where(counts >= MIN_TICKETS, tail, 1.0)
