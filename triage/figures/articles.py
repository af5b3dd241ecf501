"""Knowledge: where no article was offered, and what became of those that were."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from triage.figures.ended import TierOrder
from triage.figures.figure import Count, Figure, Point, Series
from triage.figures.handled import Answered, ArticleFacts

WITHOUT_ARTICLE = "without_article"

_HOW_WITHOUT = (
    "Tickets that a person has judged or that have ended and for which no article was offered, of "
    "those whose answers were looked at."
)


@dataclass(frozen=True, slots=True)
class ArticleJudged:
    """How often people called an article helpful, of all they said about it."""

    article_id: str
    helpful: int
    judged: int


@dataclass(frozen=True, slots=True)
class ArticlesUsed:
    """The articles that were used for a ticket that has ended, and the tiers it came to."""

    article_ids: tuple[str, ...]
    tiers: tuple[str, ...]


class ArticleCounter:
    """Counts offers and uses of articles; the knowledge base says what they are called."""

    def __init__(self, order: TierOrder, articles: Mapping[str, ArticleFacts]) -> None:
        self._order = order
        self._articles = articles
        self._asked: Counter[str] = Counter()
        self._without: Counter[str] = Counter()
        self._answers = 0
        self._offered: Counter[str] = Counter()
        self._used: Counter[str] = Counter()
        self._escalated: Counter[str] = Counter()
        self._judged: list[ArticleJudged] = []

    def offer(self, answer: Answered) -> None:
        """Count what an answer offered."""
        self._answers += 1
        self._offered.update(set(answer.articles))
        one = answer.handled
        if one.is_newest and (one.word or one.ending):
            category = one.filed_as or ""
            self._asked[category] += 1
            self._without[category] += not answer.articles

    def use(self, used: ArticlesUsed) -> None:
        """Count the articles that a ticket was worked with."""
        for article_id in set(used.article_ids):
            self._used[article_id] += 1
            self._escalated[article_id] += self._went_above(article_id, used.tiers)

    def judge(self, judged: Iterable[ArticleJudged]) -> None:
        """Take what people said about articles."""
        self._judged.extend(judged)

    def figures(self) -> list[Figure]:
        """Give the share of tickets without an article, and of articles that nobody was offered."""
        never = self._never_offered()
        return [
            Figure(
                WITHOUT_ARTICLE,
                "No article offered",
                "share",
                Count(sum(self._without.values()), sum(self._asked.values())),
                _HOW_WITHOUT,
            ),
            Figure(
                "articles_never_offered",
                "Articles never offered",
                "share",
                Count(len(never), len(self._articles) if self._answers else 0),
                "Articles of the knowledge base that none of the answers looked at offered, and "
                "that no outcome says were used, of all articles there are.",
            ),
        ]

    def series(self, categories: Mapping[str, str]) -> list[Series]:
        """Give the gaps by category, and what is known of each article."""
        gaps = sorted(self._asked, key=lambda label: (-self._without[label], label))
        never = self._never_offered() if self._answers else []
        judged = sorted(self._judged, key=lambda one: (one.helpful - one.judged, one.article_id))
        used = sorted(self._used, key=lambda one: (-self._escalated[one], -self._used[one], one))
        return [
            Series(
                WITHOUT_ARTICLE,
                "No article offered",
                "category",
                "share",
                tuple(
                    Point(label, categories.get(label, label), self._gap(label)) for label in gaps
                ),
                _HOW_WITHOUT,
            ),
            Series(
                "articles_helpful",
                "Judged helpful",
                "article",
                "share",
                tuple(
                    Point(
                        one.article_id, self._title(one.article_id), Count(one.helpful, one.judged)
                    )
                    for one in judged
                ),
                "Times that a person called the article helpful, of the times that anybody called "
                "it helpful or wrong; each person's last word on a ticket.",
            ),
            Series(
                "articles_escalated",
                "Used, and escalated anyway",
                "article",
                "share",
                tuple(
                    Point(one, self._title(one), Count(self._escalated[one], self._used[one]))
                    for one in used
                ),
                "Ended tickets that came above the article's own tier (the first tier where it "
                "names none), of those that it was used for.",
            ),
            Series(
                "articles_never_offered",
                "Never offered",
                "article",
                "count",
                tuple(Point(one, self._title(one), Count(0, self._answers)) for one in never),
                "How many of the answers looked at offered the article: none.",
            ),
        ]

    def _gap(self, category: str) -> Count:
        return Count(self._without[category], self._asked[category])

    def _never_offered(self) -> list[str]:
        return sorted(set(self._articles) - set(self._offered) - set(self._used))

    def _title(self, article_id: str) -> str:
        article = self._articles.get(article_id)
        return f"{article_id}: {article.title}" if article else article_id

    def _went_above(self, article_id: str, tiers: tuple[str, ...]) -> bool:
        article = self._articles.get(article_id)
        own = self._order.rank(article.tier if article else None)
        meant = self._order.rank(self._order.first) if own is None else own
        assert meant is not None
        ranks = [rank for tier in tiers if (rank := self._order.rank(tier)) is not None]
        return any(rank > meant for rank in ranks)
