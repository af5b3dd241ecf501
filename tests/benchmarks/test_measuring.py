"""The benchmark's own arithmetic and its made-up tickets: figures are worth what these are."""

from itertools import islice

import numpy as np
import pytest

from tests.benchmarks.compare import ece_by_chance, has_twin
from tests.benchmarks.contenders import contend
from tests.benchmarks.guarantees import (
    as_long_as,
    endless_words,
    one_a_label,
    one_threshold,
    random_keys,
    resample,
)
from tests.benchmarks.intervals import mean_of, paired, paired_by_ticket
from tests.benchmarks.peers import PEERS, is_installed
from triage.ticket import Ticket

TICKET = Ticket("vpn down", "it says timeout since monday", fields={"site": "Lyon"})


def test_interval_of_a_mean_is_that_of_the_t_table() -> None:
    estimate = mean_of([0.1, 0.2, 0.3, 0.4, 0.5])

    assert estimate.mean == pytest.approx(0.3)
    # 2.776 for four degrees of freedom, spread 0.1581 over the root of five
    assert estimate.half_width == pytest.approx(2.776 * 0.15811 / 5**0.5, rel=1e-3)


def test_one_value_has_no_interval() -> None:
    assert mean_of([0.7]).half_width is None
    assert paired([0.7], [0.6]).half_width is None


def test_paired_difference_ignores_how_hard_a_split_is() -> None:
    hard_and_easy = [0.5, 0.9, 0.7]

    difference = paired([value + 0.02 for value in hard_and_easy], hard_and_easy)

    assert difference.mean == pytest.approx(0.02)
    assert difference.half_width == pytest.approx(0, abs=1e-9)


def test_interval_of_overlapping_splits_is_wider_than_that_of_a_plain_mean() -> None:
    ours, theirs = [0.8, 0.9, 0.7], [0.7, 0.7, 0.7]

    plain = mean_of([0.1, 0.2, 0.0])
    corrected = paired(ours, theirs)

    assert corrected.mean == pytest.approx(plain.mean)
    assert corrected.half_width is not None and plain.half_width is not None
    # the variance of the mean grows from a third to a third and a quarter
    assert corrected.half_width / plain.half_width == pytest.approx((1 + 3 / 4) ** 0.5)


def test_difference_over_tickets_counts_only_where_two_contenders_disagree() -> None:
    both_right = [1] * 50

    estimate = paired_by_ticket([*both_right, 1, 1, 1, 0], [*both_right, 0, 0, 0, 1])

    assert estimate.mean == pytest.approx(2 / 54)
    assert estimate.half_width == pytest.approx(
        1.96 * np.std([0] * 50 + [1, 1, 1, -1], ddof=1) / 54**0.5
    )


def test_reworded_text_has_no_twin_and_a_repeated_one_has() -> None:
    train = [
        "printer on floor three is jammed",
        "vpn tunnel broken",
        "printer jammed",
        "vpn broken",
    ]

    found = has_twin(train, ["Printer is jammed!", "vpn printer", "cannot log in"])

    assert found.tolist() == [True, False, False]


def test_error_by_chance_shrinks_with_the_number_of_tickets() -> None:
    few, many = ece_by_chance(np.full(100, 0.8)), ece_by_chance(np.full(10_000, 0.8))

    # one bin: the error is how far a share of n tickets strays from 0.8
    assert few == pytest.approx(1.96 * (0.8 * 0.2 / 100) ** 0.5, rel=0.15)
    assert many == pytest.approx(few / 10, rel=0.25)


def test_foreign_ticket_is_as_long_as_the_real_one_and_keeps_its_fields() -> None:
    words = endless_words(["who wrote hamlet", "sing me a song"], seed=0)

    made = as_long_as(TICKET, words)

    assert len(made.subject.split()) == 2
    assert len(made.description.split()) == 5
    assert made.fields == TICKET.fields
    assert not {*made.subject.split(), *made.description.split()} & {"vpn", "timeout", "monday"}


def test_foreign_ticket_repeats_itself_where_the_real_one_does() -> None:
    words = endless_words(["who wrote hamlet", "sing me a song"], seed=0)

    made = as_long_as(Ticket("vpn is down", "vpn is down"), words)

    assert made.subject == made.description


def test_words_of_utterances_never_end() -> None:
    assert len(list(islice(endless_words(["sing a song"], seed=1), 1000))) == 1000


def test_random_keys_keep_the_lengths_of_the_words_and_nothing_else() -> None:
    (made,) = random_keys([TICKET], seed=0)

    assert [len(word) for word in made.description.split()] == [2, 4, 7, 5, 6]
    assert not set(made.description.split()) & set(TICKET.description.split())


@pytest.mark.parametrize("rule", [one_threshold, one_a_label])
def test_confidence_that_says_nothing_routes_nothing(rule: type) -> None:
    chance = np.random.default_rng(0)
    predicted = chance.integers(2, size=2000)

    halves = resample(
        rule(["a", "b"], 0.9), predicted, chance.random(2000), chance.random(2000) < 0.7
    )

    assert max(halves["share"]) == 0
    assert set(halves["precision"]) == {None}


@pytest.mark.parametrize("rule", [one_threshold, one_a_label])
def test_true_confidence_routes_a_part_and_keeps_the_promise_nearly_always(rule: type) -> None:
    chance = np.random.default_rng(0)
    confidence = chance.uniform(0.5, 1, 6000)
    correct = chance.random(6000) < confidence

    halves = resample(rule(["a", "b"], 0.9), chance.integers(2, size=6000), confidence, correct)

    made = [value for value in halves["precision"] if value is not None]
    assert len(made) > 90
    assert sum(value >= 0.9 for value in made) >= 0.9 * len(made)
    # those above 0.8 are right in nine of ten
    assert 0.2 < np.mean(halves["share"]) < 0.4


@pytest.mark.parametrize("who", PEERS)
def test_peer_gives_probabilities_that_tell_two_topics_apart(who: str) -> None:
    if not is_installed(who):
        pytest.skip("make bench installs it")
    texts = [f"printer toner paper {n % 3}" for n in range(30)]
    texts += [f"tunnel vpn gateway {n % 3}" for n in range(20)]
    labels = np.array(["printing"] * 30 + ["vpn"] * 20)

    names, probabilities = PEERS[who](texts, labels)

    found = probabilities(["paper and toner for the printer", "vpn gateway: no tunnel"])
    assert list(names) == ["printing", "vpn"]
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-3)
    best = found.argmax(axis=1).tolist()
    assert best == ([0, 0] if who == "majority" else [0, 1])


def test_ours_and_peers_answer_the_same_question(history) -> None:
    labels, probabilities = contend("ours", history, "category")
    names, theirs = contend("TF-IDF + linear SVM", history, "category")

    assert labels == names
    assert probabilities(history[:7]).shape == theirs(history[:7]).shape == (7, 4)
