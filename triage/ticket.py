"""A ticket as the core sees it, and the columns of a canonical history."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

TEXT_COLUMNS = ("subject", "description")
LABEL_COLUMNS = ("tier", "category")

HISTORY_COLUMNS = (
    "id",
    "created_at",
    "subject",
    "description",
    "fields",
    "tier",
    "category",
    "targets",
    "assignment_group",
    "group_path",
    "resolution",
    "article_ids",
    "asked_details",
    "reassignments",
    "reopened",
    "first_contact",
    "csat",
    "resolved_at",
)
"""Columns of the canonical history, one row a ticket; docs/history.md tells what each one means."""

_NO_FIELDS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Ticket:
    """One request as it arrived, before anybody worked on it.

    ``fields`` are further columns of the desk's form (caller, channel, site ...), used as
    categorical features. Everything is text written by strangers: hostile and private.
    """

    subject: str = ""
    description: str = ""
    id: str | None = None
    fields: Mapping[str, str] = field(default_factory=lambda: _NO_FIELDS)
    created_at: datetime | None = None
    requester: str | None = None
    channel: str | None = None
