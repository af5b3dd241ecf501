"""From tickets to a sparse matrix: hashed n-grams by field, TF-IDF weighted, and form fields."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from triage.domain import familiarity, word_evidence
from triage.ngrams import (
    FIRST_WORD_BUCKET,
    MARK_SHIFT,
    N_BITS,
    N_BUCKETS,
    chunks,
    count_keys,
    keyed_grams,
    run_lengths,
    run_starts,
)
from triage.ticket import Ticket

BLOCKS = ("subject", "description", "whole")
"""Text blocks of the matrix. The last is the sum of the others: nothing is hashed twice."""

FloatArray = npt.NDArray[np.float64]

_FIRST_WORD_OF_WHOLE = (len(BLOCKS) - 1) * N_BUCKETS + FIRST_WORD_BUCKET

# A key is a row, then the number of a block in two bits, then a bucket.
_ROW_SHIFT = MARK_SHIFT + 2
_CODE_MASK = np.uint32((1 << _ROW_SHIFT) - 1)
_DESCRIPTION = np.uint32(1 << MARK_SHIFT)
_WHOLE = np.uint32(2 << MARK_SHIFT)
_MOST_ROWS = 1 << (32 - _ROW_SHIFT)

# Columns of text: with 42 labels and two bytes each, a bundle stays below 64 MB.
_MOST_BUCKETS = 1 << 19

# 1 + log of a count; counts beyond are rare enough to be computed.
_DAMPED = (1 + np.log(np.maximum(np.arange(1024), 1))).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Counts:
    """The grams of some tickets, in the order of the matrix: row, block, bucket."""

    tickets: Sequence[Ticket]
    keys: npt.NDArray[np.uint32]
    counts: npt.NDArray[np.int32]

    @property
    def codes(self) -> npt.NDArray[np.int64]:
        """Bucket of each gram over all blocks."""
        return (self.keys & _CODE_MASK).astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Some rows of the matrix: columns and values one after the other, and how many a row has."""

    columns: npt.NDArray[np.int32]
    values: npt.NDArray[np.float32]
    sizes: npt.NDArray[np.int64]


