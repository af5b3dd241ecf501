"""Near twins: copies are found, what merely resembles is not, and the order does not matter."""

import itertools
import random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.tickets import iter_tickets
from triage.ticket import Ticket
from triage.twins import cluster_signatures, sign, twin_clusters

TEXT = (
    "the vpn client on my laptop reports a handshake timeout whenever I try to connect to the "
    "berlin gateway from home and a restart of the router did not help"
)
OTHER = (
    "printer on the second floor prints blank pages since the toner was replaced this morning "
    "although the test page looks fine and the tray is full"
)


def partition(clusters: np.ndarray, names: list[int]) -> set[frozenset[int]]:
    """Sets of names that share a cluster, whatever the clusters are called."""
    return {
        frozenset(name for name, cluster in zip(names, clusters, strict=True) if cluster == wanted)
        for wanted in set(clusters.tolist())
    }


def test_exact_copies_share_a_cluster() -> None:
    tickets = [
        Ticket("vpn", TEXT),
        Ticket("toner", OTHER),
        Ticket("vpn", TEXT),
        Ticket("vpn", TEXT),
    ]

    clusters = twin_clusters(tickets)

    assert partition(clusters, [0, 1, 2, 3]) == {frozenset({0, 2, 3}), frozenset({1})}


@pytest.mark.parametrize(
    "near_copy",
    [
        TEXT.replace("berlin", "lisbon"),
        TEXT + " please help",
        TEXT.upper(),
        TEXT.replace(" ", "  \n"),
        f"{TEXT} reported on 12 may",
    ],
)
def test_near_copies_share_a_cluster(near_copy: str) -> None:
    clusters = twin_clusters(
        [Ticket("vpn", TEXT), Ticket("toner", OTHER), Ticket("vpn", near_copy)]
    )

    assert clusters[0] == clusters[2] != clusters[1]


def test_it_does_not_matter_where_the_subject_ends() -> None:
    first, _, rest = TEXT.partition("client")

    clusters = twin_clusters([Ticket(first, f"client{rest}"), Ticket("", TEXT)])

    assert clusters[0] == clusters[1]


def test_tickets_of_one_kind_are_no_twins(history: pd.DataFrame) -> None:
    tickets = list(iter_tickets(history))

    clusters = twin_clusters(tickets)

    assert len(set(clusters.tolist())) == len(tickets)


def test_twins_of_twins_share_a_cluster() -> None:
    words = [f"word{number}" for number in range(60)]
    drifting = [Ticket("", " ".join(words[start : start + 40])) for start in range(0, 21, 2)]

    clusters = twin_clusters(drifting)

    assert len(set(clusters.tolist())) == 1
    assert len(set(twin_clusters([drifting[0], drifting[-1]]).tolist())) == 2


def test_tickets_without_words_are_alone() -> None:
    tickets = [Ticket(), Ticket("", "?!"), Ticket("vpn", TEXT), Ticket(), Ticket("vpn", TEXT)]

    clusters = twin_clusters(tickets)

    assert partition(clusters, [0, 1, 2, 3, 4]) == {
        frozenset({0}),
        frozenset({1}),
        frozenset({2, 4}),
        frozenset({3}),
    }


@pytest.mark.parametrize(
    "tickets", [[], [Ticket()], [Ticket(), Ticket(" ", "--")], [Ticket("vpn")]]
)
def test_histories_of_next_to_nothing_have_a_cluster_a_ticket(tickets: list[Ticket]) -> None:
    clusters = twin_clusters(tickets)

    assert clusters.shape == (len(tickets),)
    assert len(set(clusters.tolist())) == len(tickets)


@given(seed=st.integers(0, 10_000), copies=st.lists(st.integers(0, 5), min_size=2, max_size=12))
def test_order_of_the_tickets_does_not_change_who_is_whose_twin(
    seed: int, copies: list[int]
) -> None:
    shuffle = random.Random(seed)
    texts = [f"{TEXT} {OTHER}".split() for _ in range(6)]
    for text in texts:
        shuffle.shuffle(text)
    tickets = [
        Ticket("", f"{' '.join(texts[copy])} case {number}") for number, copy in enumerate(copies)
    ]
    order = shuffle.sample(range(len(tickets)), len(tickets))

    in_order = twin_clusters(tickets)
    in_disorder = twin_clusters([tickets[number] for number in order])

    names = list(range(len(tickets)))
    assert partition(in_disorder, order) == partition(in_order, names)
    for one, other in itertools.combinations(names, 2):
        if copies[one] == copies[other]:
            assert in_order[one] == in_order[other]


def test_signatures_of_parts_give_the_clusters_of_the_whole(history: pd.DataFrame) -> None:
    tickets = [*iter_tickets(history), Ticket(), Ticket("vpn", TEXT), Ticket("vpn", TEXT)]

    signatures = np.concatenate([sign(tickets[:50]), sign([]), sign(tickets[50:])])

    np.testing.assert_array_equal(cluster_signatures(signatures), twin_clusters(tickets))
