"""The store: suggestions, what people made of them, and how tickets ended; SQLite or PostgreSQL.

Used by the API and the command line, never by the core.
"""

from triage.store.articles import ArticleDraft, ArticleDrafts
from triage.store.database import StoreError
from triage.store.erasure import Erased, Erasures
from triage.store.feedback import Feedback, FeedbackLog, Verdict
from triage.store.label_doubts import DoubtDecided, LabelDoubt, LabelDoubts
from triage.store.maintenance import Backup, Health, back_up, check_database
from triage.store.migrate import upgrade
from triage.store.outcomes import Outcome, Outcomes
from triage.store.past_tickets import AnsweredTicket, PastTicket, PastTickets, SignedTicket
from triage.store.records import SCOPES, ApiKeyInfo, StoredSuggestion
from triage.store.repository import Store, open_store
from triage.store.reviews import AlreadyDecided, Review, ReviewFilter, Reviews
from triage.store.sessions import Sessions

__all__ = [
    "SCOPES",
    "AlreadyDecided",
    "AnsweredTicket",
    "ApiKeyInfo",
    "ArticleDraft",
    "ArticleDrafts",
    "Backup",
    "DoubtDecided",
    "Erased",
    "Erasures",
    "Feedback",
    "FeedbackLog",
    "Health",
    "LabelDoubt",
    "LabelDoubts",
    "Outcome",
    "Outcomes",
    "PastTicket",
    "PastTickets",
    "Review",
    "ReviewFilter",
    "Reviews",
    "Sessions",
    "SignedTicket",
    "Store",
    "StoreError",
    "StoredSuggestion",
    "Verdict",
    "back_up",
    "check_database",
    "open_store",
    "upgrade",
]
