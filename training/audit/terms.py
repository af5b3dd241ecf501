"""Words and phrases of the texts that give a label away: templates, stamps, names of resolvers."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
from scipy.stats import binom

from training.audit.finding import Finding, Suspect
from training.audit.leaks import MIN_SHARE, MIN_TICKETS, Requesters, Signs, count_signs
from training.audit.scores import IndexArray, LabelArray
from triage.ticket import Ticket

MAX_TICKETS = 20_000
"""Tickets that are looked at, spread evenly: all their phrases are held in memory."""

END_WORDS = 8
"""Last words of a description, where a stamp such as "resolved by NAME" stands."""

MIN_NAMED = 0.9
"""Share of a label's tickets that name it, and of the tickets that name it that have it."""

_LONGEST = 3  # words of a phrase
_MIN_AT_END = 0.98
_CHANCE = 0.01  # that one of all terms at the end seems to tell a label and does not
_ALIKE = 0.9  # Jaccard of the tickets of two terms from which on they are one trace
_MIN_LABEL_LETTERS = 3  # "1" or "HR" stands in many texts for something else
# Numbers are folded together: a pattern such as "sr-0" may tell what no single number does.
_DIGITS = re.compile(r"\d+")
_WORD = re.compile(r"<[a-z]+>|[^\W_]+(?:[-'][^\W_]+)*")
_CODES = {
    "label_name": "the tickets name their label",
    "phrase": "a template, or a word for nothing else",
    "ending": "only at the end of descriptions, as a stamp is",
}

Segments = tuple[list[str], ...]
"""Runs of words of a ticket; no phrase reaches from one into the next."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of some tickets: words, and phrases of two and three, in small letters.

    ``rows`` of shape (n_tickets,) are rows of the history; ``has`` is of shape (n_tickets,
    n_terms), 1 where a ticket has a term; ``is_ending`` marks the terms that stand nowhere but
    among the last words; ``said`` holds each ticket's words, between blanks.
    """

    rows: IndexArray
    names: list[str]
    has: sp.csr_matrix
    is_ending: npt.NDArray[np.bool_]
    said: list[str]


@dataclass(frozen=True, slots=True)
class _Trace:
    """A term that tells a label; ``tickets`` of shape (n_tickets,) marks those that have it."""

    code: str
    term: str
    label: str
    tickets: npt.NDArray[np.bool_]


def read_terms(prepared: Sequence[Ticket], private: Set[str]) -> Terms:
    """Collect the terms that enough tickets have.

    Parameters
    ----------
    prepared : the tickets, cleaned and redacted
    private : personal data found in the history; a term that holds any of it is left out
    """
    count = min(len(prepared), MAX_TICKETS)
    rows = np.linspace(0, len(prepared) - 1, count).astype(np.int64)
    texts = [(_words(prepared[row].subject), _words(prepared[row].description)) for row in rows]
    frequency = Counter(term for text in texts for term in set(_terms(text)))
    secrets = {" ".join(_words(value)) for value in private}
    index = {
        term: place
        for place, term in enumerate(
            term
            for term, tickets in sorted(frequency.items())
            if tickets >= MIN_TICKETS and secrets.isdisjoint(_terms((term.split(),)))
        )
    }
    has = _occurrences(texts, index)
    at_end = _occurrences([(description[-END_WORDS:],) for _, description in texts], index)
    before = _occurrences([(subject, text[:-END_WORDS]) for subject, text in texts], index)
    everywhere, ending, elsewhere = (_column_sums(part) for part in (has, at_end, before))
    is_ending = (ending >= _MIN_AT_END * everywhere) & (elsewhere <= (1 - _MIN_AT_END) * everywhere)
    said = [f" {' '.join(subject + description)} " for subject, description in texts]
    return Terms(rows, list(index), has, is_ending, said)


