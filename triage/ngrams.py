"""Character and word n-grams of many texts at once, hashed into buckets with numpy.

The bytes of a whole batch are hashed together: a polynomial hash per n-gram length, grams that
cross a word or a ticket masked out, the rest sorted and counted. No vocabulary is kept, so nothing
personal is stored and counts of parts of a history simply add up. Several times as fast as
scikit-learn's pair of word and character TfidfVectorizers (docs/benchmarks.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

CHAR_LENGTHS = (2, 3, 4, 5)
WORD_LENGTHS = (1, 2)
N_BITS = 18
"""Buckets per kind of gram: 2^18. 100,000 real tickets fill about 160,000 over all blocks."""

N_BUCKETS = 2 << N_BITS
"""Columns of a count matrix: the character buckets first, then those of the words."""

FIRST_WORD_BUCKET = 1 << N_BITS

_MULTIPLIER = np.uint32(0x01000193)
_MIX = np.uint32(0x9E3779B1)
_PAIR = np.uint32(0x85EBCA6B)
_SPACE = 32
# Several hundred kB of text at a time keep every intermediate array in the processor's cache.
_CHUNK_BYTES = 1 << 18


def _tables() -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.uint32]]:
    is_word = np.zeros(256, dtype=bool)
    for code in b"0123456789abcdefghijklmnopqrstuvwxyz_":
        is_word[code] = True
    is_word[0x80:] = True  # every byte of a letter outside ASCII
    powers = np.empty(64, dtype=np.uint32)
    power = 1
    for position in range(64):
        powers[position] = power
        power = power * int(_MULTIPLIER) & 0xFFFFFFFF
    return is_word, powers


_IS_WORD, _POWERS = _tables()


@dataclass(frozen=True, slots=True)
class Grams:
    """Every gram of a batch: its row, its bucket, and where its bytes lie in the joined text."""

    rows: npt.NDArray[np.int32]
    buckets: npt.NDArray[np.uint32]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]


def fold(text: str) -> str:
    """Bring a text into the form that is hashed: lower case, one space between words."""
    return " ".join(text.lower().split())


def hash_grams(folded: Sequence[bytes]) -> Grams:
    """Hash every character and word n-gram of folded texts (UTF-8, see `fold`).

    Byte positions in the result refer to ``b" " + b"  ".join(folded) + b" "``.
    """
    joined = np.frombuffer(b" " + b"  ".join(folded) + b" ", dtype=np.uint8)
    lengths = np.fromiter((len(text) + 2 for text in folded), dtype=np.int64, count=len(folded))
    row_of_byte = np.repeat(np.arange(len(folded), dtype=np.int32), lengths)
    parts = [*_character_grams(joined), *_word_grams(joined, row_of_byte)]
    starts = np.concatenate([part[0] for part in parts])
    ends = np.concatenate([part[1] for part in parts])
    buckets = np.concatenate([part[2] for part in parts])
    return Grams(row_of_byte[starts], buckets, starts, ends)


_Part = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.uint32]]


def _character_grams(joined: npt.NDArray[np.uint8]) -> list[_Part]:
    parts = []
    wide = joined.astype(np.uint32)
    solid = joined != _SPACE
    hashes = wide
    valid = np.ones(len(joined), dtype=bool)
    for length in range(2, CHAR_LENGTHS[-1] + 1):
        if len(joined) < length:
            break
        hashes = hashes[:-1] * _MULTIPLIER + wide[length - 1 :]
        # A gram may begin or end with the blank beside a word, but holds none inside.
        valid = solid[:-1] | solid[1:] if length == 2 else valid[:-1] & solid[length - 2 : -1]
        starts = np.flatnonzero(valid)
        buckets = (hashes[starts] * _MIX) >> np.uint32(32 - N_BITS)
        parts.append((starts, starts + length, buckets))
    return parts


def _word_grams(joined: npt.NDArray[np.uint8], row_of_byte: npt.NDArray[np.int32]) -> list[_Part]:
    in_word = _IS_WORD[joined]
    edges = np.flatnonzero(in_word[1:] != in_word[:-1]) + 1  # the joined text begins with a blank
    starts, ends = edges[0::2], edges[1::2]
    if not len(starts):
        return []
    inside = np.flatnonzero(in_word)
    offsets = np.concatenate(([0], np.cumsum(ends - starts)[:-1]))
    position = inside - np.repeat(starts, ends - starts)
    terms = (joined[inside].astype(np.uint32) + np.uint32(1)) * _POWERS[position & 63]
    words = np.add.reduceat(terms, offsets, dtype=np.uint32)
    parts = [(starts, ends, _word_buckets(words))]
    rows = row_of_byte[starts]
    adjacent = np.flatnonzero(rows[1:] == rows[:-1])
    pairs = words[adjacent] * _PAIR + words[adjacent + 1]
    parts.append((starts[adjacent], ends[adjacent + 1], _word_buckets(pairs)))
    return parts


def _word_buckets(hashes: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    return ((hashes * _MIX) >> np.uint32(32 - N_BITS)) | np.uint32(FIRST_WORD_BUCKET)


def count_grams(texts: Sequence[str]) -> sp.csr_matrix:
    """Count the n-grams of texts.

    Returns
    -------
    csr_matrix of shape (n_texts, N_BUCKETS), float32, indices sorted within a row
    """
    folded = [fold(text).encode("utf-8", "replace") for text in texts]
    indices, counts, lengths = [], [], []
    begin = 0
    while begin < len(folded):
        end, size = begin, 0
        while end < len(folded) and (size == 0 or size + len(folded[end]) <= _CHUNK_BYTES):
            size += len(folded[end]) + 2
            end += 1
        grams = hash_grams(folded[begin:end])
        keys = (grams.rows.astype(np.int64) << (N_BITS + 1)) | grams.buckets
        keys.sort()
        first = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))[: len(keys)]
        unique = keys[first]
        indices.append((unique & (N_BUCKETS - 1)).astype(np.int32))
        counts.append(np.diff(first, append=len(keys)).astype(np.float32))
        lengths.append(np.bincount(unique >> (N_BITS + 1), minlength=end - begin))
        begin = end
    if not folded:
        return sp.csr_matrix((0, N_BUCKETS), dtype=np.float32)
    indptr = np.concatenate(([0], np.cumsum(np.concatenate(lengths))))
    return sp.csr_matrix(
        (np.concatenate(counts), np.concatenate(indices), indptr), shape=(len(folded), N_BUCKETS)
    )
