"""Words, meaning and experience together: which articles are offered, and how surely."""

import tomllib
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from triage.article import Article
from triage.article_vectors import (
    CACHE_FILE,
    ArticleVectors,
    cached_vectors,
    encode_articles,
)
from triage.experience import ArticleUse, Experience
from triage.knowledge import KnowledgeBase, load_knowledge
from triage.recommender import ArticleRecommender
from triage.semantic import DIMENSIONS, is_available
from triage.suggestion import ArticleHit
from triage.taxonomy import data_folder
from triage.text import normalise

JUDGEMENTS = Path(__file__).with_name("paraphrased_tickets.toml")

needs_meaning = pytest.mark.skipif(
    not is_available(), reason="the extra 'semantic' is not installed"
)


@dataclass(frozen=True)
class Judged:
    """Tickets of a language: those that an article answers, with it, and those that none does."""

    answered: list[tuple[str, str]]
    unanswered: list[str]


def judged(language: str, *, held_back: bool = True) -> Judged:
    """Read judged tickets; constants were fitted on even rows, the odd ones are held back."""
    rows = [
        row
        for row in tomllib.loads(JUDGEMENTS.read_text("utf-8"))["ticket"]
        if row["language"] == language
    ]
    answered = [(normalise(row["text"]), row["article"]) for row in rows if "article" in row]
    unanswered = [normalise(row["text"]) for row in rows if "article" not in row]
    if held_back:
        answered, unanswered = answered[1::2], unanswered[1::2]
    return Judged(answered, unanswered)


@pytest.fixture(scope="module")
def base() -> KnowledgeBase:
    return load_knowledge(data_folder() / "kb")


@pytest.fixture(scope="module")
def reader(base: KnowledgeBase) -> ArticleRecommender:
    return ArticleRecommender(base, vectors=encode_articles(base.articles))


def recall(recommender: ArticleRecommender, tickets: Judged, top: int) -> float:
    names = [article.id for article in recommender.knowledge.articles]
    odds = recommender.log_odds([text for text, _ in tickets.answered])
    order = np.argsort(-odds, axis=1, kind="stable")[:, :top]
    found = [
        right in [names[place] for place in row]
        for row, (_, right) in zip(order, tickets.answered, strict=True)
    ]
    return float(np.mean(found))


def some_articles() -> list[Article]:
    return [
        Article("VPN", "The VPN does not connect", symptoms=("tunnel drops", "gateway timeout")),
        Article("PRINT", "The printer does not print", symptoms=("paper jam", "toner empty")),
        Article("MAIL", "The mailbox is full", body="Delete old mail.\n\nEmpty the deleted items."),
    ]


def ids(hits: list[ArticleHit]) -> list[str]:
    return [hit.id for hit in hits]


# Measured on the odd rows, figures in docs/benchmarks.md.
@pytest.mark.parametrize(
    ("language", "first", "among_three"), [("en", 0.6, 0.78), ("de", 0.7, 0.8)]
)
def test_words_alone_find_most_of_what_was_worded_apart(
    base: KnowledgeBase, language: str, first: float, among_three: float
) -> None:
    tickets = judged(language)
    recommender = ArticleRecommender(base)

    assert recall(recommender, tickets, 1) >= first
    assert recall(recommender, tickets, 3) >= among_three


@needs_meaning
@pytest.mark.parametrize(
    ("language", "first", "among_three"), [("en", 0.78, 0.92), ("de", 0.75, 0.85)]
)
def test_meaning_finds_more_also_of_german_said_in_english(
    reader: ArticleRecommender, language: str, first: float, among_three: float
) -> None:
    tickets = judged(language)

    assert recall(reader, tickets, 1) >= first
    assert recall(reader, tickets, 3) >= among_three


@needs_meaning
def test_nothing_is_offered_for_nine_in_ten_tickets_that_no_article_answers(
    reader: ArticleRecommender,
) -> None:
    texts = judged("en").unanswered + judged("de").unanswered

    silent = [not hits for hits in reader.rank(texts)]

    assert np.mean(silent) >= 0.9


def test_scores_are_shares_of_one_certainty(base: KnowledgeBase) -> None:
    texts = [text for text, _ in judged("en").answered]

    everything = ArticleRecommender(base, threshold=0).rank(texts, top=len(base.articles))

    assert all(sum(hit.score for hit in hits) < 1 for hits in everything)


@needs_meaning
def test_vectors_are_kept_and_only_what_changed_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    articles = some_articles()
    encode_articles(articles, tmp_path)
    read: list[str] = []
    changed = [*articles[:2], replace(articles[2], title="No room in the mailbox")]

    class Counting:
        def __init__(self) -> None:
            from triage.semantic import load_encoder

            self.inner = load_encoder()

        def encode(self, texts: list[str], tokens: int) -> np.ndarray:
            read.extend(texts)
            return self.inner.encode(texts, tokens)

    encoder = Counting()
    monkeypatch.setattr("triage.article_vectors.load_encoder", lambda: encoder)
    kept = cached_vectors(articles, tmp_path)
    before = cached_vectors(changed, tmp_path)
    encode_articles(changed, tmp_path)

    assert kept is not None and before is None
    assert len(read) == 2 and all(text.startswith("No room in the mailbox") for text in read)


@needs_meaning
def test_a_cache_that_is_no_cache_is_done_without(tmp_path: Path) -> None:
    (tmp_path / CACHE_FILE).write_bytes(b"PK\x03\x04 not at all")

    vectors = encode_articles(some_articles(), tmp_path)

    assert vectors.likeness(np.ones((1, 384), dtype=np.float32)).shape == (1, 3)
    assert cached_vectors(some_articles(), tmp_path) is not None


