from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from training.evaluate import truth_of
from training.fit import Learned
from training.telling import read_vocabulary, telling_terms
from triage.ticket import Ticket

COUNT = 40


@pytest.fixture
def frame(as_history: Callable[[Any], pd.DataFrame]) -> pd.DataFrame:
    """Tickets with a word of everybody, a word of two people, a rare word and an address."""
    texts = []
    for number in range(COUNT):
        words = ["printer"]
        if number % 10 < 2:
            words.append("gossip")
        if number < 4:
            words.append("seldom")
        texts.append(" ".join([*words, "mail me at jane.doe@example.com"]))
    return as_history(
        {
            "subject": texts,
            "description": [""] * COUNT,
            "field:caller": [f"person {number % 10}" for number in range(COUNT)],
            "category": ["printing"] * COUNT,
        }
    )


def test_words_of_many_tickets_and_people_are_shown(frame: pd.DataFrame) -> None:
    found = read_vocabulary(frame)

    assert "printer" in found.words
    assert "seldom" not in found.words
    assert "gossip" not in found.words
    assert found.is_by_requester


def test_without_requesters_five_tickets_are_enough_and_it_is_said(frame: pd.DataFrame) -> None:
    found = read_vocabulary(frame.drop(columns="field:caller"))

    assert "gossip" in found.words
    assert "seldom" not in found.words
    assert not found.is_by_requester


def test_personal_data_is_no_term(frame: pd.DataFrame) -> None:
    found = read_vocabulary(frame)

    assert not {"jane", "doe", "example"} & set(found.words)


def test_terms_are_words_of_their_label(learned: Learned, history: pd.DataFrame) -> None:
    truths = {target: truth_of(history, target) for target in learned.model.heads}

    found = telling_terms(learned.model, read_vocabulary(history), truths)

    assert {term.term for term in found["category"]["vpn"][:3]} <= {
        *("vpn", "tunnel", "gateway", "remote", "homeoffice"),
        *("client", "certificate", "handshake", "timeout", "roaming"),
    }
    assert set(found) == {"tier", "category"}


def test_weight_is_what_a_ticket_of_the_word_alone_scores(
    learned: Learned, history: pd.DataFrame
) -> None:
    truths = {target: truth_of(history, target) for target in learned.model.heads}
    head = learned.model.heads["category"]

    [term, *_] = telling_terms(learned.model, read_vocabulary(history), truths)["category"]["vpn"]

    row = learned.model.features.transform([Ticket(description=term.term)])
    scores = head.classifier.decision_function(row)[0] - head.classifier.intercept_
    lead = scores[head.labels.index("vpn")] - scores.mean()
    assert term.weight == pytest.approx(float(lead), abs=1e-5)
    has_word = history["subject"].str.cat(history["description"], sep=" ").str.split().map(set)
    of_label = truth_of(history, "category") == "vpn"
    assert term.n == np.sum([term.term in words for words in has_word[of_label]])
