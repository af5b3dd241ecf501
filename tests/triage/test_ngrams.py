"""Hashed n-grams: the fast counts are those of a slow and obvious definition."""

import itertools
import re
from collections import Counter

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from triage.ngrams import (
    FIRST_WORD_BUCKET,
    MARK_SHIFT,
    N_BUCKETS,
    chunks,
    count_grams,
    fold,
    hash_grams,
    keyed_words,
)

WORD_BITS = 2**32 - 1
CHUNK_BYTES = 2**15

# Words, blanks of several kinds, punctuation, letters outside ASCII, and anything else at all.
CHARACTERS = st.one_of(
    st.sampled_from("aabbc12_ \n\t\xa0.-,!?ABÄÖß€漢\U0001f600\u0130\ud800"), st.characters()
)
TEXTS = st.text(CHARACTERS, max_size=60)


def character_bucket(gram: bytes) -> int:
    value = 0
    for byte in gram:
        value = (value * 0x01000193 + byte) & WORD_BITS
    return ((value * 0x9E3779B1) & WORD_BITS) >> 14


def word_value(word: bytes) -> int:
    return sum(
        (byte + 1) * pow(0x01000193, position % 64, 2**32) for position, byte in enumerate(word)
    )


def word_bucket(value: int) -> int:
    return FIRST_WORD_BUCKET + (((value * 0x9E3779B1) & WORD_BITS) >> 14)


def slow_counts(text: str) -> Counter[int]:
    """Hash each gram by itself; bundles in use depend on every number in here."""
    folded = " ".join(text.lower().split()).encode("utf-8", "replace")
    counts: Counter[int] = Counter()
    for token in folded.split():
        marked = b" " + token + b" "
        for length in (2, 3, 4, 5):
            for start in range(len(marked) - length + 1):
                counts[character_bucket(marked[start : start + length])] += 1
    words = re.findall(rb"[0-9a-z_\x80-\xff]+", folded)
    counts.update(word_bucket(word_value(word)) for word in words)
    for first, second in itertools.pairwise(words):
        counts[word_bucket(word_value(first) * 0x85EBCA6B + word_value(second))] += 1
    return counts


def as_counters(matrix: sp.csr_matrix) -> list[dict[int, int]]:
    return [
        {
            int(bucket): int(count)
            for bucket, count in zip(matrix.indices[a:b], matrix.data[a:b], strict=True)
        }
        for a, b in itertools.pairwise(matrix.indptr)
    ]


def assert_equal(found: sp.csr_matrix, expected: sp.csr_matrix) -> None:
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found.indptr, expected.indptr)
    np.testing.assert_array_equal(found.indices, expected.indices)
    np.testing.assert_array_equal(found.data, expected.data)


@given(texts=st.lists(TEXTS, max_size=5))
def test_counts_are_those_of_hashing_gram_by_gram(texts: list[str]) -> None:
    counts = count_grams(texts)

    assert counts.shape == (len(texts), N_BUCKETS)
    assert as_counters(counts) == [slow_counts(text) for text in texts]


@pytest.mark.parametrize("length", [5, 63, 64, 65, 130])
def test_long_words_are_hashed_by_the_same_rule(length: int) -> None:
    word = ("abcdefghijklmnopqrstuvwxyz0123456789_" * 4)[:length]
    text = f"{word} {word[::-1]}"

    counts = count_grams([text])

    assert as_counters(counts) == [slow_counts(text)]


@given(texts=st.lists(TEXTS, min_size=1, max_size=6), cut=st.integers(0, 6))
def test_counts_of_a_batch_are_those_of_its_parts(texts: list[str], cut: int) -> None:
    whole = count_grams(texts)

    assert_equal(whole, sp.vstack([count_grams(texts[:cut]), count_grams(texts[cut:])], "csr"))


