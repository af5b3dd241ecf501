"""What an editor should put right in articles that can be read: `triage kb check`."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from triage.article import Article, Problem
from triage.article_risks import asks_for_secret, unwarned_harm
from triage.taxonomy import Taxonomy
from triage.words import stems, words

REVIEW_DAYS = 365
"""Days after which an article is to be reviewed again, unless the desk says otherwise."""

DRAFT_PREFIX = "DRAFT-"
"""How the ids of drafts begin; who publishes one gives it an id of its own."""


def check(
    articles: Sequence[Article],
    taxonomy: Taxonomy,
    *,
    today: date,
    review_days: int = REVIEW_DAYS,
) -> list[Problem]:
    """Find what an editor should put right, article by article.

    Unknown categories, tiers and details and steps that ask for a password are errors. No steps,
    a step that may do harm without a word of warning, a review too long ago, an id of a draft and
    a title that says the same as another are warnings.

    Parameters
    ----------
    review_days : days after which a review is too long ago; 0 lets articles grow old

    Returns
    -------
    problems in the order of the articles; ``file`` is the article's id
    """
    problems: list[Problem] = []
    id_of_title: dict[frozenset[str], str] = {}
    for article in articles:
        problems += [Problem(article.id, None, reason) for reason in _errors(article, taxonomy)]
        warnings = list(_warnings(article, today, review_days))
        title = frozenset(stem for word in words(article.title) for stem in stems(word))
        title = title or frozenset([article.title])
        twin = id_of_title.setdefault(title, article.id)
        if twin != article.id:
            warnings.append(f"the title says the same as that of {twin}: merge or rename")
        problems += [Problem(article.id, None, reason, "warning") for reason in warnings]
    return problems


def is_stale(article: Article, today: date, days: int = REVIEW_DAYS) -> bool:
    """Tell whether nobody has reviewed an article for more than so many days; 0: never stale."""
    if not days:
        return False
    return article.reviewed is None or today - article.reviewed > timedelta(days=days)


def _errors(article: Article, taxonomy: Taxonomy) -> Iterator[str]:
    if article.category is not None and article.category not in taxonomy.categories:
        yield f"category {article.category!r} is not in the taxonomy"
    if article.tier is not None and article.tier not in taxonomy.tiers:
        yield f"tier {article.tier!r} is not in the taxonomy"
    for detail in article.required_details:
        if detail not in taxonomy.details:
            yield f"required detail {detail!r} is not in the taxonomy"
    for number, step in enumerate(article.steps, start=1):
        if asks_for_secret(step):
            yield f"step {number} asks for a password: nobody at the desk ever needs one"


def _warnings(article: Article, today: date, review_days: int) -> Iterator[str]:
    if article.id.startswith(DRAFT_PREFIX):
        yield "still a draft: fill in what is in capitals, and give it an id of its own"
    if not article.steps:
        yield 'no steps: add a section "## Steps" with a numbered list'
    for number, step in enumerate(article.steps, start=1):
        if harm := unwarned_harm(step):
            yield f"step {number} uses {harm!r} without a word of warning"
    if article.reviewed is not None and article.reviewed > today:
        yield f"reviewed on {article.reviewed}, which is yet to come"
    elif is_stale(article, today, review_days):
        yield (
            f"last reviewed on {article.reviewed}: review it again"
            if article.reviewed
            else "never reviewed: add reviewed: YYYY-MM-DD"
        )
