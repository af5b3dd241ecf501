from datetime import UTC, datetime, timedelta

import numpy as np

from triage.open_tickets import OpenTicket, OpenTickets
from triage.signature import sign_ticket
from triage.similar import TicketIndex
from triage.ticket import Ticket

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def past() -> TicketIndex:
    index = TicketIndex()
    texts = [f"laptop trouble number{number}, need help" for number in range(100)]
    index.add(np.arange(100), [sign_ticket(Ticket(text)) for text in texts])
    return index


def opened(ticket_id: str, text: str, days_ago: float = 0) -> tuple[OpenTicket, bytes]:
    at = NOW - timedelta(days=days_ago)
    return OpenTicket(ticket_id, text, at, at), sign_ticket(Ticket(text))


def found(tickets: OpenTickets, text: str, but: str | None = None) -> list[str]:
    return [ticket.ticket_id for ticket, _ in tickets.find(sign_ticket(Ticket(text)), but=but)]


def test_ticket_that_says_the_same_is_found() -> None:
    tickets = OpenTickets(past())
    tickets.take([opened("A", "Projector in room Oslo stays dark"), opened("B", "Mailbox full")])

    assert found(tickets, "projector dark in Oslo") == ["A"]
    assert found(tickets, "laptop trouble") == []


def test_ticket_is_no_duplicate_of_itself() -> None:
    tickets = OpenTickets(past())
    tickets.take([opened("A", "Projector in room Oslo stays dark")])

    assert found(tickets, "Projector in room Oslo stays dark", but="A") == []


def test_newest_version_of_a_ticket_is_the_one_compared() -> None:
    tickets = OpenTickets(past())
    tickets.take([opened("A", "Projector in room Oslo stays dark")])

    tickets.take([opened("A", "Mailbox full"), opened("A", "Badge reader at the gate blinks red")])

    assert len(tickets) == 1
    assert found(tickets, "Projector in room Oslo stays dark") == []
    assert found(tickets, "badge reader blinks red") == ["A"]


def test_old_and_forgotten_tickets_are_found_no_more() -> None:
    tickets = OpenTickets(past())
    text = "Projector in room Oslo stays dark"
    tickets.take([opened("old", text, 15), opened("A", text, 13), opened("B", text, 1)])

    tickets.forget_before(NOW - timedelta(days=14))
    tickets.forget(["B", "unknown"])

    assert found(tickets, text) == ["A"]
    assert tickets.get("A") is not None and tickets.get("B") is None
    assert tickets.moments.tolist() == [datetime(2026, 11, 11, 9)]
