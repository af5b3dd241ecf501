"""Guesses from articles alone: what speaks for a label, and that nothing promises too much."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.sample import SampleTicket, generate
from triage.article import Article
from triage.knowledge import KnowledgeBase, load_knowledge
from triage.prepare import prepare
from triage.taxonomy import Taxonomy, data_folder, load_taxonomy
from triage.ticket import Ticket
from triage.untrained import CATEGORY_KEPT, TIER_KEPT, UntrainedClassifier

WORDS = ["vpn", "Drucker", "locked", "a", "7"]
KEPT = {"tier": TIER_KEPT, "category": CATEGORY_KEPT}
JAM = Article("P1", "The printer jams", category="printing", tier="2", symptoms=("paper jam",))
LOCKED = Article("A1", "Unlock an account", category="access", tier="1", symptoms=("locked",))


@pytest.fixture(scope="module")
def ours() -> KnowledgeBase:
    """The articles that come with the project."""
    return load_knowledge(data_folder() / "kb")


@pytest.fixture(scope="module")
def classifier(ours: KnowledgeBase) -> UntrainedClassifier:
    return UntrainedClassifier(ours, load_taxonomy())


@pytest.fixture(scope="module")
def asked() -> list[SampleTicket]:
    """Every third ticket of the sample."""
    return generate()[::3]


def best(classifier: UntrainedClassifier, target: str, ticket: Ticket) -> str:
    (guess,) = classifier.predict_proba([prepare(ticket)])[target]
    return classifier.labels[target][int(guess.argmax())]


@pytest.mark.parametrize(
    ("subject", "category", "tier"),
    [
        ("Locked out of my account", "access", "1"),
        ("vpn client stuck on connecting at home", "vpn", "1"),
        ("the print queue on the server is stuck", "printing", "2"),
        ("mein Konto ist gesperrt", "access", "1"),
    ],
)
def test_ticket_gets_category_and_tier_of_the_articles_like_it(
    classifier: UntrainedClassifier, subject: str, category: str, tier: str
) -> None:
    guessed = {target: best(classifier, target, Ticket(subject)) for target in KEPT}

    assert guessed == {"category": category, "tier": tier}


def test_words_of_the_taxonomy_speak_for_a_category_without_articles(taxonomy: Taxonomy) -> None:
    knowledge = KnowledgeBase([JAM, LOCKED])
    ticket = Ticket("the meeting room has no sound", "neither has the softphone")

    closed = UntrainedClassifier(knowledge, taxonomy)
    opened = UntrainedClassifier(knowledge, taxonomy, list(taxonomy.categories))

    assert closed.labels["category"] == ["access", "printing"]
    assert best(opened, "category", ticket) == "telephony"


def test_tiers_are_those_of_the_daily_work_and_of_the_articles(taxonomy: Taxonomy) -> None:
    vendor = Article("V1", "Return a broken screen", tier="4")
    unknown = Article("U1", "Call the moon base", tier="9")

    classifier = UntrainedClassifier(KnowledgeBase([JAM, vendor, unknown]), taxonomy)

    assert classifier.labels == {"tier": ["1", "2", "3", "4"], "category": ["printing"]}


def test_articles_that_name_no_label_leave_none_to_guess(taxonomy: Taxonomy) -> None:
    classifier = UntrainedClassifier(KnowledgeBase([Article("X1", "Water the plants")]), taxonomy)

    assert classifier.predict_proba([Ticket("the plants are dry")]) == {}


def test_same_words_weigh_more_in_the_subject(classifier: UntrainedClassifier) -> None:
    words, rest = "wifi does not connect", "please call me about the project"

    in_subject = classifier.predict_proba([Ticket(words, rest)])["category"]
    in_description = classifier.predict_proba([Ticket(rest, words)])["category"]

    assert in_subject.max() > in_description.max()


def test_guess_does_not_depend_on_the_tickets_beside_it(
    classifier: UntrainedClassifier, asked: list[SampleTicket]
) -> None:
    tickets = [prepare(Ticket(one.short_description, one.description)) for one in asked[:40]]

    together = classifier.predict_proba(tickets)
    alone = [classifier.predict_proba([ticket]) for ticket in tickets]

    for target in KEPT:
        np.testing.assert_array_equal(together[target], np.vstack([one[target] for one in alone]))


@settings(max_examples=60, deadline=None)
@given(subject=st.text(max_size=60), words=st.lists(st.sampled_from(WORDS)))
def test_whatever_the_text_some_doubt_is_left(
    classifier: UntrainedClassifier, subject: str, words: list[str]
) -> None:
    ticket = prepare(Ticket(subject, " ".join(words * 50)))

    guesses = classifier.predict_proba([ticket])

    for target, kept in KEPT.items():
        assert np.isfinite(guesses[target]).all()
        assert guesses[target].min() >= 0
        assert guesses[target].sum() < kept


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_confidence_promises_no_more_than_the_sample_keeps(
    ours: KnowledgeBase, asked: list[SampleTicket], share: float
) -> None:
    chance = np.random.default_rng(3)
    taxonomy = load_taxonomy()
    kept = [article for article in ours.articles if chance.random() < share]
    classifier = UntrainedClassifier(KnowledgeBase(kept), taxonomy, list(taxonomy.categories))
    tickets = [prepare(Ticket(one.short_description, one.description)) for one in asked]
    truth = {
        "tier": np.array([one.true_tier for one in asked]),
        "category": np.array([one.true_category for one in asked]),
    }

    guesses = classifier.predict_proba(tickets)

    for target, guess in guesses.items():
        confidence = guess.max(axis=1)
        right = np.array(classifier.labels[target])[guess.argmax(axis=1)] == truth[target]
        for low in (0.0, 0.3, 0.5, 0.7, 0.9):
            place = (confidence >= low) & (confidence < low + 0.2)
            if place.sum() >= 50:
                slack = 1.64 * np.sqrt(0.25 / place.sum())  # one-sided 95%, at its widest
                assert right[place].mean() > confidence[place].mean() - slack, (target, low)
