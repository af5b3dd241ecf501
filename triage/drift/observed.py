"""What drift looks at in tickets: hashed words, language, length, wording, fields, predictions."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from triage.domain import languages
from triage.ngrams import MARK_SHIFT, chunks, keyed_words
from triage.ticket import Ticket

FloatArray = npt.NDArray[np.float64]

N_BUCKETS = 4096
"""Buckets of words. With a few hundred, each holds so many that a new name is lost among them."""

N_FIELD_BUCKETS = 32

FIELD = "field:"
"""How the names of form fields begin among those of signals."""

# What UTF-8 looks like when it was read as another encoding, after our own cleaning: an A with a
# tilde or circumflex in the midst of small letters or before a symbol; the replacement character;
# a question mark within a word, of no address.
_BROKEN = re.compile(
    "\N{REPLACEMENT CHARACTER}|[a-z][ÃÂ]|[ÃÂ][^\\sA-Za-zÀ-ÿ]|â€|ï¿"
    "|[a-zà-ÿ]\\?[a-zà-ÿ]++(?![\\w.-]*+=)"
)


@dataclass(frozen=True, slots=True)
class Observed:
    """Tickets as drift sees them, in the order they came in.

    ``words`` of shape (n_tickets, `N_BUCKETS`) marks the hashed words of each. ``values`` holds for
    each signal one value a ticket: text for what has names, numbers for what has sizes; None or NaN
    where it is not known.
    """

    words: npt.NDArray[np.bool_]
    values: Mapping[str, npt.NDArray[np.object_] | FloatArray]


def observe(
    tickets: Sequence[Ticket],
    familiarity: FloatArray,
    predicted: Mapping[str, npt.NDArray[np.object_] | FloatArray],
    *,
    field_names: Sequence[str] = (),
    key: bytes = b"",
) -> Observed:
    """Look at prepared tickets.

    Parameters
    ----------
    tickets : in the order they came in
    familiarity : of each, see `triage.features.TicketFeatures.analyse`
    predicted : what was made of them: values of further signals
    field_names : form fields to look at; their values are kept as keyed hashes only
    key : secret of the installation
    """
    texts = [f"{ticket.subject}\n{ticket.description}" for ticket in tickets]
    values: dict[str, npt.NDArray[np.object_] | FloatArray] = {
        "language": np.array(languages(tickets), dtype=object),
        "length": np.array([len(text) for text in texts], dtype=np.float64),
        "familiarity": familiarity,
        "encoding": np.array(
            ["broken" if _BROKEN.search(text) else "sound" for text in texts], dtype=object
        ),
    }
    for name in field_names:
        values[FIELD + name] = np.array(
            [_field_bucket(name, ticket.fields.get(name, ""), key) for ticket in tickets],
            dtype=np.float64,
        )
    return Observed(_words(texts), {**values, **predicted})


def _words(texts: Sequence[str]) -> npt.NDArray[np.bool_]:
    found = np.zeros((len(texts), N_BUCKETS), dtype=bool)
    for chunk in chunks([len(text) for text in texts], 1 << (31 - MARK_SHIFT)):
        part = found[chunk]
        words, _, _ = keyed_words(
            texts[chunk], np.arange(len(part), dtype=np.uint32) << np.uint32(MARK_SHIFT)
        )
        part[words >> np.uint32(MARK_SHIFT), words & np.uint32(N_BUCKETS - 1)] = True
    return found


def _field_bucket(name: str, value: str, key: bytes) -> int:
    content = f"drift\0{name}\0{value.strip().casefold()}".encode("utf-8", "replace")
    digest = hashlib.blake2b(content, key=key, digest_size=4).digest()
    return int.from_bytes(digest, "big") % N_FIELD_BUCKETS
