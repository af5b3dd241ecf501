"""The engine of a desk without a history: suggestions from its articles and taxonomy alone."""

import hashlib
import json
import math
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from triage import policy, tier_rules
from triage.article_vectors import ArticleVectors
from triage.assistance import DeskRules, Helper, Labels
from triage.classifier import TicketClassifier
from triage.details import prime
from triage.first_steps import N_ARTICLES
from triage.knowledge import KnowledgeBase, load_knowledge
from triage.model import Head
from triage.past import Past, Recalled
from triage.policy import TargetPolicy, Verdicts
from triage.prepare import prepare
from triage.recommender import ArticleRecommender
from triage.suggestion import Answer, ArticleHit, Decision, Prediction, Reason, Suggestion
from triage.taxonomy import Taxonomy, load_taxonomy
from triage.ticket import Ticket
from triage.untrained import UntrainedClassifier
from triage.wide_impact import says_many_are_hit

NO_HISTORY = Reason(
    "no_history",
    "Nothing was learned from past tickets yet: this rests on likeness to articles alone.",
    "Confirm or correct it. To do better, learn from your history: triage train HISTORY",
)
NO_ARTICLE = Reason(
    "no_article",
    "No article of the knowledge base fits this ticket.",
    "Let a person read it; where such tickets are common, write an article about them.",
)


@dataclass(frozen=True)
class KnowledgeEngine:
    """Articles and a taxonomy, ready to answer; nothing of it was learned.

    Made by `load_knowledge_engine`, and used like a `triage.engine.TriageEngine`. It never says
    "route": no outcome bears out its confidence.
    """

    version: str
    taxonomy: Taxonomy
    categories: tuple[str, ...]
    classifier: UntrainedClassifier
    recommender: ArticleRecommender = field(repr=False)
    _policies: Mapping[str, TargetPolicy] = field(repr=False)
    rules: DeskRules = field(default_factory=DeskRules)

    basis: ClassVar[Literal["knowledge"]] = "knowledge"
    manifest: ClassVar[Mapping[str, Any]] = {}

    @property
    def knowledge(self) -> KnowledgeBase:
        """The articles it answers from."""
        return self.recommender.knowledge

    def with_articles(
        self, knowledge: KnowledgeBase, vectors: ArticleVectors | None
    ) -> "KnowledgeEngine":
        """Give an engine that answers from other articles, and is the same otherwise."""
        return knowledge_engine(
            knowledge,
            self.taxonomy,
            categories=self.categories,
            vectors=vectors,
            rules=self.rules,
        )

    @property
    def thresholds(self) -> Mapping[str, Mapping[str, float | None]]:
        """Give each target's labels; None for each, because it is never routed."""
        return {target: dict.fromkeys(labels) for target, labels in self.classifier.labels.items()}

    def suggest(self, tickets: Sequence[Ticket]) -> list[Suggestion]:
        """Answer tickets, in their order."""
        return [answer.suggestion for answer in self.answer(tickets)]

    @property
    def helper(self) -> Helper:
        """What tier 1 is helped with, beside labels."""
        return Helper(self.knowledge, self.taxonomy, min_completeness=self.rules.min_completeness)

    def answer(self, tickets: Sequence[Ticket], past: Past | None = None) -> list[Answer]:
        """Answer tickets, in their order, each beside the form of it that may be stored.

        Parameters
        ----------
        past : what the desk has seen before, where there is a memory of it
        """
        if not tickets:
            return []
        prepared = [prepare(ticket) for ticket in tickets]
        texts = [f"{ticket.subject}\n{ticket.description}" for ticket in prepared]
        hits = self.recommender.rank(texts, top=2 * N_ARTICLES)
        is_wide = [says_many_are_hit(ticket, self.taxonomy) for ticket in prepared]
        # What no article fits is foreign to this desk, unless it says that a whole site is down.
        readable = np.array([bool(found) for found in hits]) | np.array(is_wide)
        verdicts = {
            target: self._policies[target].judge(guesses, readable)
            for target, guesses in self.classifier.predict_proba(prepared).items()
        }
        recalled = past.recall(prepared) if past else [Recalled()] * len(prepared)
        return [
            Answer(
                self._suggestion(ticket, verdicts, row, hits[row], is_wide[row], recalled[row]),
                ticket,
            )
            for row, ticket in enumerate(prepared)
        ]

    def _suggestion(
        self,
        ticket: Ticket,
        verdicts: Mapping[str, Verdicts],
        row: int,
        hits: list[ArticleHit],
        is_wide: bool,
        recalled: Recalled,
    ) -> Suggestion:
        predictions = {
            target: replace(self._policies[target].prediction(verdict, row), basis=self.basis)
            for target, verdict in verdicts.items()
        }
        confidence = _together(predictions.values())
        decision, reasons = self._decide(verdicts, row, hits)
        if not ticket.subject and not ticket.description:
            reasons = [policy.EMPTY]
        if is_wide:
            reasons = [policy.WIDE_IMPACT, *reasons]
        tier, category = predictions.get("tier"), predictions.get("category")
        shares = {
            target: self._shares(verdict, target, row) for target, verdict in verdicts.items()
        }
        tier_shares = shares.get("tier")
        if category is not None and category.label is not None and tier_shares is None:
            tier_shares = tier_rules.usual_tiers(shares["category"], self.taxonomy)
            tier = tier_rules.usual_tier(category.label, tier_shares, self.taxonomy)
        if is_wide and tier is not None and tier_shares is not None:
            tier = tier_rules.raised_tier(tier, tier_shares, self.taxonomy)
        # Tiers are guessed from these very articles, and can say nothing against one of them.
        next_tier = tier_rules.next_tier(tier.label, self.taxonomy) if tier else None
        labels = Labels(tier, category, next_tier, reasons, None, is_wide)
        help_ = self.helper.assist(ticket, hits, labels, recalled)
        return Suggestion(
            suggestion_id=secrets.token_hex(16),
            ticket_id=ticket.id,
            model_version=self.version,
            decision=decision,
            confidence=confidence,
            reasons=reasons,
            tier=tier,
            category=category,
            next_tier=next_tier,
            steps=help_.steps,
            articles=help_.articles,
            similar=recalled.similar,
            missing_details=help_.missing_details,
            handoff=help_.handoff,
            incident=recalled.incident,
            warnings=help_.warnings,
        )

    def _decide(
        self, verdicts: Mapping[str, Verdicts], row: int, hits: list[ArticleHit]
    ) -> tuple[Decision, list[Reason]]:
        shown = [verdict.depth[row] > 0 for verdict in verdicts.values()]
        # Articles that name neither category nor tier are worth showing, too.
        if any(shown) or (hits and not shown):
            told = [self._policies[t].overruled(verdict, row) for t, verdict in verdicts.items()]
            return "suggest", [NO_HISTORY, *(reason for reason in told if reason)]
        if not hits:
            return "review", [NO_ARTICLE, NO_HISTORY]
        held_back = [self._policies[t].held_back(verdict, row) for t, verdict in verdicts.items()]
        return "review", [*held_back, NO_HISTORY]

    def _shares(self, verdicts: Verdicts, target: str, row: int) -> dict[str, float]:
        labels = self.classifier.labels[target]
        return dict(zip(labels, verdicts.probabilities[row].tolist(), strict=True))


