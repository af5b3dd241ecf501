"""What tier 1 does first: the articles that fit the ticket, and the steps they give."""

from collections.abc import Mapping, Sequence

from triage.details import question_of
from triage.experience import ArticleUse
from triage.knowledge import KnowledgeBase
from triage.suggestion import ArticleHit, Step
from triage.taxonomy import Detail, Taxonomy

N_ARTICLES = 3

# An article for a lower tier is routine: of no help when that tier hardly ever resolves this.
_ROUTINE_SHARE = 0.2

_RECORD_CHECK = "The number of the major incident, or that none is open."
_RECORD_ANSWER = "The answer, in the requester's words."
_RECORD_STEP = "Whether it helped, did nothing, or could not be done."
_RECORD_VERIFIED = "That it was verified, and by whom."
_RECORD_ESCALATION = "Which of these it was, and every step that was tried."


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
    *,
    category: str | None,
    missing: Sequence[Detail],
    language: str,
    is_wide: bool,
    uses: Mapping[str, ArticleUse],
) -> list[Step]:
    """Order what tier 1 does: check, follow the best article or the runbook, verify, escalate.

    Without an article and without a runbook, the missing details are what to ask for. Steps come
    from articles and the taxonomy, never from a ticket's text.

    Parameters
    ----------
    articles : those offered, best first
    missing : details that the ticket does not state, the most telling first
    language : to ask for them in
    is_wide : whether many people seem to be hit: a major incident is looked for first
    uses : how often articles have helped
    """
    steps = []
    if is_wide and taxonomy.wide_impact.check:
        named = taxonomy.wide_impact.article
        source = named if named and knowledge.get(named) else None
        steps.append(Step(taxonomy.wide_impact.check, source, "check", _RECORD_CHECK))
    best = knowledge.get(articles[0].id) if articles else None
    if best is not None and best.steps:
        use = uses.get(best.id)
        solved, tried = (use.solved, use.tried) if use else (None, None)
        steps += [Step(text, best.id, "do", _RECORD_STEP, solved, tried) for text in best.steps]
        steps += [Step(text, best.id, "verify", _RECORD_VERIFIED) for text in best.verify]
        steps += [
            Step(text, best.id, "escalate", _RECORD_ESCALATION) for text in best.escalate_when
        ]
        return steps
    runbook = taxonomy.runbook_of(category)
    steps += [Step(text, None, "do", _RECORD_STEP) for text in runbook]
    steps += [
        Step(question_of(detail, language), None, "ask", _RECORD_ANSWER) for detail in missing
    ]
    return steps


def _share_up_to(rank: int, tier_shares: Mapping[str, float], order: Sequence[str]) -> float:
    return sum(
        share
        for label, share in tier_shares.items()
        if label not in order or order.index(label) <= rank
    )
