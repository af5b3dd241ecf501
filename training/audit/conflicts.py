"""Tickets that say the same and carry different labels."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from training.audit.finding import Finding, Suspect
from training.audit.scores import IndexArray, LabelArray
from triage.ticket import Ticket

_SAYING = {"same_text": "the same", "near_twins": "nearly the same"}


def find_conflicts(
    target: str, truth: LabelArray, prepared: Sequence[Ticket], clusters: IndexArray
) -> list[Finding]:
    """Find groups of tickets of one text, and of nearly one text, whose labels differ.

    Texts are compared as a model sees them: cleaned, redacted, whatever their case.

    Parameters
    ----------
    truth : ndarray of shape (n_tickets,), str or None
    clusters : near twins of each ticket, of shape (n_tickets,)

    Returns
    -------
    list : "same_text" and "near_twins", each if there is any; a ticket is in one of them only. The
        suspects are all tickets of such groups. Where more than half of a group agree, that label
        is proposed to the others, with the share that has it as confidence.
    """
    rows = np.flatnonzero(pd.notna(truth)).tolist()
    said = {row: _folded(prepared[row]) for row in rows}
    same = list(_conflicting(truth, ((said[row], row) for row in rows if any(said[row]))))
    told = {suspect.row for suspect in same}
    near = list(_conflicting(truth, ((int(clusters[row]), row) for row in rows if row not in told)))
    findings = []
    for code, suspects in (("same_text", same), ("near_twins", near)):
        if suspects:
            n_groups = len({suspect.group for suspect in suspects})
            sentence = (
                f"{len(suspects)} tickets say {_SAYING[code]} and differ in {target} "
                f"(groups of such tickets: {n_groups})"
            )
            findings.append(
                Finding(
                    kind="conflicting_duplicates",
                    code=code,
                    sentence=sentence,
                    suspects=tuple(suspects),
                    looked_at=len(rows),
                    target=target,
                )
            )
    return findings


def _folded(ticket: Ticket) -> tuple[str, str]:
    return ticket.subject.casefold(), ticket.description.casefold()


def _conflicting(truth: LabelArray, keyed: Iterable[tuple[Hashable, int]]) -> Iterator[Suspect]:
    """Group rows by key and list those of groups that have more than one label."""
    groups: defaultdict[Hashable, list[int]] = defaultdict(list)
    for key, row in keyed:
        groups[key].append(row)
    number = 0
    for rows in groups.values():
        counts = Counter(str(truth[row]) for row in rows)
        if len(counts) < 2:
            continue
        number += 1
        (label, votes), *_ = counts.most_common(1)
        share = votes / len(rows)
        for row in rows:
            is_outvoted = share > 0.5 and truth[row] != label
            yield Suspect(
                row=row,
                label=str(truth[row]),
                proposed=label if is_outvoted else None,
                confidence=share if is_outvoted else None,
                group=number,
            )
