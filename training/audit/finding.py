"""What an audit finds: one finding a kind of trouble, with the tickets it concerns."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "wrong_labels",
    "conflicting_duplicates",
    "inseparable_labels",
    "leak",
    "personal_data",
    "contradicted_tiers",
]

TicketNames = Callable[[int], str]
"""Names the ticket of a row: by its id or, without one, by file and line."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A ticket to look at: its row in the history, and what speaks against it.

    ``proposed`` is the label that fits better and ``confidence`` how sure that is, in [0, 1].
    Tickets of the same ``group`` belong together.
    """

    row: int
    label: str | None = None
    proposed: str | None = None
    confidence: float | None = None
    group: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of trouble in one place of the history.

    ``code`` tells the variety of a kind: stable, for programs; ``sentence`` is for people. Neither
    they nor ``column``, ``term`` and ``labels`` hold ticket text that could name a person.
    ``looked_at`` counts the tickets that could have had the trouble: ``share`` is of those.
    ``suspects`` come the surest first, where that can be said.
    """

    kind: Kind
    code: str
    sentence: str
    suspects: tuple[Suspect, ...]
    looked_at: int
    target: str | None = None
    column: str | None = None
    term: str | None = None
    labels: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Count the tickets."""
        return len(self.suspects)

    @property
    def share(self) -> float:
        """Compare the tickets with all that were looked at."""
        return self.count / self.looked_at

    def to_dict(self, name_of: TicketNames) -> dict[str, Any]:
        """Turn it into plain data, ready for JSON; tickets say only what is known of them."""
        return {
            "kind": self.kind,
            "code": self.code,
            "target": self.target,
            "column": self.column,
            "term": self.term,
            "labels": list(self.labels),
            "count": self.count,
            "looked_at": self.looked_at,
            "share": self.share,
            "sentence": self.sentence,
            "tickets": [_told(suspect, name_of) for suspect in self.suspects],
        }


def _told(suspect: Suspect, name_of: TicketNames) -> dict[str, Any]:
    told = {
        "ticket": name_of(suspect.row),
        "label": suspect.label,
        "proposed": suspect.proposed,
        "confidence": suspect.confidence,
        "group": suspect.group,
    }
    return {key: value for key, value in told.items() if value is not None}
