"""Guess from column names which column of an export is what."""

import re
import unicodedata
from collections.abc import Sequence

SYNONYMS: dict[str, tuple[str, ...]] = {
    "subject": (
        "subject", "short description", "summary", "title", "headline", "betreff", "titel",
        "kurzbeschreibung", "zusammenfassung",
    ),
    "description": (
        "description", "body", "text", "message", "details", "content", "long description",
        "ticket description", "ticket text", "beschreibung", "nachricht", "inhalt", "langtext",
        "comment", "question", "query", "utterance", "frage",
    ),
    "tier": (
        "tier", "support tier", "resolving tier", "resolved tier", "support level",
        "support line", "escalation level", "level", "line", "supportstufe", "supportebene",
        "stufe", "ebene",
    ),
    "category": (
        "category", "kategorie", "ticket category", "queue", "warteschlange", "intent", "topic",
        "thema", "label", "class", "klasse", "request type", "ticket type", "issue type", "type",
        "typ", "art",
    ),
    "id": (
        "id", "number", "ticket id", "ticket number", "ticket no", "incident number",
        "incident id", "issue key", "key", "case id", "case number", "request id", "nummer",
        "ticketnummer", "vorgangsnummer", "issue id", "uuid",
    ),
    "created_at": (
        "created at", "created", "created on", "opened", "opened at", "opening date",
        "creation date", "created date", "created time", "date created", "date opened",
        "submitted", "submitted at", "reported at", "erstellt", "erstellt am",
        "erstellungsdatum", "eröffnet", "eröffnet am", "date", "datum", "timestamp",
    ),
    "assignment_group": (
        "assignment group", "assigned group", "support group", "resolver group",
        "assigned team", "support team", "group", "team", "zuweisungsgruppe",
        "bearbeitergruppe", "gruppe",
    ),
    "group_path": (
        "group path", "group history", "assignment group history", "assignment path",
        "gruppenverlauf",
    ),
    "resolution": (
        "resolution", "resolution notes", "close notes", "solution", "answer", "lösung",
        "antwort",
    ),
    "article_ids": ("article ids", "articles", "knowledge article", "knowledge articles"),
    "asked_details": ("asked details", "missing details", "nachgefragt", "nachgefragte angaben"),
    "reassignments": ("reassignments", "reassignment count"),
    "reopened": ("reopened", "reopen count", "reopens", "wiedereröffnet"),
    "first_contact": (
        "first contact", "first contact resolution", "first call resolution", "fcr",
        "erstlösung",
    ),
    "csat": ("csat", "satisfaction rating", "satisfaction score", "satisfaction", "zufriedenheit"),
    "resolved_at": (
        "resolved at", "resolved", "resolution date", "resolved date", "resolved time",
        "solved at", "gelöst", "gelöst am", "closed at", "closed", "closed date",
        "closing date", "closed time", "geschlossen", "geschlossen am",
    ),
    "field:caller": (
        "caller", "requester", "requester name", "reporter", "customer", "caller id",
        "requester id", "requested by", "melder", "anforderer", "kunde",
    ),
    "field:channel": (
        "channel", "contact type", "contact channel", "via", "source", "request source", "kanal",
    ),
    "field:site": ("site", "location", "standort"),
}  # fmt: skip
"""What each canonical column is called in exports, the likeliest name first."""

_IN_BRACKETS = re.compile(r"\([^()]*\)")


def column_key(name: str) -> str:
    """Reduce a name to letters and digits, so that "Ticket ID" is "ticket_id"."""
    plain = unicodedata.normalize("NFKD", _IN_BRACKETS.sub("", name)).casefold()
    return "".join(character for character in plain if character.isalnum())


def guess_columns(columns: Sequence[str]) -> dict[str, str]:
    """Guess which column holds what; each column is taken once.

    Returns
    -------
    dict : canonical column (``field:NAME`` and ``target:NAME`` for further ones) -> column found.
        The assignment group becomes a target where there is neither a tier nor a category.
    """
    by_key: dict[str, str] = {}
    for column in columns:
        by_key.setdefault(column_key(column), column)
    found: dict[str, str] = {}
    for canonical, names in SYNONYMS.items():
        keys = (column_key(name) for name in names)
        key = next((key for key in keys if key in by_key), None)
        if key is not None:
            found[canonical] = by_key.pop(key)
    if "assignment_group" in found and not {"tier", "category"} & found.keys():
        found["target:assignment_group"] = found["assignment_group"]
    return found
