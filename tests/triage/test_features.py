"""Features of tickets: what a row is made of, what is left out, and what it does not depend on."""

import math
import pickle
from collections import Counter, defaultdict

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from training.tickets import iter_tickets
from triage.features import BLOCKS, TicketFeatures, least_frequency
from triage.ngrams import FIRST_WORD_BUCKET, N_BUCKETS, count_grams
from triage.ticket import Ticket

DESK = [
    Ticket("vpn down", "the vpn tunnel breaks", fields={"site": "Lyon", "caller": "Ana"}),
    Ticket("printer jam", "the printer says paper jam", fields={"site": "Lyon"}),
    Ticket("vpn slow", "vpn is slow since monday", fields={"site": "Porto", "caller": "Ana"}),
    Ticket("paper jam again", "same printer", fields={"site": " porto "}),
    Ticket("vpn down again", ""),
]
FITTED = TicketFeatures().fit(DESK)


@pytest.fixture(scope="module")
def tickets(history: pd.DataFrame) -> list[Ticket]:
    return list(iter_tickets(history))


def lengths(matrix: sp.csr_matrix) -> np.ndarray:
    return np.asarray(np.sqrt(matrix.multiply(matrix).sum(axis=1))).ravel()


def block_lengths(features: TicketFeatures, ticket: Ticket) -> list[float]:
    """Length of each part of a ticket's row: characters and words of each text block, fields."""
    row = features.transform([ticket])
    values = np.zeros(features.n_features_out_)
    values[row.indices] = row.data
    part_of = features.buckets_ // FIRST_WORD_BUCKET
    text, fields = values[: len(part_of)], values[len(part_of) :]
    parts = [text[part_of == part] for part in range(2 * len(BLOCKS))]
    return [float(np.linalg.norm(part)) for part in (*parts, fields)]


def assert_same(found: sp.csr_matrix, expected: sp.csr_matrix) -> None:
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found.indptr, expected.indptr)
    np.testing.assert_array_equal(found.indices, expected.indices)
    np.testing.assert_array_equal(found.data, expected.data)


def slow_row(ticket: Ticket, desk: list[Ticket]) -> dict[tuple[int, int], float]:
    """Weigh one ticket's buckets by (block, bucket), without fields, as the docstring says."""

    def counts(of: Ticket) -> Counter[tuple[int, int]]:
        found: Counter[tuple[int, int]] = Counter()
        for block, text in enumerate((of.subject, of.description)):
            grams = count_grams([text])
            for bucket, count in zip(grams.indices, grams.data, strict=True):
                found[block, int(bucket)] += int(count)
                found[2, int(bucket)] += int(count)
        return found

    document_frequency = Counter(key for other in desk for key in counts(other))
    weights = {
        key: (1 + math.log(count)) * (math.log((1 + len(desk)) / (1 + document_frequency[key])) + 1)
        for key, count in counts(ticket).items()
        if document_frequency[key] >= 2
    }
    squares: dict[tuple[int, bool], float] = defaultdict(float)
    for (block, bucket), weight in weights.items():
        squares[block, bucket >= FIRST_WORD_BUCKET] += weight**2
    return {
        (block, bucket): weight
        / math.sqrt(squares[block, bucket >= FIRST_WORD_BUCKET])
        / math.sqrt(len(squares))
        for (block, bucket), weight in weights.items()
    }


def test_rows_are_the_tf_idf_weights_that_the_definition_gives() -> None:
    features = TicketFeatures()

    matrix = features.fit_transform(DESK)

    for row, ticket in enumerate(DESK):
        expected = slow_row(ticket, DESK)
        columns = [block * N_BUCKETS + bucket for block, bucket in sorted(expected)]
        assert features.buckets_[matrix[row].indices].tolist() == columns
        np.testing.assert_allclose(
            matrix[row].data, [expected[key] for key in sorted(expected)], rtol=1e-5
        )


def test_gram_of_thousands_of_times_has_the_weight_that_the_definition_gives() -> None:
    desk = [Ticket("vpn", "jam " * 3000), Ticket("jam", "vpn " * 1500), Ticket("vpn jam", "")]
    features = TicketFeatures()

    matrix = features.fit_transform(desk)

    for row, ticket in enumerate(desk):
        expected = slow_row(ticket, desk)
        np.testing.assert_allclose(
            matrix[row].data, [expected[key] for key in sorted(expected)], rtol=1e-5
        )


def test_every_row_has_length_one(tickets: list[Ticket]) -> None:
    features = TicketFeatures(("site",))

    matrix = features.fit_transform(tickets)

    np.testing.assert_allclose(lengths(matrix), 1, rtol=1e-5)


