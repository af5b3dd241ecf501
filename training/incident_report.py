"""Bursts of a history, and trouble that comes back in it: candidates for a problem record."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from training.accounting import Accounting
from training.history import read_history
from training.mapping import load_mapping
from training.past import OnStep, past_tickets
from triage.flow import Flow
from triage.incidents import WINDOW, BurstWatch, Sighting, Usual
from triage.open_tickets import KEPT
from triage.recurring import MAX_LISTED, Recurring, find_recurring
from triage.signature import sign_ticket
from triage.similar import TicketIndex
from triage.store import PastTicket, Store
from triage.taxonomy import Taxonomy
from triage.ticket import Ticket
from triage.topics import shares_of

MAX_TICKETS = 50_000
"""Newest tickets that are looked at; more would take minutes."""

_REPORTED = 1_000


@dataclass(frozen=True, slots=True)
class Burst:
    """A burst of the past; ``usual`` is the number of such tickets a window usually has."""

    id: str
    since: str
    until: str
    n_tickets: int
    tickets: list[str]
    terms: list[str]
    usual: float


@dataclass(frozen=True, slots=True)
class IncidentReport:
    """What was found in so many tickets; those ``without_date`` can be in no burst."""

    n_tickets: int
    without_date: int
    left_out: int
    bursts: list[Burst]
    recurring: list[Recurring]

    def sentences(self) -> list[str]:
        """Tell it to a person."""
        told = [
            f"{self.n_tickets} tickets looked at: {len(self.bursts)} bursts, "
            f"{len(self.recurring)} kinds of trouble that come back"
        ]
        if self.left_out:
            told.append(f"{self.left_out} older tickets were left out")
        if self.without_date:
            told.append(f"{self.without_date} tickets have no date and can be in no burst")
        return told

    def to_dict(self) -> dict[str, Any]:
        """Turn it into plain data, ready for JSON."""
        return asdict(self)


def report_incidents(
    tickets: Sequence[PastTicket],
    taxonomy: Taxonomy,
    *,
    window: timedelta = WINDOW,
    on_step: OnStep | None = None,
) -> IncidentReport:
    """Look for bursts, and for what comes back, in past tickets.

    Parameters
    ----------
    tickets : in any order; the newest `MAX_TICKETS` are looked at
    taxonomy : tells what a ticket of each tier costs
    window : how far back tickets are counted for a burst
    on_step : told the step, how much of it is done, and of how much
    """
    report = on_step or (lambda name, done, total: None)
    never = datetime.min.replace(tzinfo=UTC)
    ordered = sorted(tickets, key=lambda one: (one.created_at or never, one.ticket_id))
    newest = ordered[-MAX_TICKETS:]
    index = TicketIndex()
    index.add(range(len(newest)), [ticket.signature for ticket in newest])
    return IncidentReport(
        n_tickets=len(newest),
        without_date=sum(ticket.created_at is None for ticket in newest),
        left_out=len(ordered) - len(newest),
        bursts=_bursts(newest, index, window, report),
        recurring=find_recurring(
            newest,
            tuple(taxonomy.tiers),
            index=index,
            on_progress=lambda done: report("looking for what comes back", done, len(newest)),
        ),
    )


def stored_tickets(store: Store) -> list[PastTicket]:
    """List the tickets that a store knows: the newest resolved ones, and those answered lately.

    Raises
    ------
    StoreError : the database cannot be reached
    """
    resolved = store.past.newest(MAX_TICKETS)
    known = {ticket.ticket_id for ticket in resolved}
    answered = {
        one.ticket_id: PastTicket(
            ticket_id=one.ticket_id,
            created_at=one.created_at,
            subject=one.subject,
            description=one.description,
            resolution="",
            tier=None,
            category=None,
            signature=sign_ticket(Ticket(one.subject, one.description)),
        )
        for one in reversed(store.past.answered_since(datetime.now(UTC) - KEPT))
        if one.ticket_id not in known
    }
    return [*resolved, *answered.values()]


def read_tickets(
    paths: Sequence[Path], mapping: str | None, report: OnStep
) -> tuple[list[PastTicket], Accounting]:
    """Read a history's tickets, cleaned and redacted; one without an id is named by its row.

    Raises
    ------
    HistoryError : a file cannot be read
    ConfigurationError : there is no such mapping
    """
    read = read_history(
        paths, load_mapping(mapping), on_progress=lambda rows: report("reading", rows, 0)
    )
    frame = read.frame.sort_values("created_at", kind="stable", na_position="first").tail(
        MAX_TICKETS
    )
    found: list[PastTicket] = []
    for begin in range(0, len(frame), _REPORTED):
        part = frame.iloc[begin : begin + _REPORTED]
        for row, ticket in zip(part.index.tolist(), past_tickets(part), strict=True):
            found.append(
                ticket if ticket.ticket_id else replace(ticket, ticket_id=f"row {row + 1}")
            )
        report("cleaning and redacting", len(found), len(frame))
    return found, read.accounting


def _bursts(
    tickets: Sequence[PastTicket], index: TicketIndex, window: timedelta, report: OnStep
) -> list[Burst]:
    dated = [ticket for ticket in tickets if ticket.created_at is not None]
    moments = [one.created_at.replace(tzinfo=None) for one in dated if one.created_at]
    flow = Flow.of(np.array(moments, dtype="datetime64[s]"))
    # How the desk filed it is surer than what its likes say.
    shares = shares_of([ticket.category for ticket in tickets])
    watch = BurstWatch(Usual(flow, index, topics=shares), window=window)
    members: dict[str, dict[str, datetime]] = {}
    notes = {}
    at_of: dict[str, datetime] = {}
    for number, one in enumerate(dated):
        if one.created_at is None:
            continue
        at_of[one.ticket_id] = one.created_at
        ticket = Ticket(one.subject, one.description, id=one.ticket_id)
        note = watch.observe(Sighting.of(ticket, one.created_at, one.signature, one.category))
        if note is not None:
            known = members.setdefault(note.id, {})
            known |= {ticket_id: at_of[ticket_id] for ticket_id in note.tickets}
            notes[note.id] = note
        if number % _REPORTED == 0:
            report("looking for bursts", number, len(dated))
    report("looking for bursts", len(dated), len(dated))
    return [
        Burst(
            id=note.id,
            since=note.since,
            until=max(members[note.id].values()).isoformat(),
            n_tickets=len(members[note.id]),
            tickets=list(members[note.id])[-MAX_LISTED:],
            terms=note.terms,
            usual=note.usual,
        )
        for note in sorted(notes.values(), key=lambda note: note.since)
    ]
