"""Personal data and secrets in the texts of a history, as it was exported."""

from collections import defaultdict
from dataclasses import dataclass

import pandas as pd

from training.audit.finding import Finding, Suspect
from training.fit import OnStep
from triage.redact import find_personal_data
from triage.ticket import TEXT_COLUMNS

_PART = 1000  # tickets between two words on the progress


@dataclass(frozen=True, slots=True)
class PersonalData:
    """What was found: a finding for each column and kind, and the ``values`` themselves.

    The values are for keeping them out of whatever is shown; they must not be shown or stored.
    """

    findings: list[Finding]
    values: frozenset[str]


def find_personal(frame: pd.DataFrame, on_step: OnStep) -> PersonalData:
    """Find personal data in subject and description, signatures and quoted mail included.

    Training takes it out; the export still holds it.
    """
    values: set[str] = set()
    findings = []
    for column in TEXT_COLUMNS:
        name = f"personal data, {column}"
        counts: defaultdict[str, int] = defaultdict(int)
        rows: defaultdict[str, dict[int, None]] = defaultdict(dict)
        for row, text in enumerate(frame[column]):
            if row % _PART == 0:
                on_step(name, row, len(frame))
            for found in find_personal_data(text):
                counts[found.kind] += 1
                rows[found.kind][row] = None
                values.add(text[found.start : found.end])
        findings += [
            Finding(
                kind="personal_data",
                code=kind,
                sentence=f"{counts[kind]} times {kind} in the {column} of {len(found)} tickets",
                suspects=tuple(Suspect(row) for row in found),
                looked_at=len(frame),
                column=column,
            )
            for kind, found in sorted(rows.items(), key=lambda item: -len(item[1]))
        ]
    return PersonalData(findings, frozenset(values))