@pytest.mark.parametrize(
    "ticket",
    [Ticket(), Ticket(" ", "\n"), Ticket("q", ""), Ticket("漢字", "ξψ", fields={"site": ""})],
)
def test_ticket_without_anything_known_has_an_empty_row(ticket: Ticket) -> None:
    features = TicketFeatures(("site",)).fit(DESK)

    row = features.transform([ticket])

    assert row.shape == (1, features.n_features_out_)
    assert row.nnz == 0


def test_blocks_are_equally_long_however_long_their_texts_are(tickets: list[Ticket]) -> None:
    features = TicketFeatures(("site",)).fit(tickets)
    long = "outlook mailbox calendar inbox " * 200

    of_short = block_lengths(features, Ticket("vpn tunnel", "outlook"))
    of_long = block_lengths(features, Ticket("vpn tunnel", long))

    np.testing.assert_allclose(of_short, [math.sqrt(1 / 6)] * 6 + [0], rtol=1e-5)
    np.testing.assert_allclose(of_long, of_short, rtol=1e-5)


def test_values_of_one_block_do_not_depend_on_another_blocks_text(tickets: list[Ticket]) -> None:
    features = TicketFeatures().fit(tickets)
    in_subject = features.buckets_ < N_BUCKETS

    rows = features.transform(
        [Ticket("vpn tunnel", "outlook"), Ticket("vpn tunnel", "printer paper jam " * 50)]
    )

    assert rows[0, in_subject].nnz > 0
    assert_same(rows[0, in_subject], rows[1, in_subject])


def test_each_field_has_the_stated_share_beside_the_text() -> None:
    features = TicketFeatures(("site", "caller"), field_weight=0.5).fit(DESK)

    parts = block_lengths(features, DESK[0])

    np.testing.assert_allclose(parts[:6], [parts[0]] * 6, rtol=1e-5)
    assert parts[6] / parts[0] == pytest.approx(0.5 * math.sqrt(2), rel=1e-5)


def test_field_value_never_seen_is_ignored() -> None:
    features = TicketFeatures(("site",)).fit(DESK)

    rows = features.transform(
        [
            Ticket("vpn down", "", fields={"site": "Basel", "floor": "3"}),
            Ticket("vpn down", ""),
        ]
    )

    assert_same(rows[0], rows[1])


def test_field_value_of_a_single_ticket_has_no_column() -> None:
    features = TicketFeatures(("site", "caller")).fit(DESK)

    rare = TicketFeatures(("caller",)).fit([*DESK, Ticket("vpn", fields={"caller": "Bo"})])

    assert len(features.values_) == 3  # Lyon, Porto in two spellings, Ana
    assert len(rare.values_) == 1


def test_same_value_in_two_fields_is_two_things() -> None:
    twice = [Ticket("vpn", fields={"caller": "Ana", "owner": "Ana"})] * 2

    features = TicketFeatures(("caller", "owner")).fit(twice)

    assert len(features.values_) == 2


def test_fields_that_were_not_asked_for_are_not_read() -> None:
    assert_same(
        TicketFeatures().fit_transform(DESK),
        TicketFeatures().fit_transform([Ticket(t.subject, t.description) for t in DESK]),
    )


def test_matrix_is_the_same_under_any_key(tickets: list[Ticket]) -> None:
    one, other = TicketFeatures(("site",), key=b"one"), TicketFeatures(("site",), key=b"other")

    assert_same(one.fit_transform(tickets), other.fit_transform(tickets))
    assert not set(one.values_) & set(other.values_)


def test_field_values_are_kept_as_keyed_hashes_only(tickets: list[Ticket]) -> None:
    features = TicketFeatures(("site",), key=b"secret").fit(tickets)

    assert b"Lyon" not in pickle.dumps(features) and b"lyon" not in pickle.dumps(features)
    assert features.values_.dtype == np.uint64


def test_transforming_what_was_fitted_gives_the_same_matrix_again(tickets: list[Ticket]) -> None:
    features = TicketFeatures(("site",))
    many = tickets * 3  # more rows than are handled together

    fitted = features.fit_transform(many)

    assert_same(features.transform(many), fitted)
    assert_same(features.analyse(many)[0], fitted)
    assert_same(TicketFeatures(("site",)).fit(many).transform(many), fitted)


def test_a_row_does_not_depend_on_the_rows_beside_it(tickets: list[Ticket]) -> None:
    features = TicketFeatures(("site",)).fit(tickets)

    together = features.transform(tickets[:40])

    assert_same(together, sp.vstack([features.transform([t]) for t in tickets[:40]], "csr"))


