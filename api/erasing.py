"""Erasing a ticket wherever this desk's own files hold it: the store, and what training keeps."""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from triage.store import Store

_MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class ErasedTicket:
    """What became of a ticket: rows that are gone, by table.

    ``quotes`` counts the answers to other tickets that told of it and do so no more. A False says
    what could not be done now, and is done by erasing the ticket again: ``log_cleared``, something
    kept the database from clearing its log; ``caches_cleared``, the caches of training could not
    be removed.
    """

    suggestions: int
    feedback: int
    outcomes: int
    past_tickets: int
    label_doubts: int
    quotes: int
    log_cleared: bool
    caches_cleared: bool


def erase_ticket(store: Store, models: Path, ticket_id: str) -> ErasedTicket:
    """Erase a ticket, whether or not anything is known of it; it is left out of what comes later.

    Parameters
    ----------
    models : models folder, or a single bundle in it

    Raises
    ------
    StoreError : the database cannot be reached or written to
    """
    erased = store.erasures.erase(ticket_id, datetime.now(UTC))
    return ErasedTicket(
        suggestions=erased.suggestions,
        feedback=erased.feedback,
        outcomes=erased.outcomes,
        past_tickets=erased.past_tickets,
        label_doubts=erased.label_doubts,
        quotes=erased.quotes,
        log_cleared=erased.log_cleared,
        caches_cleared=clear_training_caches(models),
    )


def clear_training_caches(models: Path) -> bool:
    """Remove what training keeps of tickets between two runs; tell whether all of it is gone.

    Nobody can tell which part came of which ticket, and the next training makes it anew. The
    vectors of articles stay: no ticket is in them.
    """
    # Loaded when first needed: it brings the core along, which a start must not wait for.
    from triage.article_vectors import CACHE_FILE

    folder = (models.parent if (models / _MANIFEST).is_file() else models) / "cache"
    try:
        kept = [entry for entry in folder.iterdir() if CACHE_FILE not in entry.name]
    except FileNotFoundError:
        return True
    except OSError:
        return False
    left = [entry for entry in kept if not _remove(entry)]
    return not left


def _remove(entry: Path) -> bool:
    try:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)
    except OSError:
        return False
    return True
