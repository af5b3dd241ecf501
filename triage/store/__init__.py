"""The store: API keys and given suggestions, in SQLite or PostgreSQL, through SQLAlchemy.

Used by the API and the command line, never by the core.
"""

from triage.store.articles import ArticleDraft, ArticleDrafts
from triage.store.database import StoreError
from triage.store.migrate import upgrade
from triage.store.past_tickets import AnsweredTicket, PastTicket, PastTickets, SignedTicket
from triage.store.records import SCOPES, ApiKeyInfo, StoredSuggestion
from triage.store.repository import Store, open_store

__all__ = [
    "SCOPES",
    "AnsweredTicket",
    "ApiKeyInfo",
    "ArticleDraft",
    "ArticleDrafts",
    "PastTicket",
    "PastTickets",
    "SignedTicket",
    "Store",
    "StoreError",
    "StoredSuggestion",
    "open_store",
    "upgrade",
]
