"""What a suggestion tells of other tickets, and how to take it out when one of them is erased."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from triage.inert import as_code

_TAKEN_OUT = "- (erased)"


def quoted_tickets(suggestion: Mapping[str, Any]) -> set[str]:
    """List the tickets whose words stand in a suggestion, by their ids.

    Parameters
    ----------
    suggestion : plain data, see `triage.suggestion.Suggestion.to_dict`
    """
    return {ticket["ticket_id"] for tickets in _lists(suggestion) for ticket in tickets}


def without_quotes(suggestion: Mapping[str, Any], ticket_ids: Collection[str]) -> dict[str, Any]:
    """Take the words of other tickets out of a suggestion and its hand-off note."""
    kept = dict(suggestion)
    kept["similar"] = _others(suggestion.get("similar"), ticket_ids)
    handoff = suggestion.get("handoff")
    if handoff:
        parts = handoff.get("parts") or {}
        kept["handoff"] = {
            **handoff,
            "note": _without_lines(handoff.get("note") or "", ticket_ids),
            "parts": {**parts, "similar": _others(parts.get("similar"), ticket_ids)},
        }
    return kept


def _lists(suggestion: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
    yield suggestion.get("similar") or []
    parts = (suggestion.get("handoff") or {}).get("parts") or {}
    yield parts.get("similar") or []


def _others(
    tickets: list[dict[str, Any]] | None, ticket_ids: Collection[str]
) -> list[dict[str, Any]]:
    return [ticket for ticket in tickets or [] if ticket["ticket_id"] not in ticket_ids]


def _without_lines(note: str, ticket_ids: Collection[str]) -> str:
    # As `triage.handoff` writes a similar ticket: one line, its id first.
    begins = tuple(f"- {as_code(one)} " for one in ticket_ids)
    return "\n".join(_TAKEN_OUT if line.startswith(begins) else line for line in note.split("\n"))
