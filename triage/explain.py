"""Which words of a ticket spoke for a label, exact for the linear model."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from triage.features import TicketFeatures
from triage.meaning import MEANING_TERM
from triage.ngrams import fold, hash_grams
from triage.suggestion import TermWeight
from triage.ticket import Ticket

IndexArray = npt.NDArray[np.int64]

_PUNCTUATION = ".,;:!?()[]{}<>\"'`*_-/\\"


@dataclass(frozen=True, slots=True)
class TermMap:
    """How a ticket's features lie on its words.

    ``terms`` are its distinct words; entry ``i`` says that term ``term_of[i]`` holds the part
    ``share[i]`` of the matrix value in column ``column_of[i]``.
    """

    terms: list[str]
    term_of: IndexArray
    column_of: IndexArray
    share: npt.NDArray[np.float64]


def map_terms(features: TicketFeatures, ticket: Ticket) -> TermMap:
    """Find out which words each column of a ticket's row comes from.

    A bucket that several words share is split between them by count; a word pair is halved.
    """
    terms: dict[str, int] = {}
    term_parts, column_parts, halves = [], [], []
    for block, text in enumerate((ticket.subject, ticket.description)):
        words = fold(text).split()
        if not words:
            continue
        numbers = np.array([terms.setdefault(_bare(word), len(terms)) for word in words])
        folded = " ".join(words).encode("utf-8", "replace")
        grams = hash_grams([folded])
        joined = np.frombuffer(b" " + folded + b" ", dtype=np.uint8)
        word_of_byte = np.cumsum(joined == ord(" ")) - 1
        # A gram may take in the blank before its word, which counts as its word here.
        first = numbers[word_of_byte[grams.starts]]
        last = numbers[np.minimum(word_of_byte[grams.ends - 1], len(words) - 1)]
        last = np.where(joined[grams.ends - 1] == ord(" "), first, last)
        for matrix_block in (block, 2):
            columns = features.columns_of(grams.buckets.astype(np.int64), matrix_block)
            kept = columns >= 0
            for side in (first, last):
                term_parts.append(side[kept])
                column_parts.append(columns[kept])
                halves.append(np.full(int(kept.sum()), 0.5))
    if not term_parts:
        empty = np.empty(0, dtype=np.int64)
        return TermMap([], empty, empty, np.empty(0))
    term_of, column_of = np.concatenate(term_parts), np.concatenate(column_parts).astype(np.int64)
    share = np.concatenate(halves)
    _, column_index = np.unique(column_of, return_inverse=True)
    share = share / np.bincount(column_index, share)[column_index]
    return TermMap(list(terms), term_of, column_of, share)


def weigh_terms(
    terms: TermMap,
    row: sp.csr_matrix,
    contrast: npt.NDArray[np.float32],
    top: int = 8,
    *,
    meaning: sp.csr_matrix | None = None,
) -> list[TermWeight]:
    """Sum what each word adds to the lead of a label over its runner-up.

    Parameters
    ----------
    row : the ticket's row, csr_matrix of shape (1, n_features)
    contrast : float32 array of shape (n_features,), coefficients of the label minus those of
        the runner-up; of a head that reads the meaning of texts, followed by those for the meaning
    meaning : what such a head reads beside the row, csr_matrix of shape (1, DIMENSIONS)

    Returns
    -------
    list of TermWeight, strongest first; negative weights spoke for the runner-up. What the meaning
        adds is one of them, `triage.meaning.MEANING_TERM`: exact, but of no single word
    """
    values = row.data[np.searchsorted(row.indices, terms.column_of)] if row.nnz else np.empty(0)
    parts = values * contrast[terms.column_of] * terms.share
    names = terms.terms
    weights = np.bincount(terms.term_of, parts, minlength=len(names))
    if meaning is not None:
        names = [*names, MEANING_TERM]
        weights = np.append(weights, meaning @ contrast[row.shape[1] :])
    strongest = np.argsort(-np.abs(weights), kind="stable")[:top]
    return [
        TermWeight(names[index], round(float(weights[index]), 4))
        for index in strongest
        if names[index] and weights[index]
    ]


def _bare(word: str) -> str:
    return word.strip(_PUNCTUATION) or word