def load_knowledge_engine(
    knowledge: Path, taxonomy: Path | None = None, rules: DeskRules | None = None
) -> KnowledgeEngine:
    """Make an engine of a folder of articles and a taxonomy file.

    Categories are those that articles name; the taxonomy's others only where the desk has a
    taxonomy of its own, because those of the package's are not its words.

    Raises
    ------
    KnowledgeError : the folder of articles cannot be read
    ConfigurationError : the taxonomy makes no sense
    """
    base, words = load_knowledge(knowledge), load_taxonomy(taxonomy)
    categories = list(words.categories) if taxonomy else []
    return knowledge_engine(base, words, categories=categories, rules=rules)


def knowledge_engine(
    knowledge: KnowledgeBase,
    taxonomy: Taxonomy,
    *,
    categories: Sequence[str] = (),
    vectors: ArticleVectors | None = None,
    rules: DeskRules | None = None,
) -> KnowledgeEngine:
    """Make an engine of articles and a taxonomy.

    Parameters
    ----------
    categories : those to choose from beside the ones that articles name
    vectors : what the articles mean, or None to go by words alone
    """
    rules = rules or DeskRules()
    prime(taxonomy)
    classifier = UntrainedClassifier(knowledge, taxonomy, categories)
    content = json.dumps([knowledge.version, taxonomy.to_dict(), classifier.labels], sort_keys=True)
    return KnowledgeEngine(
        version=f"knowledge-{hashlib.sha256(content.encode()).hexdigest()[:8]}",
        taxonomy=taxonomy,
        categories=tuple(categories),
        classifier=classifier,
        recommender=ArticleRecommender(knowledge, vectors=vectors, review_days=rules.review_days),
        rules=rules,
        _policies={
            target: policy.policy_of(target, _head(labels), taxonomy)
            for target, labels in classifier.labels.items()
        },
    )


def _head(labels: Sequence[str]) -> Head:
    """Make labels a head that promises nothing: none is ever routed, no set can be stated."""
    unfitted = TicketClassifier()
    unfitted.classes_ = np.array(labels, dtype=object)
    return Head(unfitted, dict.fromkeys(labels), np.full(len(labels), 2.0))


def _together(predictions: Collection[Prediction]) -> float:
    """Guess how likely all of them are right, as if they had nothing to do with each other.

    On the sample history, tier and category are right together more often than this says.
    """
    if not predictions:
        return 0.0
    return round(math.prod(prediction.confidence for prediction in predictions), 4)
