"""A ticket's most telling stems in a few bytes: what tickets are compared by.

A signature needs no model and no vocabulary: stems are hashed, so one that was stored years ago can
be compared with one of today, and the whole text need not be kept in memory.
"""

import re
from functools import lru_cache
from zlib import crc32

import numpy as np
import numpy.typing as npt

from triage.ticket import Ticket
from triage.words import WORD_LIMIT, stems, words

MAX_STEMS = 32
"""Stems of a ticket that are kept; long mails say the same thing many times."""

MAX_WEIGHT = 15

ENTRY = np.dtype([("stem", "<u4"), ("weight", "u1")])
"""A stem's hash, and how much the ticket dwells on it."""

Entries = npt.NDArray[np.void]

# Constants chosen on tickets of one desk and looked at on two others, see docs/similar.md.
_IN_SUBJECT = 3
_IN_DESCRIPTION = 2
_REPEATED = 1
_MAX_REPEATS = 2

_PLACEHOLDER = re.compile(r"<[a-z]{2,8}>")
"""What redaction left; that a ticket names somebody says nothing about its trouble."""

_MAX_CHARS = 8_000
"""Characters of a text that are read; what comes later is a log or a quoted conversation."""


def sign_ticket(ticket: Ticket) -> bytes:
    """Sum up a prepared ticket (`triage.prepare`) in its stems, those it dwells on most.

    Returns
    -------
    bytes, `MAX_STEMS` times `ENTRY` at most, sorted by stem; none for a ticket without words
    """
    weights: dict[int, int] = {}
    for text, weight in (
        (ticket.subject, _IN_SUBJECT),
        (ticket.description, _IN_DESCRIPTION),
    ):
        counts: dict[int, int] = {}
        for stem in _stems_of(text):
            counts[stem] = counts.get(stem, 0) + 1
        for stem, count in counts.items():
            repeats = min(count - 1, _MAX_REPEATS) * _REPEATED
            weights[stem] = weights.get(stem, 0) + weight + repeats
    # A stable sort: of stems that weigh the same, those said first stay.
    kept = sorted(weights, key=lambda stem: -weights[stem])[:MAX_STEMS]
    entries = np.array(
        [(stem, min(weights[stem], MAX_WEIGHT)) for stem in sorted(kept)], dtype=ENTRY
    )
    return entries.tobytes()


def read_signature(signature: bytes) -> Entries:
    """Read what `sign_ticket` wrote: an array of `ENTRY`, sorted by stem."""
    return np.frombuffer(signature, dtype=ENTRY)


def words_by_stem(ticket: Ticket) -> dict[int, str]:
    """Lead from each stem of a prepared ticket to the word that it first stood for."""
    found: dict[int, str] = {}
    for text in (ticket.subject, ticket.description):
        for word in _words_of(text):
            for stem in _hashes(word):
                found.setdefault(stem, word)
    return found


def _stems_of(text: str) -> list[int]:
    return [stem for word in _words_of(text) for stem in _hashes(word)]


def _words_of(text: str) -> list[str]:
    # Cut before they are cached: a text may be one word of thousands of letters.
    readable = _PLACEHOLDER.sub(" ", text[:_MAX_CHARS])
    return [word[:WORD_LIMIT] for word in words(readable)]


@lru_cache(maxsize=10_000)
def _hashes(word: str) -> tuple[int, ...]:
    # Counts, dates and clock times are in every second ticket and no two mean the same by them.
    if word.isdigit() and len(word) < 3:
        return ()
    return tuple(crc32(stem.encode()) for stem in stems(word))
