"""What a history teaches about articles."""

import numpy as np
import pandas as pd
import pytest

from training.canonical import completed
from training.experience import MIN_TAUGHT, count_uses, learn_experience
from training.tickets import iter_tickets
from triage.article import Article
from triage.experience import ArticleUse
from triage.features import TicketFeatures
from triage.knowledge import KnowledgeBase
from triage.prepare import prepare_all
from triage.taxonomy import Taxonomy
from triage.ticket import Ticket

WORDS = {
    "KB1": "tunnel gateway handshake remote",
    "KB2": "toner tray paper queue",
    "KB3": "inbox quota message calendar",
}


@pytest.fixture
def knowledge() -> KnowledgeBase:
    titles = {"KB1": "Alpha", "KB2": "Beta", "KB3": "Gamma", "KB4": "Delta"}
    return KnowledgeBase([Article(name, title, tier="1") for name, title in titles.items()])


def history(n_tickets: int) -> pd.DataFrame:
    """Make tickets that share words with others of their article, and none with its text."""
    generator = np.random.default_rng(0)
    rows = []
    for number in range(n_tickets):
        name = ("KB1", "KB2", "KB3")[number % 3]
        words = generator.permutation(WORDS[name].split())[:3]
        rows.append(
            {
                "id": f"T{number}",
                "created_at": pd.Timestamp("2026-01-01", tz="UTC") + pd.Timedelta(number, "h"),
                "subject": " ".join(words),
                "description": f"{words[0]} again",
                "tier": "2" if number % 9 == 0 else "1",
                "article_ids": (name,),
                "reopened": number % 7 == 1,
            }
        )
    return completed(pd.DataFrame(rows))


def test_tickets_like_earlier_ones_lead_to_the_article_that_helped(
    knowledge: KnowledgeBase, taxonomy: Taxonomy
) -> None:
    frame = history(120)
    features = TicketFeatures(()).fit(prepare_all(list(iter_tickets(frame))))

    experience = learn_experience(frame, features, knowledge, taxonomy)
    asked = [Ticket("handshake of the gateway"), Ticket("paper in the tray")]
    spoken = experience.speak(features.analyse(prepare_all(asked))[0])

    assert experience.articles == ("KB1", "KB2", "KB3")
    assert [experience.articles[place] for place in spoken.argmax(axis=1)] == ["KB1", "KB2"]


def test_a_history_that_hardly_names_articles_teaches_nothing_but_their_use(
    knowledge: KnowledgeBase, taxonomy: Taxonomy
) -> None:
    frame = history(MIN_TAUGHT - 1)
    features = TicketFeatures(()).fit(prepare_all(list(iter_tickets(frame))))

    experience = learn_experience(frame, features, knowledge, taxonomy)

    assert experience.weights is None and experience.articles == ()
    assert set(experience.uses) == {"KB1", "KB2", "KB3"}


def test_uses_count_what_ended_at_the_articles_tier_and_stayed_closed(
    knowledge: KnowledgeBase, taxonomy: Taxonomy
) -> None:
    frame = completed(
        pd.DataFrame(
            {
                "tier": ["1", "2", "1", "1", None],
                "reopened": [False, False, True, None, False],
                "article_ids": [("KB1",), ("KB1",), ("KB1",), ("KB1", "KB2", "NONE"), ("KB1",)],
            }
        ).astype({"reopened": "boolean"})
    )

    uses = count_uses(frame, knowledge, taxonomy)

    assert uses == {"KB1": ArticleUse(2, 4), "KB2": ArticleUse(1, 1)}


def test_the_order_of_rows_changes_nothing(knowledge: KnowledgeBase, taxonomy: Taxonomy) -> None:
    frame = history(90)
    features = TicketFeatures(()).fit(prepare_all(list(iter_tickets(frame))))

    one = learn_experience(frame, features, knowledge, taxonomy)
    other = learn_experience(frame.iloc[::-1].reset_index(drop=True), features, knowledge, taxonomy)

    assert one.weights is not None and other.weights is not None
    assert abs(one.weights - other.weights).max() < 1e-3
