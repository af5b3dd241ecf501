"""BM25F: how much of a ticket the fields of each article explain, for a whole batch at once.

Robertson, Zaragoza & Taylor, "Simple BM25 extension to multiple weighted fields", CIKM 2004. Ours
differs in two points. A word that is not found whole is partly found by its pieces of four
letters, which bridges typing errors and German compounds. And the count of a word in a field is
capped while the field's length is not, so that repeating a word only costs.

The constants were chosen on human questions to FAQ articles (625 of StackFAQ's 1,249; on the other
624 the right one of 125 articles comes first for 79%) and on the even half of
tests/triage/knowledge_judgements.toml. Results hardly change near the values below.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from triage.glossary import load_glossary
from triage.words import WORD_LIMIT, fold, pieces, stems, words

T = TypeVar("T", str, int)

FIELD_WEIGHTS = {"title": 1.0, "symptoms": 1.0, "applies_to": 0.3, "body": 1.0}
PIECE_FIELDS = ("title", "symptoms", "applies_to")  # those of a body match nearly everything
SATURATION = 1.0
LENGTH_PENALTY = 0.75
COUNT_CAP = 5
CONCEPT_SHARE = 0.3
"""Of a concept of the glossary, beside the 1 of a word that is found itself."""
MATCH_WEIGHT = 0.05
"""Least weight of a word that is shown as a match: what stray pieces add up to stays below."""

_WORDS_KEPT = 10_000  # words looked up before; tickets use the same few thousand again and again


class BM25Index:
    """The weight of every stem and piece in every document, made once.

    Weights are in units of one decisive word: 1 is what a word found nowhere else would weigh in
    a document that is full of it.
    """

    def __init__(self, documents: Sequence[Mapping[str, str]]) -> None:
        """Index documents, each a text for every name in FIELD_WEIGHTS."""
        vocabulary: dict[str, int] = {}
        counts = {
            field: _count_words([document[field] for document in documents], vocabulary)
            for field in FIELD_WEIGHTS
        }
        self._stems, stem_weights, stem_idf = _weigh(counts, vocabulary, stems)
        piece_rows, piece_weights, piece_idf = _weigh(
            {field: counts[field] for field in PIECE_FIELDS}, vocabulary, pieces
        )
        self._pieces = {piece: row + len(self._stems) for piece, row in piece_rows.items()}
        concept_rows, concept_weights, concept_idf = _weigh_counts(*_count_concepts(documents))
        first = len(self._stems) + len(self._pieces)
        self._concepts = {concept: row + first for concept, row in concept_rows.items()}
        self._weights = sp.vstack(
            [stem_weights, piece_weights, concept_weights], format="csr", dtype=np.float32
        )
        self._by_document = sp.csr_array(self._weights.T)
        self._by_document.sort_indices()
        self._rows_of = lru_cache(_WORDS_KEPT)(self._look_up)
        self._alone = lru_cache(_WORDS_KEPT)(self._query_alone)
        self._idf = np.concatenate([stem_idf, piece_idf, concept_idf])

    def match(self, texts: Sequence[str]) -> tuple[sp.csr_array, npt.NDArray[np.float64]]:
        """Weigh what every document explains of every text, and all there is to explain.

        Returns
        -------
        csr_array of shape (n_texts, n_documents), the weight of the words found in each document,
        and ndarray of shape (n_texts,), that of all words known to any document
        """
        queries = [self._query(words(text), text) for text in texts]
        indptr = np.cumsum([0, *map(len, queries)])
        indices = np.array([row for query in queries for row in query], dtype=np.int32)
        shares = np.array([share for query in queries for share in query.values()], np.float32)
        matrix = sp.csr_array((shares, indices, indptr), shape=(len(texts), len(self._idf)))
        return matrix @ self._weights, matrix @ self._idf

    def matched_words(self, text: str, documents: Sequence[int]) -> list[list[str]]:
        """List for each document the words of the text that it explains, the weightiest first."""
        asked = list(dict.fromkeys(words(text)))
        queries = [self._alone(word[:WORD_LIMIT]) for word in asked]
        found = [pair for query in queries for pair in query]
        rows = np.array([row for row, _ in found], dtype=np.int64)
        shares = np.array([share for _, share in found])
        word_of_row = np.repeat(np.arange(len(asked)), [len(query) for query in queries])
        matched: list[list[str]] = []
        for document in documents:
            cells = slice(*self._by_document.indptr[document : document + 2])
            known, weights = self._by_document.indices[cells], self._by_document.data[cells]
            if not len(known):  # an article of words that say nothing
                matched.append([])
                continue
            at = np.minimum(np.searchsorted(known, rows), len(known) - 1)
            explained = np.where(known[at] == rows, weights[at], 0) * shares
            totals = np.bincount(word_of_row, explained, minlength=len(asked))
            order = np.argsort(-totals, kind="stable")
            matched.append([asked[word] for word in order if totals[word] >= MATCH_WEIGHT])
        return matched

    def _look_up(self, word: str) -> tuple[tuple[int, float], ...]:
        known = [row for stem in stems(word) if (row := self._stems.get(stem)) is not None]
        parts = pieces(word)
        held = [self._pieces[part] for part in parts if part in self._pieces]
        return (
            *((row, 1 / len(known)) for row in known),
            *((row, 1 / len(parts)) for row in held),
        )

    def _query_alone(self, word: str) -> tuple[tuple[int, float], ...]:
        return tuple(self._query([word], word).items())

    def _query(self, query_words: Iterable[str], text: str) -> dict[int, float]:
        """Give rows of the words' stems and pieces with shares, and of the text's concepts.

        The stems' shares of a word sum to 1, and so do its pieces'.
        """
        shares: dict[int, float] = {}
        for word in query_words:
            for row, share in self._rows_of(word[:WORD_LIMIT]):
                if share > shares.get(row, 0.0):
                    shares[row] = share
        for concept in load_glossary().concepts(text):
            if concept in self._concepts:
                shares[self._concepts[concept]] = CONCEPT_SHARE
        return shares


def _count_words(texts: Sequence[str], vocabulary: dict[str, int]) -> sp.csr_array:
    """Count words by text; unknown ones are added to the vocabulary."""
    indices: list[int] = []
    indptr = [0]
    for text in texts:
        indices += [vocabulary.setdefault(fold(word), len(vocabulary)) for word in words(text)]
        indptr.append(len(indices))
    counts = sp.csr_array(
        (np.ones(len(indices)), indices, indptr), shape=(len(texts), len(vocabulary))
    )
    counts.sum_duplicates()
    return counts


def _weigh(
    counts: Mapping[str, sp.csr_array],
    vocabulary: Mapping[str, int],
    split: Callable[[str], list[str]],
) -> tuple[dict[str, int], sp.csr_array, npt.NDArray[np.float64]]:
    """Turn word counts by field into the weights of the words' stems or pieces.

    Returns
    -------
    the row of each term; csr_array of shape (n_terms, n_documents); ndarray (n_terms,), their idf
    """
    terms: dict[str, int] = {}
    pairs = [
        (row, terms.setdefault(term, len(terms)))
        for word, row in vocabulary.items()
        for term in split(word)
    ]
    rows, columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    term_of_word = sp.csr_array(
        (np.ones(len(pairs)), (rows, columns)), shape=(len(vocabulary), len(terms))
    )
    found = {}
    for field, of_words in counts.items():
        of_words.resize(of_words.shape[0], len(vocabulary))
        found[field] = of_words @ term_of_word
    return _weigh_counts(terms, found)


def _count_concepts(
    documents: Sequence[Mapping[str, str]],
) -> tuple[dict[int, int], dict[str, sp.csr_array]]:
    """Count the glossary's concepts by field."""
    glossary = load_glossary()
    found = {
        field: [glossary.concepts(document[field]) for document in documents]
        for field in FIELD_WEIGHTS
    }
    present = sorted(
        {concept for of_field in found.values() for each in of_field for concept in each}
    )
    place = {concept: row for row, concept in enumerate(present)}
    counts = {}
    for field, of_field in found.items():
        indices = [place[concept] for each in of_field for concept in each]
        indptr = np.cumsum([0, *map(len, of_field)])
        counts[field] = sp.csr_array(
            (np.ones(len(indices)), indices, indptr), shape=(len(documents), len(place))
        )
        counts[field].sum_duplicates()
    return place, counts


def _weigh_counts(
    terms: dict[T, int], counts: Mapping[str, sp.csr_array]
) -> tuple[dict[T, int], sp.csr_array, npt.NDArray[np.float64]]:
    """Turn counts of terms by field into weights, see `_weigh`."""
    weights = []
    for field, found in counts.items():
        lengths = np.asarray(found.sum(axis=1)).ravel()
        average = max(lengths.mean(), 1.0) if len(lengths) else 1.0
        norms = 1 - LENGTH_PENALTY + LENGTH_PENALTY * lengths / average
        found.data = np.minimum(found.data, COUNT_CAP)
        weights.append(sp.diags_array(FIELD_WEIGHTS[field] / norms) @ found)
    total = sum(weights[1:], start=weights[0])
    total.data /= SATURATION + total.data
    n_documents = total.shape[0]
    n_containing = np.bincount(total.indices, minlength=len(terms))
    idf = np.log(1 + (n_documents - n_containing + 0.5) / (n_containing + 0.5))
    idf /= np.log(2 * n_documents + 2)  # that of a word in no document
    return terms, sp.csr_array((total @ sp.diags_array(idf)).T), idf
