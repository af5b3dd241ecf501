"""From tickets to a sparse matrix: hashed n-grams by field, TF-IDF weighted, and form fields."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from triage.ngrams import FIRST_WORD_BUCKET, N_BITS, N_BUCKETS, count_grams
from triage.ticket import Ticket

BLOCKS = ("subject", "description", "whole")
"""Text blocks of the matrix. The last is the sum of the others: nothing is hashed twice."""

FloatArray = npt.NDArray[np.float64]

_FIRST_WORD_OF_WHOLE = (len(BLOCKS) - 1) * N_BUCKETS + FIRST_WORD_BUCKET
_BLOCKS_TO_SCALE = 2 * len(BLOCKS)
# Rows handled together: their arrays stay in the processor's cache.
_PART = 512


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
    n_features_out_ : number of columns, buckets first, then form field values
    """

    buckets_: npt.NDArray[np.int32]
    idf_: npt.NDArray[np.float32]
    values_: npt.NDArray[np.uint64]

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
        self.fit_transform(tickets)
        return self

    def fit_transform(
        self, tickets: Sequence[Ticket], y: object = None, **fit_params: object
    ) -> sp.csr_matrix:
        """Fit, and transform the same tickets, counting their n-grams once."""
        counts = [_count_blocks(part) for part in _parts(tickets)]
        frequency = np.zeros(len(BLOCKS) * N_BUCKETS, dtype=np.int64)
        for part in counts:
            frequency += np.bincount(part.indices, minlength=len(frequency))
        self.buckets_ = np.flatnonzero(frequency >= self.min_df).astype(np.int32)
        idf = np.log((1 + len(tickets)) / (1 + frequency[self.buckets_])) + 1
        self.idf_ = idf.astype(np.float32)
        self.values_ = self._recurring_values(tickets)
        self.__dict__.pop("_column_of", None)
        return self._weigh_parts(counts, tickets)

    def transform(self, tickets: Sequence[Ticket]) -> sp.csr_matrix:
        """Turn tickets into rows.

        Returns
        -------
        csr_matrix of shape (n_tickets, n_features_out_), float32, rows of length one
        """
        check_is_fitted(self, "buckets_")
        return self._weigh_parts((_count_blocks(part) for part in _parts(tickets)), tickets)

    @property
    def n_features_out_(self) -> int:
        return len(self.buckets_) + len(self.values_)

    def analyse(
        self, tickets: Sequence[Ticket], *, as_if_unseen: bool = False
    ) -> tuple[sp.csr_matrix, FloatArray]:
        """Transform tickets, and tell how much of each one's wording the history knows.

        Parameters
        ----------
        as_if_unseen : the tickets are those of the fit; a word counts as known only when it would
            be without the ticket itself

        Returns
        -------
        csr_matrix as of `transform`
        ndarray of shape (n_tickets,) in [0, 1] : share of a ticket's distinct words and word
            pairs that have a column; 0 for a ticket without words
        """
        check_is_fitted(self, "buckets_")
        counts = [_count_blocks(part) for part in _parts(tickets)]
        rarest = np.float32(np.inf)
        if as_if_unseen:
            # The idf of a word of one ticket more than needed: the ticket itself does not count.
            rarest = np.float32(np.log((1 + len(tickets)) / (2 + self.min_df)) + 1)
        familiarity = [self._familiarity(part, rarest) for part in counts]
        return self._weigh_parts(counts, tickets), np.concatenate([*familiarity, np.empty(0)])

    def columns_of(self, buckets: npt.NDArray[np.int64], block: int) -> npt.NDArray[np.int32]:
        """Find the column of n-gram buckets in one of `BLOCKS`; -1 where there is none."""
        return self._column_of[buckets + block * N_BUCKETS]

    def _familiarity(self, counts: sp.csr_matrix, rarest: np.float32) -> FloatArray:
        word_entries = np.flatnonzero(counts.indices >= _FIRST_WORD_OF_WHOLE)
        rows = np.searchsorted(counts.indptr, word_entries, side="right") - 1
        columns = self._column_of[counts.indices[word_entries]]
        known = (columns >= 0) & (self.idf_[columns] <= rarest) if len(self.idf_) else columns >= 0
        total = np.bincount(rows, minlength=counts.shape[0])
        return np.bincount(rows, known, minlength=counts.shape[0]) / np.maximum(total, 1)

    def _weigh_parts(
        self, counts: Iterable[sp.csr_matrix], tickets: Sequence[Ticket]
    ) -> sp.csr_matrix:
        weighed = [
            self._weigh(part, fields) for part, fields in zip(counts, _parts(tickets), strict=True)
        ]
        if not weighed:
            return sp.csr_matrix((0, self.n_features_out_), dtype=np.float32)
        return weighed[0] if len(weighed) == 1 else sp.vstack(weighed, format="csr")

    @cached_property
    def _column_of(self) -> npt.NDArray[np.int32]:
        """Column of each bucket, -1 for the dropped ones; 6 MB, made once."""
        column_of = np.full(len(BLOCKS) * N_BUCKETS, -1, dtype=np.int32)
        column_of[self.buckets_] = np.arange(len(self.buckets_), dtype=np.int32)
        return column_of

    def _weigh(self, counts: sp.csr_matrix, tickets: Sequence[Ticket]) -> sp.csr_matrix:
        columns = self._column_of[counts.indices]
        kept = np.flatnonzero(columns >= 0)
        columns = columns[kept]
        rows = np.repeat(np.arange(len(tickets), dtype=np.int32), np.diff(counts.indptr))[kept]
        values = (1 + np.log(counts.data[kept])) * self.idf_[columns]
        # Rows and columns ascend, so the entries of one row's block lie side by side.
        block_of = (self.buckets_ >> N_BITS).astype(np.int32)
        groups = rows * _BLOCKS_TO_SCALE + block_of[columns]
        starts = np.flatnonzero(np.diff(groups, prepend=-1))
        n_blocks = np.bincount(rows[starts], minlength=len(tickets))

        field_rows, field_columns = self._known_values(tickets)
        n_fields = np.bincount(field_rows, minlength=len(tickets))
        squared_length = n_blocks + self.field_weight**2 * n_fields
        scale = (1 / np.sqrt(np.maximum(squared_length, 1e-12))).astype(np.float32)
        if len(starts):
            lengths = np.sqrt(np.add.reduceat(values * values, starts))
            factors = scale[rows[starts]] / lengths
            values *= np.repeat(factors, np.diff(starts, append=len(values)))
        text = sp.csr_matrix(
            (values, columns, np.searchsorted(rows, np.arange(len(tickets) + 1))),
            shape=(len(tickets), len(self.buckets_)),
        )
        fields = sp.csr_matrix(
            (
                (self.field_weight * scale[field_rows]).astype(np.float32),
                field_columns,
                np.searchsorted(field_rows, np.arange(len(tickets) + 1)),
            ),
            shape=(len(tickets), len(self.values_)),
        )
        return sp.hstack([text, fields], format="csr")

    def _recurring_values(self, tickets: Sequence[Ticket]) -> npt.NDArray[np.uint64]:
        counts: dict[int, int] = {}
        for ticket in tickets:
            for value in self._hashed_values(ticket):
                counts[value] = counts.get(value, 0) + 1
        # In order of appearance, not of the keyed hash: the matrix does not depend on the key.
        recurring = [value for value, count in counts.items() if count >= self.min_df]
        return np.array(recurring, dtype=np.uint64)

    def _known_values(
        self, tickets: Sequence[Ticket]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        column_of = {int(value): column for column, value in enumerate(self.values_)}
        rows, columns = [], []
        for row, ticket in enumerate(tickets):
            for value in self._hashed_values(ticket):
                column = column_of.get(value)
                if column is not None:
                    rows.append(row)
                    columns.append(column)
        return np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64)

    def _hashed_values(self, ticket: Ticket) -> Iterable[int]:
        for name in self.field_names:
            value = ticket.fields.get(name, "").strip()
            if value:
                content = f"{name}\0{value.casefold()}".encode("utf-8", "replace")
                digest = hashlib.blake2b(content, key=self.key, digest_size=8).digest()
                yield int.from_bytes(digest, "big")


def _parts(tickets: Sequence[Ticket]) -> Iterator[Sequence[Ticket]]:
    for begin in range(0, len(tickets), _PART):
        yield tickets[begin : begin + _PART]


def _count_blocks(tickets: Sequence[Ticket]) -> sp.csr_matrix:
    subject = count_grams([ticket.subject for ticket in tickets])
    description = count_grams([ticket.description for ticket in tickets])
    return sp.hstack([subject, description, subject + description], format="csr")