class TicketFeatures(TransformerMixin, BaseEstimator):
    """Turn tickets into TF-IDF weighted n-gram counts by field, and indicators of form fields.

    Each block (field x characters or words) has length one on its own before the whole row is
    brought to length one, so that a long description does not drown the subject: 0.838 against
    0.827 tier accuracy on assignment_groups (docs/benchmarks.md).

    Parameters
    ----------
    field_names : names in ``Ticket.fields`` to use as categorical features
    min_df : a bucket, or a field's value, in fewer tickets than this is dropped
    field_weight : length of each form field's indicator, where a text block has 1
    key : secret of the installation; form fields (a caller's name) are kept as keyed hashes only

    Attributes
    ----------
    buckets_ : int32 array, ascending, the n-gram buckets kept, over all blocks
    idf_ : float32 array, the weight of each of them
    values_ : uint64 array, keyed hash of each form field value kept, in column order
    n_tickets_ : number of tickets of the fit
    min_df_ : tickets that a bucket kept was in at least; above ``min_df`` where a long history
        fills more than half a million
    n_features_out_ : number of columns, buckets first, then form field values
    """

    buckets_: npt.NDArray[np.int32]
    idf_: npt.NDArray[np.float32]
    values_: npt.NDArray[np.uint64]
    n_tickets_: int
    min_df_: int

    def __init__(
        self,
        field_names: Sequence[str] = (),
        *,
        min_df: int = 2,
        field_weight: float = 0.7,
        key: bytes = b"",
    ) -> None:
        self.field_names = field_names
        self.min_df = min_df
        self.field_weight = field_weight
        self.key = key

    def fit(self, tickets: Sequence[Ticket], y: object = None) -> Self:
        """Learn which buckets and field values recur, and their weights."""
        return self.fit_parts([tickets])

    def fit_parts(self, parts: Iterable[Sequence[Ticket]]) -> Self:
        """Fit on a history that comes part by part: what its parts are does not matter."""
        counted = (count for part in parts for count in map(_count_blocks, _parts(part)))
        self._fit_counts(counted)
        return self

    def fit_transform(
        self, tickets: Sequence[Ticket], y: object = None, **fit_params: object
    ) -> sp.csr_matrix:
        """Fit, and transform the same tickets, counting their n-grams once."""
        counts = [_count_blocks(part) for part in _parts(tickets)]
        self._fit_counts(counts)
        return self._weigh_parts(counts)

    def _fit_counts(self, parts: Iterable[_Counts]) -> None:
        frequency = np.zeros(len(BLOCKS) * N_BUCKETS, dtype=np.int64)
        values: Counter[int] = Counter()
        hash_of = cache(self._hash)
        self.n_tickets_ = 0
        for part in parts:
            np.add.at(frequency, part.codes, 1)
            values.update(
                hash_of(name, value)
                for ticket in part.tickets
                for name, value in self._values(ticket)
            )
            self.n_tickets_ += len(part.tickets)
        # In order of appearance, not of the keyed hash: the matrix does not depend on the key.
        recurring = [value for value, count in values.items() if count >= self.min_df]
        self.values_ = np.array(recurring, dtype=np.uint64)
        self.min_df_ = least_frequency(frequency, self.min_df)
        self.buckets_ = np.flatnonzero(frequency >= self.min_df_).astype(np.int32)
        idf = np.log((1 + self.n_tickets_) / (1 + frequency[self.buckets_])) + 1
        self.idf_ = idf.astype(np.float32)
        for made_once in ("_column_of", "_column_of_value", "_evidence"):
            self.__dict__.pop(made_once, None)

    def transform(self, tickets: Sequence[Ticket]) -> sp.csr_matrix:
        """Turn tickets into rows.

        Returns
        -------
        csr_matrix of shape (n_tickets, n_features_out_), float32, rows of length one
        """
        check_is_fitted(self, "buckets_")
        return self._weigh_parts(_count_blocks(part) for part in _parts(tickets))

    @property
    def n_features_out_(self) -> int:
        return len(self.buckets_) + len(self.values_)

    def analyse(
        self, tickets: Sequence[Ticket], *, as_if_unseen: bool = False
    ) -> tuple[sp.csr_matrix, FloatArray]:
        """Transform tickets, and tell how much of each one's wording the history knows.

        Parameters
        ----------
        as_if_unseen : the tickets are of those of the fit; none counts for its own words

        Returns
        -------
        csr_matrix as of `transform`
        ndarray of shape (n_tickets,) : see `triage.domain.familiarity`
        """
        check_is_fitted(self, "buckets_")
        evidence = self._evidence_of_others() if as_if_unseen else self._evidence
        return self.transform(tickets), familiarity(tickets, evidence)

    def columns_of(
        self, buckets: npt.NDArray[np.int64], block: int | npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int32]:
        """Find the column of n-gram buckets in one of `BLOCKS`, or one each; -1: there is none."""
        return self._column_of.take(buckets + block * N_BUCKETS)

    @cached_property
    def _evidence(self) -> FloatArray:
        """What each word speaks for, 2 MB, made once."""
        return word_evidence(self._frequency_of_words(), self.n_tickets_)

    def _evidence_of_others(self) -> FloatArray:
        """What each word of a ticket of the fit would speak for without that ticket."""
        frequency = self._frequency_of_words() - 1
        frequency[frequency < self.min_df_] = 0
        return word_evidence(frequency, self.n_tickets_)

    def _frequency_of_words(self) -> FloatArray:
        """Count the tickets of the fit with each word, 0 for the dropped ones."""
        columns = self._column_of[_FIRST_WORD_OF_WHOLE:]
        kept = columns >= 0
        frequency = np.zeros(len(columns))
        idf = self.idf_.take(columns[kept]).astype(np.float64)
        frequency[kept] = np.rint((1 + self.n_tickets_) / np.exp(idf - 1)) - 1
        return frequency

    def _weigh_parts(self, parts: Iterable[_Counts]) -> sp.csr_matrix:
        # The same callers and sites come again and again: each is hashed once.
        column_of = cache(lambda name, value: self._column_of_value.get(self._hash(name, value)))
        rows = [self._weigh(part, self._known_values(part.tickets, column_of)) for part in parts]
        if not rows:
            return sp.csr_matrix((0, self.n_features_out_), dtype=np.float32)
        indptr = np.concatenate([np.zeros(1, dtype=np.int64), *(part.sizes for part in rows)])
        return sp.csr_matrix(
            (
                np.concatenate([part.values for part in rows]),
                np.concatenate([part.columns for part in rows]),
                np.cumsum(indptr),
            ),
            shape=(len(indptr) - 1, self.n_features_out_),
        )

    @cached_property
    def _column_of(self) -> npt.NDArray[np.int32]:
        """Column of each bucket, -1 for the dropped ones; 6 MB, made once."""
        column_of = np.full(len(BLOCKS) * N_BUCKETS, -1, dtype=np.int32)
        column_of[self.buckets_] = np.arange(len(self.buckets_), dtype=np.int32)
        return column_of

    @cached_property
    def _column_of_value(self) -> dict[int, int]:
        """Column of each form field value, by its keyed hash."""
        return {
            int(value): column
            for column, value in enumerate(self.values_, start=len(self.buckets_))
        }

    def _weigh(
        self, part: _Counts, known: tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]
    ) -> _Rows:
        columns = self._column_of.take(part.codes)
        kept = columns >= 0
        columns, keys = columns.compress(kept), part.keys.compress(kept)
        values = _damped(part.counts.compress(kept))
        values *= self.idf_.take(columns)
        # The entries of one row's block, characters or words, lie side by side.
        groups = keys >> np.uint32(N_BITS)
        starts = run_starts(groups)
        sizes = run_lengths(starts, len(groups))
        rows = groups.take(starts) >> np.uint32(_ROW_SHIFT - N_BITS)
        n_blocks = np.bincount(rows, minlength=len(part.tickets))

        field_rows, field_columns = known
        n_fields = np.bincount(field_rows, minlength=len(part.tickets))
        squared_length = n_blocks + self.field_weight**2 * n_fields
        scale = (1 / np.sqrt(np.maximum(squared_length, 1e-12))).astype(np.float32)
        if len(starts):
            lengths = np.sqrt(np.add.reduceat(values * values, starts))
            values *= np.repeat(scale.take(rows) / lengths, sizes)
        n_grams = np.bincount(rows, sizes, minlength=len(part.tickets)).astype(np.int64)
        if len(field_rows):
            places = np.cumsum(n_grams).take(field_rows)
            columns = np.insert(columns, places, field_columns)
            values = np.insert(values, places, self.field_weight * scale.take(field_rows))
        return _Rows(columns, values, n_grams + n_fields)

    def _known_values(
        self, tickets: Sequence[Ticket], column_of: Callable[[str, str], int | None]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Find the form field values that have a column: row and column of each."""
        rows, columns = [], []
        for row, ticket in enumerate(tickets if self.field_names else ()):
            for name, value in self._values(ticket):
                column = column_of(name, value)
                if column is not None:
                    rows.append(row)
                    columns.append(column)
        return np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int32)

    def _values(self, ticket: Ticket) -> Iterator[tuple[str, str]]:
        for name in self.field_names:
            value = ticket.fields.get(name, "").strip()
            if value:
                yield name, value

    def _hash(self, name: str, value: str) -> int:
        content = f"{name}\0{value.casefold()}".encode("utf-8", "replace")
        digest = hashlib.blake2b(content, key=self.key, digest_size=8).digest()
        return int.from_bytes(digest, "big")


def _parts(tickets: Sequence[Ticket]) -> Iterator[Sequence[Ticket]]:
    sizes = [len(ticket.subject) + len(ticket.description) for ticket in tickets]
    return (tickets[chunk] for chunk in chunks(sizes, _MOST_ROWS))


def _count_blocks(tickets: Sequence[Ticket]) -> _Counts:
    rows = np.arange(len(tickets), dtype=np.uint32) << np.uint32(_ROW_SHIFT)
    keys = keyed_grams(
        [text for ticket in tickets for text in (ticket.subject, ticket.description)],
        np.column_stack([rows, rows | _DESCRIPTION]).ravel(),
    )
    whole = (keys & ~_DESCRIPTION) | _WHOLE
    return _Counts(tickets, *count_keys(np.concatenate([keys, whole])))


def least_frequency(frequency: npt.NDArray[np.int64], least: int) -> int:
    """Raise the frequency a bucket needs until not too many have it."""
    kept = np.sort(frequency[frequency >= least])[::-1]
    return int(kept[_MOST_BUCKETS]) + 1 if len(kept) > _MOST_BUCKETS else least


def _damped(counts: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
    """Compute 1 + log of counts."""
    damped = _DAMPED.take(counts, mode="clip")
    if counts.max(initial=0) >= len(_DAMPED):
        damped = (1 + np.log(counts)).astype(np.float32)
    return damped