def find_term_leaks(
    target: str, truth: LabelArray, terms: Terms, asked: Requesters
) -> list[Finding]:
    """Find terms that tell a target's label by themselves.

    Parameters
    ----------
    truth : ndarray of shape (n_tickets,) of the whole history, str or None

    Returns
    -------
    list : findings "label_name" (nearly all tickets of a label name it, and few others),
        "phrase" (tickets with the term have one label, which it covers half of), and "ending" (the
        same at the end of descriptions, of however few of the label). Of terms in the same tickets
        the longest is told; one that may belong to a single person is not.
    """
    labelled = np.flatnonzero(pd.notna(truth[terms.rows]))
    if not len(labelled):
        return []
    rows = terms.rows[labelled]
    has = terms.has[labelled]
    signs = count_signs(has, truth[rows])
    said = [terms.said[place] for place in labelled]
    kept: list[_Trace] = []
    for trace in (*_names(signs, said, truth[rows]), *_tells(signs, terms, has)):
        is_new = not any(
            trace.label == other.label and _jaccard(trace.tickets, other.tickets) >= _ALIKE
            for other in kept
        )
        if is_new and asked.are_many(rows[trace.tickets]):
            kept.append(trace)
    return [_finding(target, truth[rows], rows, trace) for trace in kept]


def _words(text: str) -> list[str]:
    return _WORD.findall(_DIGITS.sub("0", text.lower()))


def _terms(text: Segments) -> Iterator[str]:
    for words in text:
        for length in range(1, _LONGEST + 1):
            for start in range(len(words) - length + 1):
                yield " ".join(words[start : start + length])


def _occurrences(texts: Sequence[Segments], index: dict[str, int]) -> sp.csr_matrix:
    """Build the matrix of shape (n_tickets, n_terms), 1 where a ticket has a term."""
    found = [sorted({index[term] for term in _terms(text) if term in index}) for text in texts]
    starts = np.concatenate([[0], np.cumsum([len(columns) for columns in found])])
    columns = np.concatenate([*map(np.array, found), np.empty(0)]).astype(np.int64)
    return sp.csr_matrix((np.ones(len(columns)), columns, starts), shape=(len(texts), len(index)))


def _column_sums(matrix: sp.csr_matrix) -> npt.NDArray[np.float64]:
    return np.asarray(matrix.sum(axis=0)).ravel()


def _names(signs: Signs, said: Sequence[str], truth: LabelArray) -> Iterator[_Trace]:
    """Find labels whose tickets name them."""
    for label in signs.labels:
        term = " ".join(_words(label))
        if sum(map(str.isalpha, term)) < _MIN_LABEL_LETTERS:
            continue
        tickets = np.array([f" {term} " in text for text in said])
        both = int((tickets & (truth == label)).sum())
        of_label = int((truth == label).sum())
        if both >= max(MIN_TICKETS, MIN_NAMED * tickets.sum(), MIN_NAMED * of_label):
            yield _Trace("label_name", term, label, tickets)


def _tells(signs: Signs, terms: Terms, has: sp.csr_matrix) -> Iterator[_Trace]:
    """Find terms that stand for one label, those of the most tickets and words first."""
    by_chance = binom.sf(signs.counts.max(axis=1) - 1, signs.tickets, signs.base)
    is_stamp = terms.is_ending & (by_chance < _CHANCE / max(int(terms.is_ending.sum()), 1))
    found = np.flatnonzero(signs.is_precise & ((signs.share >= MIN_SHARE) | is_stamp))
    columns = has[:, found].tocsc()
    order = sorted(
        range(len(found)),
        key=lambda place: (-signs.tickets[found[place]], -terms.names[found[place]].count(" ")),
    )
    for place in order:
        sign = found[place]
        tickets = columns[:, [place]].toarray().ravel() > 0
        code = "ending" if terms.is_ending[sign] else "phrase"
        yield _Trace(code, terms.names[sign], signs.labels[signs.label[sign]], tickets)


def _jaccard(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> float:
    return float((first & second).sum() / (first | second).sum())


def _finding(target: str, truth: LabelArray, rows: IndexArray, trace: _Trace) -> Finding:
    own = truth[trace.tickets]
    right = int((own == trace.label).sum())
    return Finding(
        kind="leak",
        code=trace.code,
        sentence=(
            f"{trace.term!r} gives {target} {trace.label} away ({_CODES[trace.code]}): "
            f"{right / len(own):.0%} of {len(own)} tickets with it are {trace.label}, "
            f"{right / (truth == trace.label).sum():.0%} of {trace.label} have it"
        ),
        suspects=tuple(map(Suspect, rows[trace.tickets].tolist())),
        looked_at=len(rows),
        target=target,
        term=trace.term,
        labels=(trace.label,),
    )