@needs_meaning
def test_meaning_makes_sure_of_what_words_only_guess() -> None:
    base = KnowledgeBase(some_articles())
    by_words, reading = (
        ArticleRecommender(base),
        ArticleRecommender(base, vectors=encode_articles(base.articles)),
    )
    text = "There is no space left for new messages in my inbox"

    guessed, read = by_words.search(text), reading.search(text)

    assert ids(read)[0] == "MAIL"
    assert read[0].score > 5 * max((hit.score for hit in guessed), default=0)


def test_experience_decides_between_articles_that_words_cannot_tell_apart() -> None:
    base = KnowledgeBase(some_articles())
    weights = sp.csr_matrix(np.array([[0.0, 2.0], [1.0, 0.0]]))
    experience = Experience(("VPN", "PRINT"), weights, {})
    recommender = ArticleRecommender(base, experience=experience, threshold=0)
    rows = sp.csr_matrix(np.array([[1.0, 0.0], [0.0, 1.0]]))

    printing, tunnelling = recommender.rank(["does not", "does not"], matrix=rows)

    assert ids(printing)[0] == "PRINT"
    assert ids(tunnelling)[0] == "VPN"


def test_meaning_is_left_unread_where_words_and_experience_are_sure() -> None:
    base = KnowledgeBase(some_articles())
    experience = Experience(("VPN", "PRINT"), sp.csr_matrix(np.array([[0.0, 9.0], [0.1, 0.0]])), {})
    # To this ticket's meaning only the third article comes close.
    meaning = np.eye(1, DIMENSIONS, dtype=np.float32)
    vectors = ArticleVectors(np.eye(3, DIMENSIONS, k=-2, dtype=np.float32), np.arange(3))
    going_by = {
        "words": ArticleRecommender(base, experience=experience),
        "meaning": ArticleRecommender(base, experience=experience, vectors=vectors),
    }

    sure, unsure = (
        {
            who: one.log_odds(["paper jam"], matrix=row, meaning=meaning)[0]
            for who, one in going_by.items()
        }
        for row in sp.csr_matrix(np.eye(2))
    )

    assert (sure["words"] == sure["meaning"]).all()
    assert sure["words"].argmax() == 1
    assert unsure["meaning"][2] > unsure["words"][2]


def test_an_article_without_experience_counts_as_an_average_one() -> None:
    weights = sp.csr_matrix(np.array([[3.0, 1.0]]))

    spoken = Experience(("A", "B"), weights, {}).speak(sp.csr_matrix(np.array([[1.0]])))

    assert spoken.mean() == 0 and spoken[0, 0] > 0 > spoken[0, 1]


def test_without_experience_features_change_nothing() -> None:
    base = KnowledgeBase(some_articles())
    rows = sp.csr_matrix(np.eye(1))

    with_rows = ArticleRecommender(base).rank(["paper jam"], matrix=rows)
    without = ArticleRecommender(base, experience=Experience(uses={"VPN": ArticleUse(1, 2)}))

    assert with_rows == without.rank(["paper jam"])


def test_the_snippet_is_the_line_that_says_what_the_ticket_says() -> None:
    recommender = ArticleRecommender(KnowledgeBase(some_articles()), threshold=0)

    (jam,) = recommender.rank(["paper jam again"], top=1)
    (full,) = recommender.rank(["mailbox full: how do I empty deleted items?"], top=1)

    assert jam[0].snippet == "paper jam"
    assert full[0].snippet == "Empty the deleted items."


def test_a_long_line_is_cut_in_a_snippet() -> None:
    article = Article("A", "Slow", symptoms=("queue " + "word " * 100,))

    (hits,) = ArticleRecommender(KnowledgeBase([article]), threshold=0).rank(["queue word"])

    assert len(hits[0].snippet) <= 200 and hits[0].snippet.endswith("...")


def test_articles_nobody_reviewed_lately_are_marked() -> None:
    today = date.today()
    fresh, old = today - timedelta(days=30), today - timedelta(days=400)
    articles = [
        Article("FRESH", "Paper jam in the tray", reviewed=fresh),
        Article("OLD", "Toner is empty", reviewed=old),
    ]
    base = KnowledgeBase(articles)

    marked = {
        hit.id: hit.is_stale
        for hits in ArticleRecommender(base, threshold=0).rank(["paper jam", "toner empty"])
        for hit in hits
    }
    lenient = ArticleRecommender(base, threshold=0, review_days=0).rank(["toner empty"])

    assert marked == {"FRESH": False, "OLD": True}
    assert not lenient[0][0].is_stale


def test_an_article_of_words_that_say_nothing_is_found_by_nothing_and_breaks_nothing() -> None:
    base = KnowledgeBase([Article("A", "How do I get this for you and me?"), *some_articles()])

    hits = ArticleRecommender(base, threshold=0).rank(["How do I get this for you? paper jam"])

    assert ids(hits[0])[:1] == ["PRINT"]
    assert base.index.matched_words("paper jam", [0]) == [[]]


@needs_meaning
def test_another_knowledge_base_does_not_take_the_cache_away(tmp_path: Path) -> None:
    encode_articles(some_articles(), tmp_path)

    encode_articles([Article("OTHER", "The coffee machine leaks")], tmp_path)

    assert cached_vectors(some_articles(), tmp_path) is not None


@needs_meaning
def test_an_article_in_german_is_read_in_english_as_its_tickets_are() -> None:
    german = Article(
        "DE",
        "Kennwort vergessen",
        body="Das Kennwort wird im Portal zurückgesetzt. Der Benutzer meldet sich danach neu an.",
    )
    base = KnowledgeBase([german, *some_articles()])
    recommender = ArticleRecommender(base, vectors=encode_articles(base.articles))

    assert recommender.search("I can't remember my password and need a reset")[0].id == "DE"
