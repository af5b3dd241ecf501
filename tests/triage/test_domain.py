"""What tells a ticket from text about anything: words of the desk, not those of any text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.domain import familiarity, is_familiar, least_familiarity
from triage.features import TicketFeatures
from triage.ngrams import FIRST_WORD_BUCKET, N_BUCKETS
from triage.ticket import Ticket

# Polite and long-winded: every small word of a question about anything is well known here.
DESK = [
    Ticket("printer is down", "what is the matter with the printer? it is down for me"),
    Ticket("the printer has no paper", "can you tell me where the paper for the printer is"),
    Ticket("vpn is slow", "what can i do about the vpn? it is slow and you said it would not be"),
    Ticket("vpn is down", "how do i get the vpn to work for me? it is down"),
    Ticket("konto gesperrt", "wie kann ich das für mich lösen? über das konto geht nichts mehr"),
    Ticket("konto ist gesperrt", "ich kann mich nicht anmelden, was muss ich über das konto sagen"),
]
FEATURES = TicketFeatures().fit(DESK)


def familiar(*tickets: Ticket) -> list[float]:
    return list(FEATURES.analyse(tickets)[1])


@pytest.mark.parametrize(
    ("ticket", "foreign"),
    [
        ("vpn is down", "where is the opera"),
        ("it is about the printer", "it is about the weather"),
        ("what can i do? printer out of paper", "what can i do for you to get me a parrot"),
        ("konto gesperrt", "was muss ich über das wetter sagen"),
    ],
)
def test_ticket_is_more_familiar_than_other_text_with_the_same_small_words(
    ticket: str, foreign: str
) -> None:
    of_desk, of_anything = familiar(Ticket(ticket), Ticket(foreign))

    assert of_desk > 2 * of_anything


@pytest.mark.parametrize(
    "text", ["what is it", "can you tell me", "über mich", "Für mich! IST das"]
)
def test_small_words_speak_for_no_desk(text: str) -> None:
    assert familiar(Ticket(text), Ticket("", text)) == [0, 0]


def test_desk_of_terse_tickets_knows_whoever_writes_in_sentences() -> None:
    features = TicketFeatures().fit([Ticket("printer down"), Ticket("vpn slow")] * 10)

    terse, in_sentences, foreign = features.analyse(
        [
            Ticket("printer down"),
            Ticket("good morning, could you help me? my printer is down since monday"),
            Ticket("good morning, could you tell me when the opera house is open on monday"),
        ]
    )[1]

    assert terse > in_sentences > 2 * foreign


def test_word_speaks_the_louder_the_more_tickets_have_it() -> None:
    history = [Ticket(" ".join(["vpn", *["jam"] * (n < 8), *["fax"] * (n < 3)])) for n in range(20)]

    _, found = (
        TicketFeatures()
        .fit(history)
        .analyse([Ticket("vpn"), Ticket("jam"), Ticket("fax"), Ticket("zeppelin")])
    )

    assert found[0] == pytest.approx(1)
    assert found[0] > found[1] > found[2] > found[3] == 0


def test_repeating_a_word_changes_nothing() -> None:
    alone, repeated = familiar(Ticket("printer"), Ticket("printer", "Printer"))

    assert repeated == alone > 0


@given(
    texts=st.lists(st.tuples(st.text(max_size=20), st.text(max_size=40)), max_size=12),
    cut=st.integers(0, 12),
)
def test_familiarity_does_not_depend_on_the_batch(texts: list[tuple[str, str]], cut: int) -> None:
    tickets = [*DESK, *(Ticket(subject, description) for subject, description in texts)]

    together = familiar(*tickets)

    assert together == familiar(*tickets[:cut]) + familiar(*tickets[cut:])
    assert together == [familiar(ticket)[0] for ticket in tickets]


def test_batch_of_many_texts_keeps_their_order() -> None:
    tickets = [Ticket("vpn"), Ticket("opera"), Ticket()] * 5000

    found = np.array(familiar(*tickets)).reshape(5000, 3)

    assert (found[:, 0] == found[0, 0]).all()
    assert found[0, 0] > 0
    assert not found[:, 1:].any()


def test_no_tickets_have_no_familiarity() -> None:
    assert familiarity([], np.ones(N_BUCKETS - FIRST_WORD_BUCKET)).shape == (0,)


def test_each_language_gives_up_the_same_share_of_its_tickets() -> None:
    chance = np.random.default_rng(0)
    found = np.concatenate([chance.uniform(0.5, 1, 900), chance.uniform(0.1, 0.3, 100)])
    of = np.repeat(["en", "de"], [900, 100])

    least = least_familiarity(found, list(of))

    for name in ("en", "de"):
        assert np.mean(found[of == name] < least[name]) == pytest.approx(0.04, abs=0.005)


def test_languages_of_few_tickets_share_a_threshold() -> None:
    found = np.concatenate([np.full(200, 0.8), np.full(20, 0.3), np.full(20, 0.2)])

    least = least_familiarity(found, ["en"] * 200 + ["fr"] * 20 + ["und"] * 20)

    assert least == {"en": pytest.approx(0.8), "und": pytest.approx(0.2)}


def test_rare_other_languages_are_held_to_all_tickets() -> None:
    found = np.concatenate([np.linspace(0.5, 1, 200), np.zeros(3)])

    least = least_familiarity(found, ["en"] * 200 + ["fr"] * 3)

    assert least["und"] == pytest.approx(np.quantile(found, 0.04))


def test_text_is_held_to_what_its_language_needs() -> None:
    german, english = Ticket("ich kann mich nicht anmelden"), Ticket("I cannot log in to the vpn")

    is_of_desk = is_familiar(
        [german, english, english, Ticket("vpn")],
        np.array([0.2, 0.2, 0.5, 0.2]),
        {"en": 0.4, "de": 0.1, "und": 0.3},
    )

    assert is_of_desk.tolist() == [True, False, True, False]


def test_text_without_a_known_word_is_never_of_the_desk() -> None:
    assert is_familiar([Ticket("vpn")], np.zeros(1), {"und": 0.0}).tolist() == [False]
