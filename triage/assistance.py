"""What the desk gets beside the labels: articles, steps, questions, similar tickets, a hand-off."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from triage import policy
from triage.article import Article
from triage.article_check import REVIEW_DAYS
from triage.details import (
    known_details,
    needed_details,
    question_of,
    ticket_language,
    weights_for,
)
from triage.experience import ArticleUse
from triage.first_steps import first_steps, fitting_articles
from triage.handoff import MIN_COMPLETENESS, hand_off
from triage.knowledge import KnowledgeBase
from triage.past import Recalled
from triage.suggestion import ArticleHit, Handoff, Prediction, Reason, Step
from triage.taxonomy import Taxonomy
from triage.ticket import Ticket

_UNREADABLE = (policy.EMPTY.code, policy.OUT_OF_DOMAIN.code)


@dataclass(frozen=True, slots=True)
class DeskRules:
    """What a desk sets: completeness from which a hand-off is ready, days an article stays fresh.

    0 asks for nothing, and lets articles grow old.
    """

    min_completeness: float = MIN_COMPLETENESS
    review_days: int = REVIEW_DAYS


@dataclass(frozen=True, slots=True)
class Labels:
    """Where a ticket belongs and why, as far as it is known; ``tier_shares`` by tier id."""

    tier: Prediction | None
    category: Prediction | None
    next_tier: str | None
    reasons: Sequence[Reason]
    tier_shares: Mapping[str, float] | None
    is_wide: bool


@dataclass(frozen=True, slots=True)
class Assistance:
    """Help with one ticket; the parts are those of `triage.suggestion.Suggestion`."""

    articles: list[ArticleHit]
    steps: list[Step]
    missing_details: list[str]
    handoff: Handoff | None
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class Helper:
    """Helps with tickets out of a desk's knowledge.

    ``uses`` tell how often articles helped, ``detail_weights`` by category what each detail weighs
    where outcomes taught it, ``min_completeness`` from when on a hand-off is ready.
    """

    knowledge: KnowledgeBase
    taxonomy: Taxonomy
    uses: Mapping[str, ArticleUse] = field(default_factory=dict)
    detail_weights: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    min_completeness: float = MIN_COMPLETENESS

    def assist(
        self, ticket: Ticket, hits: Sequence[ArticleHit], labels: Labels, recalled: Recalled
    ) -> Assistance:
        """Help with a prepared ticket.

        Parameters
        ----------
        hits : articles that match the text, best first
        recalled : what was remembered about it
        """
        category = labels.category.label if labels.category else None
        is_empty = not ticket.subject and not ticket.description
        articles = fitting_articles(
            [] if is_empty else hits,
            self.knowledge,
            self.taxonomy,
            labels.tier_shares,
            labels.is_wide,
        )
        best = self.knowledge.get(articles[0].id) if articles else None
        weights = weights_for(category, self.taxonomy, self.detail_weights)
        # Nobody can tell what a text that says nothing of IT still lacks.
        is_readable = not any(reason.code in _UNREADABLE for reason in labels.reasons)
        required = best.required_details if best else ()
        needed = (
            needed_details(category, self.taxonomy, required=required, weights=weights)
            if is_readable
            else []
        )
        known = known_details(ticket, needed)
        missing = [detail for detail in needed if detail.id not in known]
        language = ticket_language(ticket)
        return Assistance(
            articles,
            first_steps(
                articles,
                self.knowledge,
                self.taxonomy,
                category=category,
                missing=missing,
                language=language,
                is_wide=labels.is_wide or recalled.incident is not None,
                uses=self.uses,
            ),
            [question_of(detail, language) for detail in missing],
            hand_off(
                ticket,
                taxonomy=self.taxonomy,
                tier=labels.tier,
                category=labels.category,
                next_tier=labels.next_tier,
                needed=needed,
                known=known,
                reasons=labels.reasons,
                articles=articles,
                similar=recalled.similar,
                incident=recalled.incident,
                weights=weights,
                min_completeness=self.min_completeness,
            )
            if self._goes_up(labels)
            else None,
            list(_warnings(articles, best, recalled)),
        )

    def _goes_up(self, labels: Labels) -> bool:
        """Tell whether the tier that resolves it is above the first that works by the day."""
        order = list(self.taxonomy.tiers)
        tier = labels.tier.label if labels.tier else None
        if tier not in order:
            return False
        first = next((n for n, one in enumerate(self.taxonomy.tiers.values()) if one.daily), 0)
        return order.index(tier) > first


def _warnings(
    articles: Sequence[ArticleHit], best: Article | None, recalled: Recalled
) -> Iterator[str]:
    if not articles:
        yield "No article of the knowledge base fits this ticket."
    if best is not None and best.reviewed and articles[0].is_stale:
        yield f"Article {articles[0].id} is due for a review: check its steps first."
    if recalled.incident:
        yield (
            f"Perhaps part of an incident: {len(recalled.incident.tickets)} tickets say much the "
            f"same since {recalled.incident.since}."
        )
    twins = [ticket.ticket_id for ticket in recalled.similar if ticket.is_open]
    if twins:
        yield f"Perhaps reported already: {', '.join(twins)} is open and says much the same."
