"""What articles of other systems consist of: a record, its parts, and what these are called."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from training.guess import column_key
from training.tables.rows import LIST_SEPARATOR, text_of

NAMES: dict[str, tuple[str, ...]] = {
    "id": ("id", "number", "article id", "article number", "kb number", "key", "nummer",
           "artikelnummer"),
    "title": ("title", "short description", "name", "subject", "headline", "question", "titel",
              "betreff", "überschrift", "frage", "kurzbeschreibung"),
    "body": ("body", "text", "content", "article body", "html body", "html", "article", "markdown",
             "answer", "solution", "description", "inhalt", "antwort", "lösung", "beschreibung"),
    "wiki": ("wiki",),
    "category": ("kb category", "category", "section", "topic", "categories", "kategorie",
                 "bereich", "thema"),
    "tier": ("tier", "support tier", "support level", "level"),
    "symptoms": ("symptoms", "symptom", "symptome"),
    "applies_to": ("applies to", "label names", "labels", "tags", "keywords", "meta", "products",
                   "gilt für", "stichwörter", "schlagwörter"),
    "required_details": ("required details",),
    "steps": ("steps", "resolution", "procedure", "schritte", "vorgehen", "anleitung"),
    "verify": ("verify", "verification", "prüfung"),
    "escalate_when": ("escalate when", "escalation", "eskalation"),
    "reviewed": ("reviewed", "last reviewed", "edited at", "updated at", "sys updated on",
                 "updated", "last modified", "lastmod", "modified", "geprüft am", "geändert am",
                 "aktualisiert"),
    "valid_to": ("valid to", "expires", "expiry date", "gültig bis"),
    "url": ("html url", "url", "link", "permalink"),
    "locale": ("locale",),
    "state": ("workflow state", "workflow", "status", "state", "zustand"),
    "is_draft": ("draft", "is draft", "entwurf"),
    "is_published": ("published", "is published", "active", "enabled", "veröffentlicht"),
    "is_retired": ("retired", "archived", "outdated", "deleted", "disabled", "archiviert"),
}  # fmt: skip
"""What an article's parts are called in exports, the likeliest name first."""


@dataclass(frozen=True, slots=True)
class Record:
    """One article of a source: where it stands, and its parts by the names of ``NAMES``.

    ``text`` is the whole file where it is an article of our own form. ``problem`` says why there
    is nothing else.
    """

    place: str
    parts: Mapping[str, Any] = field(default_factory=dict)
    text: str | None = None
    problem: str | None = None


def guess_parts(names: Iterable[str]) -> dict[str, str]:
    """Guess which column or entry holds which part; each is taken once."""
    by_key: dict[str, str] = {}
    for name in names:
        by_key.setdefault(column_key(name), name)
    found = {}
    for part, candidates in NAMES.items():
        key = next((key for name in candidates if (key := column_key(name)) in by_key), None)
        if key is not None:
            found[part] = by_key.pop(key)
    return found


def cell_text(value: Any) -> str:
    """Turn a part into one text: a reference by its name, a list by its items."""
    if isinstance(value, dict) and "display_value" in value:
        value = value["display_value"]
    return text_of(value).replace(LIST_SEPARATOR, "\n").strip()