def test_parts_of_a_history_give_what_the_whole_gives(tickets: list[Ticket]) -> None:
    whole = TicketFeatures(("site",)).fit(tickets)

    by_parts = TicketFeatures(("site",)).fit_parts([tickets[:7], [], tickets[7:100], tickets[100:]])

    assert_same(by_parts.transform(tickets), whole.transform(tickets))
    np.testing.assert_array_equal(by_parts.buckets_, whole.buckets_)
    np.testing.assert_array_equal(by_parts.values_, whole.values_)
    np.testing.assert_array_equal(
        by_parts.analyse(tickets[:9], as_if_unseen=True)[1],
        whole.analyse(tickets, as_if_unseen=True)[1][:9],
    )


def test_long_history_needs_more_of_a_bucket() -> None:
    frequency = np.repeat([1, 2, 3, 9], [5, 400_000, 200_000, 300_000])

    of_all, of_few = least_frequency(frequency, 2), least_frequency(frequency[:500_000], 2)

    assert of_all == 3
    assert of_few == 2


def test_fitting_again_forgets_the_first_history() -> None:
    features = TicketFeatures().fit(DESK)
    features.transform(DESK)

    again = features.fit(DESK[1:4]).transform(DESK[1:4])

    assert_same(again, TicketFeatures().fit_transform(DESK[1:4]))


def test_columns_are_found_by_bucket_and_block() -> None:
    features = TicketFeatures().fit(DESK)
    buckets = count_grams(["vpn"]).indices.astype(np.int64)
    unseen = count_grams(["q"]).indices.astype(np.int64)

    for block in range(len(BLOCKS)):
        columns = features.columns_of(buckets, block)
        assert features.buckets_[columns].tolist() == (buckets + block * N_BUCKETS).tolist()
        assert features.columns_of(unseen, block).tolist() == [-1] * len(unseen)


def test_foreign_and_empty_texts_are_not_familiar(tickets: list[Ticket]) -> None:
    features = TicketFeatures().fit(tickets)

    _, familiarity = features.analyse(
        [Ticket("qwv zxj", "ξψ φω"), Ticket(), Ticket("--", "!?"), tickets[1]]
    )

    assert familiarity[:3].tolist() == [0, 0, 0]
    assert familiarity[3] > 0.2


def test_familiarity_is_what_words_and_pairs_speak_for_by_word() -> None:
    features = TicketFeatures().fit(DESK)

    _, familiarity = features.analyse([Ticket("vpn down zzz", "")])

    known = [3, 2, 2]  # tickets with vpn, with down, with "vpn down"; none has zzz or "down zzz"
    expected = sum(math.log1p(count) for count in known) / 3 / math.log1p(len(DESK))
    assert familiarity.tolist() == pytest.approx([expected])


@pytest.mark.parametrize("place", range(len(DESK)))
def test_ticket_of_the_fit_is_as_familiar_as_to_the_others_alone(place: int) -> None:
    tickets = DESK * 3
    others = TicketFeatures().fit([*tickets[:place], *tickets[place + 1 :]])

    _, as_if_unseen = TicketFeatures().fit(tickets).analyse(tickets, as_if_unseen=True)

    _, unseen = others.analyse([tickets[place]])
    scale = math.log1p(len(tickets) - 1) / math.log1p(len(tickets))
    assert as_if_unseen[place] == pytest.approx(unseen[0] * scale)


@given(subject=st.text(max_size=30), description=st.text(max_size=30))
def test_any_text_gives_a_row_of_length_one_or_none(subject: str, description: str) -> None:
    matrix, familiarity = FITTED.analyse([Ticket(subject, description)])

    assert familiarity[0] >= 0
    assert lengths(matrix)[0] == pytest.approx(1 if matrix.nnz else 0, abs=1e-5)


def test_no_tickets_give_no_rows() -> None:
    matrix, familiarity = FITTED.analyse([])

    assert matrix.shape == (0, FITTED.n_features_out_)
    assert FITTED.transform([]).shape == matrix.shape
    assert familiarity.shape == (0,)


def test_clone_has_the_parameters_and_nothing_learned(tickets: list[Ticket]) -> None:
    features = TicketFeatures(("site",), min_df=3, field_weight=0.4, key=b"k").fit(tickets)

    copy = clone(features)

    assert copy.get_params() == {
        "field_names": ("site",),
        "min_df": 3,
        "field_weight": 0.4,
        "key": b"k",
    }
    with pytest.raises(NotFittedError):
        copy.transform(tickets)


def test_pickled_features_give_the_same_rows(tickets: list[Ticket]) -> None:
    features = TicketFeatures(("site",), key=b"k").fit(tickets)
    features.transform(tickets[:1])

    restored = pickle.loads(pickle.dumps(features))

    assert_same(restored.transform(tickets), features.transform(tickets))
