"""From an audit to the review page: labels that are probably wrong, and their tickets."""

from collections.abc import Iterator, Sequence

import pandas as pd

from training.audit.finding import Finding
from training.past import MAX_NAME
from training.tickets import iter_tickets
from triage.prepare import prepare
from triage.store import LabelDoubt


def doubts_of(frame: pd.DataFrame, findings: Sequence[Finding]) -> Iterator[LabelDoubt]:
    """Turn the wrong labels among findings into label doubts, their texts cleaned and redacted.

    Tickets without an id, or with one of more than 200 characters, are left out: nobody could erase
    them again. So are labels of more than 200 characters.

    Parameters
    ----------
    frame : the canonical history that was audited
    """
    for finding in findings:
        if finding.kind != "wrong_labels" or finding.target is None:
            continue
        rows = [suspect.row for suspect in finding.suspects]
        tickets = iter_tickets(frame.iloc[rows])
        for suspect, ticket in zip(finding.suspects, tickets, strict=True):
            names = (ticket.id, suspect.label, suspect.proposed)
            if not all(name and len(name) <= MAX_NAME for name in names):
                continue
            prepared = prepare(ticket)
            yield LabelDoubt(
                ticket_id=ticket.id or "",
                target=finding.target,
                subject=prepared.subject,
                description=prepared.description,
                given=suspect.label or "",
                likely=suspect.proposed or "",
                doubt=suspect.confidence or 0.0,
            )
