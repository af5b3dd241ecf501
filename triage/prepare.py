"""Make a ticket fit to be learned from, stored or logged: cleaned, personal data taken out."""

from collections.abc import Sequence
from dataclasses import replace

from triage.redact import redact
from triage.text import normalise, normalise_subject
from triage.ticket import Ticket


def prepare(ticket: Ticket) -> Ticket:
    """Clean and redact the texts of a ticket; training and serving both pass through here."""
    return replace(
        ticket,
        subject=redact(normalise_subject(ticket.subject)),
        description=redact(normalise(ticket.description)),
    )


def prepare_all(tickets: Sequence[Ticket]) -> list[Ticket]:
    """Clean and redact many tickets: the first step of a scikit-learn pipeline."""
    return [prepare(ticket) for ticket in tickets]
