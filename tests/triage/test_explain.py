"""Explanations: the weights of a ticket's words are all that the linear model goes by."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.tickets import iter_tickets
from triage.explain import map_terms, weigh_terms
from triage.features import TicketFeatures
from triage.ngrams import fold
from triage.ticket import Ticket

EVERY_TERM = 10**6

DESK = [
    Ticket("VPN down", "the vpn-client breaks, again and again (error 809)."),
    Ticket("printer: paper jam", "the printer says 'paper jam' -- again"),
    Ticket("vpn slow", "vpn is slow since monday; über Wi-Fi sehr langsam"),
    Ticket("paper jam again", "same printer, same tray, error 809"),
    Ticket("langsam über VPN", "the vpn client is slow and breaks down"),
]
FEATURES = TicketFeatures().fit(DESK)
WORDS = "vpn VPN, printer paper jam. (again) vpn-client über langsam error 809 -- ... the unknown"
TEXTS = st.lists(st.sampled_from(WORDS.split()), max_size=12).map(" ".join)


def weights_of(
    features: TicketFeatures, ticket: Ticket, contrast: np.ndarray, top: int = EVERY_TERM
) -> dict[str, float]:
    row = features.transform([ticket])
    added = row.data * contrast[row.indices]
    terms = weigh_terms(map_terms(features, ticket, row.indices), added, top)
    return {term.term: term.weight for term in terms}


@given(subject=TEXTS, description=TEXTS, seed=st.integers(0, 99))
def test_weights_of_all_words_add_up_to_the_lead_of_the_label(
    subject: str, description: str, seed: int
) -> None:
    ticket = Ticket(subject, description)
    chance = np.random.default_rng(seed)
    contrast = chance.normal(size=FEATURES.n_features_out_).astype(np.float32)

    weights = weights_of(FEATURES, ticket, contrast)

    lead = (FEATURES.transform([ticket]) @ contrast)[0]
    assert sum(weights.values()) == pytest.approx(lead, abs=1e-4 * (len(weights) + 1))


@given(subject=st.text(max_size=40), description=st.text(max_size=40))
def test_any_text_can_be_explained(subject: str, description: str) -> None:
    ticket = Ticket(subject, description)
    contrast = np.ones(FEATURES.n_features_out_, dtype=np.float32)

    weights = weights_of(FEATURES, ticket, contrast)

    words = " ".join([fold(subject), fold(description)])
    assert all(term in words for term in weights)
    lead = (FEATURES.transform([ticket]) @ contrast)[0]
    assert sum(weights.values()) == pytest.approx(lead, abs=1e-4 * (len(weights) + 1))


@given(subject=TEXTS, description=TEXTS)
def test_every_value_of_a_row_is_made_of_grams_of_the_text(subject: str, description: str) -> None:
    ticket = Ticket(subject, description)
    row = FEATURES.transform([ticket])

    terms = map_terms(FEATURES, ticket, row.indices)

    made_of = [np.flatnonzero((terms.places == place).any(axis=0)) for place in range(row.nnz)]
    assert [len(grams) for grams in made_of] == terms.counts[:-1].tolist()
    assert all(len(grams) for grams in made_of)


def test_word_that_decides_a_column_alone_gets_all_of_it() -> None:
    ticket = Ticket("vpn slow vpn", "")
    column = FEATURES.transform([Ticket("slow", "")]).indices
    contrast = np.zeros(FEATURES.n_features_out_, dtype=np.float32)
    contrast[column] = 1

    weights = weights_of(FEATURES, ticket, contrast)

    assert list(weights) == ["slow"]
    assert weights["slow"] > 0


def test_words_that_share_all_their_grams_share_the_weight_by_count() -> None:
    features = TicketFeatures().fit([Ticket("", "jam x jam y jam"), Ticket("", "jam x jam y jam")])
    pair = features.transform([Ticket("", "x jam")])
    contrast = np.zeros(features.n_features_out_, dtype=np.float32)
    only_pair = np.setdiff1d(
        pair.indices,
        [
            *features.transform([Ticket("", "x")]).indices,
            *features.transform([Ticket("", "jam")]).indices,
        ],
    )
    contrast[only_pair] = 1

    weights = weights_of(features, Ticket("", "x jam"), contrast)

    assert len(only_pair) == 2  # the pair of words, in the description and in the whole text
    assert weights["x"] == weights["jam"] > 0


def test_terms_are_bare_words_each_named_once() -> None:
    ticket = Ticket("VPN, vpn (vpn) VPN-client!", "--")

    terms = map_terms(FEATURES, ticket, FEATURES.transform([ticket]).indices)

    assert terms.terms == ["vpn", "vpn-client", "--"]


def test_strongest_terms_come_first_whichever_way_they_speak() -> None:
    ticket = Ticket("vpn printer", "paper")
    contrast = np.zeros(FEATURES.n_features_out_, dtype=np.float32)
    contrast[FEATURES.transform([Ticket("printer", "")]).indices] = -5
    contrast[FEATURES.transform([Ticket("vpn", "")]).indices] = 1

    weights = weights_of(FEATURES, ticket, contrast)

    assert next(iter(weights)) == "printer"
    assert weights["printer"] < 0 < weights["vpn"]
    sizes = np.abs(list(weights.values()))
    assert (np.diff(sizes) <= 0).all()
    assert list(weights_of(FEATURES, ticket, contrast, top=1)) == ["printer"]


@pytest.mark.parametrize("ticket", [Ticket(), Ticket(" ", "\n"), Ticket("qqq", "zzz")])
def test_ticket_without_known_words_has_no_terms(ticket: Ticket) -> None:
    contrast = np.ones(FEATURES.n_features_out_, dtype=np.float32)

    assert weights_of(FEATURES, ticket, contrast) == {}


def test_form_fields_do_not_disturb_the_words(history: pd.DataFrame) -> None:
    tickets = list(iter_tickets(history))
    features = TicketFeatures(("site",)).fit(tickets)
    contrast = np.ones(features.n_features_out_, dtype=np.float32)
    contrast[len(features.buckets_) :] = 1000

    weights = weights_of(features, tickets[0], contrast)

    text_alone = np.where(contrast == 1000, 0, contrast)
    lead = (features.transform(tickets[:1]) @ text_alone)[0]
    assert sum(weights.values()) == pytest.approx(lead, abs=1e-4 * len(weights))
