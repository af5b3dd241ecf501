"""Whether a ticket says that many people are hit, in the desk's own phrases."""

from triage.taxonomy import Taxonomy
from triage.ticket import Ticket


def says_many_are_hit(ticket: Ticket, taxonomy: Taxonomy) -> bool:
    """Look for one of the taxonomy's phrases in a cleaned ticket, whatever its case and spacing."""
    text = " ".join(f"{ticket.subject} {ticket.description}".casefold().split())
    return any(phrase.casefold() in text for phrase in taxonomy.wide_impact.phrases)
