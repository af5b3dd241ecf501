import numpy as np

from triage import recurrence
from triage.recurrence import LIKENESS, cluster
from triage.shared_terms import shared_terms
from triage.signature import sign_ticket
from triage.similar import TicketIndex
from triage.ticket import Ticket

KINDS = (
    "label printer in dispatch prints blank",
    "scanner app asks for a certificate",
    "nightly report of sales is missing",
)


def signatures(n_tickets: int = 90) -> list[bytes]:
    """Sign tickets of three kinds by turns, each with a word of its own, and some of no kind."""
    texts = [f"{KINDS[n % 3]} word{n}x" for n in range(n_tickets)]
    return [
        sign_ticket(Ticket(text)) for text in [*texts, *(f"odd{n}y once{n}z" for n in range(9))]
    ]


def test_tickets_of_one_kind_are_one_cluster_and_odd_ones_none() -> None:
    clusters = cluster(signatures())

    assert [places.tolist() for places in clusters] == [
        list(range(kind, 90, 3)) for kind in range(3)
    ]


def test_every_ticket_is_like_the_middle_of_its_cluster_and_in_no_other() -> None:
    chance = np.random.default_rng(0)
    words = [f"word{n}x" for n in range(40)]
    signed = [sign_ticket(Ticket(" ".join(chance.choice(words, 6)))) for _ in range(300)]
    index = TicketIndex()
    index.add(range(len(signed)), signed)

    clusters = cluster(signed)

    places = np.concatenate(clusters)
    assert len(set(places.tolist())) == len(places) > 100
    for members in clusters:
        likes = [
            set(index.query(signed[m], top=300, floor=LIKENESS - 0.02)[0].tolist()) for m in members
        ]
        assert any(set(members.tolist()) <= found for found in likes)


def test_text_that_comes_a_thousand_times_is_one_cluster() -> None:
    signed = [*signatures(30), *[sign_ticket(Ticket("disk of srv-01 almost full"))] * 1_000]

    largest = cluster(signed)[0]

    assert len(largest) == 1_000 > recurrence._MAX_LIKES


def test_order_of_the_tickets_changes_no_cluster() -> None:
    signed = signatures()
    order = np.random.default_rng(1).permutation(len(signed))

    found = cluster([signed[place] for place in order])

    assert {frozenset(order[places].tolist()) for places in found} == {
        frozenset(places.tolist()) for places in cluster(signed)
    }


def test_nothing_to_cluster_is_no_cluster() -> None:
    assert cluster([]) == []
    assert cluster([b"", b"", sign_ticket(Ticket("printer"))]) == []


def test_shared_terms_are_said_by_several_and_seldom_elsewhere() -> None:
    usual = TicketIndex()
    usual.add(range(50), [sign_ticket(Ticket(f"printer trouble number{n}")) for n in range(50)])
    texts = ("Printer in Graz smokes", "printers smoke, Graz", "smoking printer next to Anna")

    terms = shared_terms([Ticket(text) for text in texts], usual)

    assert terms[0] in ("smokes", "smoke", "smoking")
    assert set(terms[1:]) == {"graz", "printer"}
    assert shared_terms([Ticket(texts[0])], usual) == []
