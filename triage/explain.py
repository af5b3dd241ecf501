"""Which words of a ticket spoke for a label, exact for the linear model."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from triage.features import BLOCKS, TicketFeatures
from triage.meaning import MEANING_TERM
from triage.ngrams import fold, hash_grams
from triage.suggestion import TermWeight
from triage.ticket import Ticket

IndexArray = npt.NDArray[np.int64]

_PUNCTUATION = ".,;:!?()[]{}<>\"'`*_-/\\"
_BLANK = ord(" ")


@dataclass(frozen=True, slots=True)
class TermMap:
    """How the values of a ticket's row lie on its words.

    ``terms`` are its distinct words. Gram ``i`` of the text begins in term ``first[i]``, ends in
    term ``last[i]`` and counts in the row's values ``places[:, i]``: one for its own field, one for
    the whole text, or one past the last value where the model has dropped it. ``counts`` tells of
    how many grams each value is made.
    """

    terms: list[str]
    first: IndexArray
    last: IndexArray
    places: IndexArray
    counts: IndexArray


def map_terms(features: TicketFeatures, ticket: Ticket, columns: npt.NDArray[np.int32]) -> TermMap:
    """Find out which words each value of a ticket's row comes from.

    Parameters
    ----------
    columns : of the values that the features make of the ticket, ascending
    """
    n_values = len(columns)
    terms: dict[str, int] = {}
    numbers: list[int] = []
    blocks, texts = [], []
    for block, text in enumerate((ticket.subject, ticket.description)):
        if words := fold(text).split():
            # Two blanks follow a text; the second one's place among the words stays unused.
            numbers += [*(terms.setdefault(bare(word), len(terms)) for word in words), 0]
            blocks.append(block)
            texts.append(" ".join(words).encode("utf-8", "replace"))
    if not texts:
        none = np.empty(0, dtype=np.int64)
        return TermMap([], none, none, np.empty((2, 0), np.int64), np.zeros(n_values + 1, np.int64))
    grams = hash_grams(texts)
    joined = np.frombuffer(b" " + b"  ".join(texts) + b" ", dtype=np.uint8)
    is_blank = joined == _BLANK
    term_of_byte = np.array(numbers).take(np.cumsum(is_blank) - 1)
    # A gram may take in the blank before its word, which counts as its word here.
    first = term_of_byte.take(grams.starts)
    last = np.where(is_blank.take(grams.ends - 1), first, term_of_byte.take(grams.ends - 1))
    buckets = grams.buckets.astype(np.int64)
    own = features.columns_of(buckets, np.array(blocks).take(grams.rows))
    whole = features.columns_of(buckets, len(BLOCKS) - 1)
    place_of_column = np.empty(features.n_features_out_ + 1, dtype=np.int64)
    place_of_column[columns] = np.arange(n_values)
    place_of_column[-1] = n_values  # the column of what was dropped is -1
    places = place_of_column[np.stack([own, whole])]
    return TermMap(
        list(terms), first, last, places, np.bincount(places.ravel(), minlength=n_values + 1)
    )


def weigh_terms(
    terms: TermMap, added: npt.NDArray[np.float32], top: int = 8, *, by_meaning: float | None = None
) -> list[TermWeight]:
    """Sum what each word adds to the lead of a label over its runner-up.

    What a value adds is split between the words that it comes from by how often they have it; of a
    pair of words, each gets a half.

    Parameters
    ----------
    added : array of shape (n_values,), what each value of the ticket's row adds
    by_meaning : what the meaning of the text adds where the model reads it

    Returns
    -------
    list of TermWeight, strongest first; negative weights spoke for the runner-up. What the meaning
        adds is one of them, `triage.meaning.MEANING_TERM`: exact, but of no single word
    """
    a_gram = np.append(added, 0.0) / np.maximum(terms.counts, 1)
    halves = a_gram.take(terms.places).sum(axis=0) / 2
    names = terms.terms
    weights = np.bincount(terms.first, halves, len(names))
    weights += np.bincount(terms.last, halves, len(names))
    if by_meaning is not None:
        names = [*names, MEANING_TERM]
        weights = np.append(weights, by_meaning)
    strongest = np.argsort(-np.abs(weights), kind="stable")[:top]
    return [
        TermWeight(names[index], round(float(weights[index]), 4))
        for index in strongest
        if names[index] and weights[index]
    ]


def bare(word: str) -> str:
    """Take the punctuation off a word, unless that is all there is of it."""
    return word.strip(_PUNCTUATION) or word