@given(
    sizes=st.lists(st.sampled_from([0, 1, CHUNK_BYTES // 2, CHUNK_BYTES, 3 * CHUNK_BYTES])),
    most=st.integers(1, 5),
)
def test_chunks_hold_each_text_once_and_are_small_unless_one_text_is_large(
    sizes: list[int], most: int
) -> None:
    cut = [sizes[chunk] for chunk in chunks(sizes, most)]

    assert [size for part in cut for size in part] == sizes
    assert all(0 < len(part) <= most for part in cut)
    assert all(len(part) == 1 or sum(part) <= CHUNK_BYTES for part in cut)


def test_no_gram_and_no_word_pair_crosses_from_one_text_into_the_next() -> None:
    apart = count_grams(["vpn down", "printer jam"])

    assert as_counters(apart) == [slow_counts("vpn down"), slow_counts("printer jam")]
    pair = word_bucket(word_value(b"down") * 0x85EBCA6B + word_value(b"printer"))
    assert apart[:, [pair]].nnz == 0
    assert count_grams(["vpn down printer jam"])[0, pair] == 1


@pytest.mark.parametrize("text", ["", " ", "\n\t \xa0\u2003"])
def test_text_without_letters_has_no_grams(text: str) -> None:
    counts = count_grams([text, "vpn", text])

    assert np.diff(counts.indptr).tolist() == [0, count_grams(["vpn"]).nnz, 0]


def test_nothing_gives_a_matrix_without_rows() -> None:
    counts = count_grams([])

    assert counts.shape == (0, N_BUCKETS)


def test_one_letter_is_a_word_with_the_blanks_around_it() -> None:
    counts = count_grams(["a"])

    buckets = {character_bucket(gram) for gram in (b" a", b"a ", b" a ")}
    assert as_counters(counts) == [dict.fromkeys(buckets | {word_bucket(word_value(b"a"))}, 1)]


def test_case_and_white_space_do_not_count() -> None:
    assert_equal(count_grams([" VPN\n\tDown "]), count_grams(["vpn down"]))


def test_counts_are_sorted_float32_without_doubles() -> None:
    counts = count_grams(["the printer, the printer and the other printer", "", "vpn"])

    assert counts.dtype == np.float32
    for a, b in itertools.pairwise(counts.indptr):
        assert (np.diff(counts.indices[a:b]) > 0).all()


def test_texts_beyond_a_chunk_count_as_they_do_alone() -> None:
    long = "printer jam " * (CHUNK_BYTES // 12 + 100)
    nearly = "x" * (CHUNK_BYTES - 3)
    texts = ["vpn", long, "", "mail full", nearly, "a", long[: CHUNK_BYTES // 2], "", long, ""]

    together = count_grams(texts)

    assert_equal(together, sp.vstack([count_grams([text]) for text in texts], "csr"))


def test_grams_of_a_text_larger_than_a_chunk_are_all_counted() -> None:
    repeats = CHUNK_BYTES // 4 + 7

    counts = count_grams(["vpn " * repeats])

    assert counts[0, word_bucket(word_value(b"vpn"))] == repeats
    assert counts[0, character_bucket(b" vpn ")] == repeats
    assert counts[0, word_bucket(word_value(b"vpn") * 0x85EBCA6B + word_value(b"vpn"))] == (
        repeats - 1
    )


def test_many_short_texts_fill_chunks_without_a_gap() -> None:
    texts = [f"ticket {number} of a long day" for number in range(14_000)]
    assert sum(map(len, texts)) > CHUNK_BYTES

    together = count_grams(texts)

    every_997th = list(range(0, len(texts), 997))
    assert as_counters(together[every_997th]) == [slow_counts(texts[row]) for row in every_997th]
    assert together.getnnz(axis=1).min() > 0


@given(texts=st.lists(TEXTS, min_size=1, max_size=4))
def test_positions_point_at_the_bytes_that_were_hashed(texts: list[str]) -> None:
    folded = [fold(text).encode("utf-8", "replace") for text in texts]
    joined = b" " + b"  ".join(folded) + b" "

    grams = hash_grams(folded)

    for bucket, start, end in zip(grams.buckets, grams.starts, grams.ends, strict=True):
        gram = joined[start:end]
        if bucket < FIRST_WORD_BUCKET:
            assert character_bucket(gram) == bucket
        else:
            words = re.findall(rb"[0-9a-z_\x80-\xff]+", gram)
            assert gram.startswith(words[0]) and gram.endswith(words[-1])
            values = [word_value(word) for word in words]
            assert len(values) in (1, 2)
            value = values[0] if len(values) == 1 else values[0] * 0x85EBCA6B + values[1]
            assert word_bucket(value) == bucket


@given(text=TEXTS)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(texts=st.lists(TEXTS, max_size=5))
def test_words_alone_have_the_buckets_they_have_among_all_grams(texts: list[str]) -> None:
    marks = np.arange(len(texts), dtype=np.uint32) << np.uint32(MARK_SHIFT)

    words, pairs, firsts = keyed_words(texts, marks)

    counts = count_grams(texts)[:, FIRST_WORD_BUCKET:]
    keys = np.concatenate([words, pairs])
    found = sp.csr_matrix(
        (
            np.ones(len(keys), dtype=np.float32),
            (keys >> np.uint32(MARK_SHIFT), (keys & np.uint32(N_BUCKETS - 1)) - FIRST_WORD_BUCKET),
        ),
        shape=counts.shape,
    )
    assert_equal(found, counts)
    assert (words[firsts] >> np.uint32(MARK_SHIFT) == pairs >> np.uint32(MARK_SHIFT)).all()
    assert (words[firsts + 1] >> np.uint32(MARK_SHIFT) == pairs >> np.uint32(MARK_SHIFT)).all()
