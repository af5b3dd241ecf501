"""The most telling terms of each label: words that speak for it, in the words of the tickets."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from training.audit.leaks import requesters
from training.tickets import iter_tickets
from triage.model import TriageModel
from triage.prepare import prepare
from triage.ticket import Ticket

MIN_TICKETS = 5
"""Tickets a term must be in before it is shown."""

MIN_REQUESTERS = 3
"""Requesters whose tickets a term must be in, where the history tells who asked."""

MAX_TICKETS = 20_000
"""Tickets whose words are looked at, spread evenly: all of them are held in memory."""

_TOP = 10
# Placeholders of redaction are one word; a number in a word would be a device's or a ticket's.
_WORD = re.compile(r"<[a-z_]+>|[^\W\d_]+(?:[-'][^\W\d_]+)*")
_MIN_LETTERS = 2


@dataclass(frozen=True, slots=True)
class Term:
    """A word: what it adds to a label's lead by itself, and how many tickets have it."""

    term: str
    weight: float
    n: int


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words that may be shown, and which of the tickets looked at have them.

    ``rows`` of shape (n_tickets,) are rows of the history; ``has`` is of shape (n_tickets,
    n_words); ``is_by_requester`` tells whether who asked could be looked at.
    """

    words: list[str]
    rows: npt.NDArray[np.int64]
    has: sp.csr_matrix
    is_by_requester: bool


def read_vocabulary(frame: pd.DataFrame) -> Vocabulary:
    """Collect the words of redacted texts that are no single ticket's and no single person's."""
    rows = np.unique(np.linspace(0, len(frame) - 1, min(len(frame), MAX_TICKETS)).astype(np.int64))
    number_of: dict[str, int] = {}
    indptr, indices = [0], []
    for ticket in iter_tickets(frame.iloc[rows]):
        cleaned = prepare(ticket)
        found = set(_WORD.findall(f"{cleaned.subject}\n{cleaned.description}".lower()))
        indices += [
            number_of.setdefault(word, len(number_of))
            for word in sorted(found)
            if len(word) >= _MIN_LETTERS
        ]
        indptr.append(len(indices))
    has = sp.csr_matrix(
        (np.ones(len(indices), np.float32), indices, indptr), shape=(len(rows), len(number_of))
    )
    asked = requesters(frame).names
    kept = np.flatnonzero(
        (np.bincount(indices, minlength=len(number_of)) >= MIN_TICKETS)
        & (_count_requesters(has, None if asked is None else asked[rows]) >= MIN_REQUESTERS)
    )
    words = list(number_of)
    return Vocabulary([words[i] for i in kept], rows, has[:, kept], asked is not None)


def telling_terms(
    model: TriageModel,
    vocabulary: Vocabulary,
    truths: Mapping[str, npt.NDArray[np.object_]],
) -> dict[str, dict[str, list[Term]]]:
    """Find the words that speak most for each label of each target.

    A word's weight is the sum over its letter sequences of what each adds to the label's lead over
    the mean of the labels: exactly the score of a ticket of this one word. Words are ranked by
    weight times the square root of the label's tickets that have them: by weight alone rare words
    come first, by the sum over the tickets words like "the".

    Parameters
    ----------
    truths : target -> the history's labels, None where a ticket has none
    """
    if not vocabulary.words:
        return {target: {} for target in model.heads}
    rows = model.features.transform([Ticket(description=word) for word in vocabulary.words])
    found: dict[str, dict[str, list[Term]]] = {}
    for target, head in model.heads.items():
        # A word by itself: what a text means as a whole is left out.
        scores = rows @ head.classifier.coef_[: rows.shape[1]]
        weights = scores - scores.mean(axis=1, keepdims=True)
        truth = truths[target][vocabulary.rows]
        found[target] = {
            label: _top(vocabulary, weights[:, index], truth == label)
            for index, label in enumerate(head.labels)
        }
    return found


def _top(
    vocabulary: Vocabulary, weights: npt.NDArray[np.float32], own: npt.NDArray[np.bool_]
) -> list[Term]:
    tickets = np.asarray(vocabulary.has[np.flatnonzero(own)].sum(axis=0)).ravel()
    rank = weights * np.sqrt(tickets)
    order = np.argsort(-rank, kind="stable")[:_TOP]
    return [
        Term(vocabulary.words[index], float(weights[index]), int(tickets[index]))
        for index in order
        if rank[index] > 0
    ]


def _count_requesters(
    has: sp.csr_matrix, names: Sequence[object] | npt.NDArray[np.object_] | None
) -> npt.NDArray[np.int64]:
    """Count who used each word; without names, everybody is taken for somebody else."""
    if names is None:
        return np.full(has.shape[1], MIN_REQUESTERS)
    person = pd.factorize(np.asarray(names, dtype=object), use_na_sentinel=True)[0]
    known = np.flatnonzero(person >= 0)
    asks = sp.csr_matrix(
        (np.ones(len(known), np.float32), (person[known], known)),
        shape=(int(person.max(initial=-1)) + 1, has.shape[0]),
    )
    return np.asarray((asks @ has > 0).sum(axis=0), dtype=np.int64).ravel()
