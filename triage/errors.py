"""The errors this project raises for people to read.

TriageError            something the caller can put right: one clear line, no traceback
├── HistoryError       a ticket history that cannot be read or learned from
├── BundleError        a model bundle that is damaged, unsigned or not trusted
├── KnowledgeError     a knowledge base that cannot be read
├── ConfigurationError a setting, taxonomy or mapping that makes no sense
└── StoreError         a database that cannot be used (in triage.store, with its messages)

A message says what was found, where, what is allowed and what to do next. It never holds ticket
text, a key, or a path outside what the caller named.
"""


class TriageError(Exception):
    """Something the caller can put right, told in one line."""


class HistoryError(TriageError):
    """A ticket history cannot be read or learned from."""


class BundleError(TriageError):
    """A model bundle is damaged, unsigned, or signed by somebody unknown."""


class KnowledgeError(TriageError):
    """A knowledge base cannot be read."""


class ConfigurationError(TriageError):
    """A setting, a taxonomy or a mapping makes no sense."""
