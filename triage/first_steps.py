"""What tier 1 does first: the articles that fit the ticket, and the steps they give."""

from collections.abc import Mapping, Sequence

from triage.knowledge import KnowledgeBase
from triage.suggestion import ArticleHit, Step
from triage.taxonomy import Taxonomy

N_ARTICLES = 3

# An article for a lower tier is routine: of no help when that tier hardly ever resolves this.
_ROUTINE_SHARE = 0.2


def fitting_articles(
    hits: Sequence[ArticleHit],
    knowledge: KnowledgeBase,
    taxonomy: Taxonomy,
    tier_shares: Mapping[str, float] | None,
    is_wide: bool,
) -> list[ArticleHit]:
    """Keep the articles that are not routine for a ticket that is not.

    Parameters
    ----------
    hits : articles that match the text, best first
    tier_shares : probability of each tier, or None when unknown
    is_wide : whether the text says that many people are affected
    """
    order = list(taxonomy.tiers)
    first_daily = next(
        (place for place, tier in enumerate(taxonomy.tiers.values()) if tier.daily), 0
    )
    kept = []
    for hit in hits:
        article = knowledge.get(hit.id)
        if article is not None and article.tier in order:
            rank = order.index(article.tier)
            if is_wide and rank <= first_daily:
                continue
            if tier_shares is not None and _share_up_to(rank, tier_shares, order) < _ROUTINE_SHARE:
                continue
        kept.append(hit)
    return kept[:N_ARTICLES]


def first_steps(
    articles: Sequence[ArticleHit],
    knowledge: KnowledgeBase,
    taxonomy: Taxonomy,
    category: str | None,
) -> tuple[list[Step], list[str]]:
    """Take the best article's steps; without one, the details to collect.

    Returns
    -------
    the steps, and the questions for the details that the category asks for
    """
    best = knowledge.get(articles[0].id) if articles else None
    questions = [detail.question.get("en", detail.name) for detail in taxonomy.details_of(category)]
    if best is not None and best.steps:
        return [Step(text, best.id) for text in best.steps], questions
    return [Step(f"Ask and record: {question}", None) for question in questions], questions


def _share_up_to(rank: int, tier_shares: Mapping[str, float], order: Sequence[str]) -> float:
    return sum(
        share
        for label, share in tier_shares.items()
        if label not in order or order.index(label) <= rank
    )
