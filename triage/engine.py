"""The engine: load a bundle, turn tickets into suggestions."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from triage import policy
from triage.bundle import load_bundle, resolve_model
from triage.explain import map_terms, weigh_terms
from triage.knowledge import ArticleRecommender, KnowledgeBase, load_knowledge
from triage.model import TriageModel
from triage.prepare import prepare
from triage.suggestion import ArticleHit, Decision, Step, Suggestion, TermWeight
from triage.ticket import Ticket

FloatArray = npt.NDArray[np.float64]

_EXPLAINED = ("tier", "category")
_N_ARTICLES = 3
# An article for a lower tier is routine: of no help when that tier hardly ever resolves this.
_ROUTINE_SHARE = 0.2


@dataclass(frozen=True)
class TriageEngine:
    """A verified model beside a knowledge base, ready to answer.

    Made by `load_engine`. Answers are independent of one another and of the batch they come in;
    one engine may serve several threads.
    """

    version: str
    manifest: Mapping[str, Any]
    model: TriageModel
    knowledge: KnowledgeBase
    _recommender: ArticleRecommender = field(repr=False)

    def redacted(self, ticket: Ticket) -> Ticket:
        """Clean a ticket's text and take personal data out: the form that may be stored."""
        return prepare(ticket)

    def suggest(self, tickets: Sequence[Ticket]) -> list[Suggestion]:
        """Answer tickets, in their order."""
        if not tickets:
            return []
        prepared = [prepare(ticket) for ticket in tickets]
        matrix, familiarity = self.model.features.analyse(prepared)
        probabilities = {
            target: head.classifier.predict_proba(matrix)
            for target, head in self.model.heads.items()
        }
        is_wide = np.array([self._says_many_are_hit(ticket) for ticket in prepared])
        # Whoever says that a whole site is down speaks of IT, however short and oddly.
        readable = self._readable(prepared, familiarity) | is_wide
        decisions = self._decisions(probabilities, readable)
        joint = self._joint_confidence(probabilities)
        articles = self._rank_articles(prepared, probabilities)
        return [
            self._answer(
                ticket,
                matrix[row],
                bool(readable[row]),
                bool(is_wide[row]),
                {target: values[row] for target, values in probabilities.items()},
                {target: values[row] for target, values in decisions.items()},
                float(joint[row]),
                articles[row],
            )
            for row, ticket in enumerate(prepared)
        ]

    def classify(
        self, tickets: Sequence[Ticket]
    ) -> tuple[dict[str, FloatArray], dict[str, list[Decision]]]:
        """Give each target's class probabilities and decision, and no more.

        Returns
        -------
        dict : target -> ndarray of shape (n_tickets, n_classes)
        dict : target -> decision for each ticket; "route" only where the whole ticket may be routed
        """
        prepared = [prepare(ticket) for ticket in tickets]
        matrix, familiarity = self.model.features.analyse(prepared)
        probabilities = {
            target: head.classifier.predict_proba(matrix)
            for target, head in self.model.heads.items()
        }
        decisions = self._decisions(probabilities, self._readable(prepared, familiarity))
        is_wide = [self._says_many_are_hit(ticket) for ticket in prepared]
        return probabilities, self._held_back(decisions, probabilities, is_wide)

    def _held_back(
        self,
        decisions: Mapping[str, list[Decision]],
        probabilities: Mapping[str, FloatArray],
        is_wide: Sequence[bool],
    ) -> dict[str, list[Decision]]:
        """Take back every "route" of a ticket that may not be routed as a whole."""
        joint = self.model.joint
        targets = joint.targets if joint else ()
        needed = joint.threshold if joint else None
        sure = self._joint_confidence(probabilities) >= (2.0 if needed is None else needed)
        may_route = [
            bool(is_sure) and not wide and all(decisions[t][row] == "route" for t in targets)
            for row, (is_sure, wide) in enumerate(zip(sure, is_wide, strict=True))
        ]
        return {
            target: [
                "suggest" if one == "route" and not may else one
                for one, may in zip(values, may_route, strict=True)
            ]
            for target, values in decisions.items()
        }

    def _readable(
        self, tickets: Sequence[Ticket], familiarity: FloatArray
    ) -> npt.NDArray[np.bool_]:
        """Tell which tickets have text, and text of the kind the model has learned from."""
        has_text = np.array(
            [bool(ticket.subject or ticket.description) for ticket in tickets], dtype=bool
        )
        return has_text & (familiarity > 0) & (familiarity >= self.model.min_familiarity)

    def _decisions(
        self, probabilities: Mapping[str, FloatArray], readable: npt.NDArray[np.bool_]
    ) -> dict[str, list[Decision]]:
        return {
            target: policy.target_decisions(self.model.heads[target], values, readable)
            for target, values in probabilities.items()
        }

    def _joint_confidence(self, probabilities: Mapping[str, FloatArray]) -> FloatArray:
        joint = self.model.joint
        if joint is None:
            return np.asarray(np.min([p.max(axis=1) for p in probabilities.values()], axis=0))
        return joint.confidence(
            np.column_stack([probabilities[target].max(axis=1) for target in joint.targets])
        )

    def _rank_articles(
        self, tickets: Sequence[Ticket], probabilities: Mapping[str, FloatArray]
    ) -> list[list[ArticleHit]]:
        category_proba = None
        if "category" in probabilities:
            labels = self.model.heads["category"].labels
            category_proba = [
                dict(zip(labels, row.tolist(), strict=True)) for row in probabilities["category"]
            ]
        texts = [f"{ticket.subject}\n{ticket.description}" for ticket in tickets]
        return self._recommender.rank(texts, category_proba, top=2 * _N_ARTICLES)

    def _answer(
        self,
        ticket: Ticket,
        row: sp.csr_matrix,
        is_readable: bool,
        is_wide: bool,
        probabilities: Mapping[str, FloatArray],
        decisions: Mapping[str, Decision],
        joint_confidence: float,
        hits: list[ArticleHit],
    ) -> Suggestion:
        is_empty = not ticket.subject and not ticket.description
        predictions = {
            target: policy.prediction(
                head, probabilities[target], decisions[target], self._names(target)
            )
            for target, head in self.model.heads.items()
        }
        joint = self.model.joint
        decision, reasons = policy.decide(
            predictions,
            self.model.heads,
            joint.targets if joint else (),
            joint_confidence if joint else None,
            joint.threshold if joint else None,
        )
        if not is_readable:
            decision, reasons = "review", [policy.EMPTY if is_empty else policy.OUT_OF_DOMAIN]
        if is_wide:
            others = [reason for reason in reasons if reason is not policy.PROMISE_KEPT]
            reasons = [policy.WIDE_IMPACT, *others]
            decision = "suggest" if decision == "route" else decision
            if "tier" in predictions:
                predictions["tier"] = policy.raised_tier(
                    predictions["tier"],
                    self.model.heads["tier"],
                    probabilities["tier"],
                    self.model.taxonomy,
                )
        tier, category = predictions.pop("tier", None), predictions.pop("category", None)
        articles = self._fitting(hits, probabilities.get("tier"), is_wide) if not is_empty else []
        category_label = category.label if category else None
        steps, missing = self._steps(articles, category_label)
        return Suggestion(
            suggestion_id=secrets.token_hex(16),
            ticket_id=ticket.id,
            model_version=self.version,
            decision=decision,
            confidence=round(joint_confidence, 4),
            reasons=reasons,
            tier=tier,
            category=category,
            targets=predictions,
            next_tier=policy.next_tier(tier.label, self.model.taxonomy) if tier else None,
            steps=steps,
            articles=articles,
            missing_details=missing,
            explanation=self._explain(ticket, row, probabilities) if not is_empty else {},
            warnings=[] if articles else ["No article of the knowledge base fits this ticket."],
        )

    def _names(self, target: str) -> Mapping[str, str]:
        taxonomy = self.model.taxonomy
        if target == "tier":
            return {tier.id: tier.name for tier in taxonomy.tiers.values()}
        if target == "category":
            return {category.id: category.name for category in taxonomy.categories.values()}
        return {}

    def _says_many_are_hit(self, ticket: Ticket) -> bool:
        text = " ".join(f"{ticket.subject} {ticket.description}".casefold().split())
        return any(phrase.casefold() in text for phrase in self.model.taxonomy.wide_impact)

    def _fitting(
        self, hits: list[ArticleHit], tier_proba: FloatArray | None, is_wide: bool
    ) -> list[ArticleHit]:
        """Keep the articles that are not routine for a ticket that is not."""
        order = list(self.model.taxonomy.tiers)
        first_daily = next(
            (place for place, tier in enumerate(self.model.taxonomy.tiers.values()) if tier.daily),
            0,
        )
        kept = []
        for hit in hits:
            article = self.knowledge.get(hit.id)
            if article is None or article.tier not in order:
                kept.append(hit)
                continue
            is_routine = order.index(article.tier) <= first_daily
            if is_wide and is_routine:
                continue
            if tier_proba is not None and self._share_up_to(article.tier, tier_proba) < (
                _ROUTINE_SHARE
            ):
                continue
            kept.append(hit)
        return kept[:_N_ARTICLES]

    def _share_up_to(self, tier: str, tier_proba: FloatArray) -> float:
        order = list(self.model.taxonomy.tiers)
        labels = self.model.heads["tier"].labels
        return sum(
            float(share)
            for label, share in zip(labels, tier_proba, strict=True)
            if label not in order or order.index(label) <= order.index(tier)
        )

    def _steps(
        self, articles: list[ArticleHit], category: str | None
    ) -> tuple[list[Step], list[str]]:
        """Take the best article's steps; without one, the details to collect."""
        best = self.knowledge.get(articles[0].id) if articles else None
        details = self.model.taxonomy.details_of(category)
        questions = [detail.question.get("en", detail.name) for detail in details]
        if best is not None and best.steps:
            return [Step(text, best.id) for text in best.steps], questions
        return [Step(f"Ask and record: {question}", None) for question in questions], questions

    def _explain(
        self, ticket: Ticket, row: sp.csr_matrix, probabilities: Mapping[str, FloatArray]
    ) -> dict[str, list[TermWeight]]:
        terms = map_terms(self.model.features, ticket)
        explanation = {}
        for target in _EXPLAINED:
            if target in probabilities:
                top, runner_up = np.argsort(-probabilities[target], kind="stable")[:2]
                coefficients = self.model.heads[target].classifier.coef_
                contrast = coefficients[:, top] - coefficients[:, runner_up]
                explanation[target] = weigh_terms(terms, row, contrast)
        return explanation


def load_engine(model: Path, *, keys: Path, knowledge: Path | None = None) -> TriageEngine:
    """Load a bundle, or a models folder's champion, into an engine.

    Parameters
    ----------
    keys : key folder with the trusted signers
    knowledge : folder of articles to use instead of those the bundle came with

    Raises
    ------
    BundleError : there is no model, or it is not as its trusted signer left it
    KnowledgeError : the folder of articles cannot be read
    """
    fitted, manifest = load_bundle(resolve_model(model), keys)
    base = load_knowledge(knowledge) if knowledge else KnowledgeBase(fitted.articles)
    return TriageEngine(
        version=str(manifest["version"]),
        manifest=manifest,
        model=fitted,
        knowledge=base,
        _recommender=ArticleRecommender(base),
    )
