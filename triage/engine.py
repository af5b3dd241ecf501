"""The engine: load a bundle, turn tickets into suggestions."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from triage import policy, tier_rules
from triage.article_vectors import ArticleVectors, encode_articles
from triage.assistance import DeskRules, Helper, Labels
from triage.bundle import has_model, load_bundle, resolve_model
from triage.details import prime
from triage.domain import is_familiar
from triage.errors import BundleError
from triage.explain import map_terms, weigh_terms
from triage.first_steps import N_ARTICLES
from triage.knowledge import KnowledgeBase, load_knowledge
from triage.knowledge_engine import KnowledgeEngine, load_knowledge_engine
from triage.meaning import beside, meaning_of, vectors_of
from triage.model import TriageModel
from triage.past import Past, Recalled
from triage.policy import TargetPolicy, Verdicts
from triage.prepare import prepare
from triage.recommender import ArticleRecommender
from triage.semantic import is_available, load_encoder
from triage.suggestion import Answer, ArticleHit, Suggestion, TermWeight
from triage.ticket import Ticket
from triage.wide_impact import says_many_are_hit

FloatArray = npt.NDArray[np.float64]

_EXPLAINED = ("tier", "category")


@dataclass(frozen=True, slots=True)
class _Read:
    """A batch of tickets as the model reads them; every part has a row a ticket.

    ``meaning`` is None where no head reads it.
    """

    tickets: list[Ticket]
    matrix: sp.csr_matrix
    meaning: sp.csr_matrix | None
    readable: npt.NDArray[np.bool_]
    is_wide: npt.NDArray[np.bool_]
    verdicts: dict[str, Verdicts]
    joint_confidence: FloatArray


@dataclass(frozen=True)
class TriageEngine:
    """A verified model beside a knowledge base, ready to answer.

    Made by `load_engine`. Answers are independent of one another and of the batch they come in;
    one engine may serve several threads.
    """

    version: str
    manifest: Mapping[str, Any]
    model: TriageModel
    recommender: ArticleRecommender = field(repr=False)
    rules: DeskRules = field(default_factory=DeskRules)

    basis: ClassVar[Literal["model"]] = "model"

    @property
    def knowledge(self) -> KnowledgeBase:
        """The articles it may offer."""
        return self.recommender.knowledge

    def with_articles(
        self, knowledge: KnowledgeBase, vectors: ArticleVectors | None
    ) -> "TriageEngine":
        """Give an engine that offers other articles, and is the same otherwise."""
        recommender = ArticleRecommender(
            knowledge,
            vectors=vectors,
            experience=self.model.experience,
            review_days=self.rules.review_days,
        )
        return replace(self, recommender=recommender)

    @property
    def thresholds(self) -> Mapping[str, Mapping[str, float | None]]:
        """Give for each target the confidence from which a label is routed; None: never."""
        return {target: head.thresholds for target, head in self.model.heads.items()}

    def answer(self, tickets: Sequence[Ticket], past: Past | None = None) -> list[Answer]:
        """Answer tickets, in their order, each beside the form of it that may be stored.

        Parameters
        ----------
        past : what the desk has seen before, where there is a memory of it
        """
        if not tickets:
            return []
        read = self._read(tickets)
        hits = self._rank_articles(read)
        recalled = past.recall(read.tickets) if past else [Recalled()] * len(read.tickets)
        return [
            Answer(self._suggestion(read, row, hits[row], recalled[row]), ticket)
            for row, ticket in enumerate(read.tickets)
        ]

    @property
    def helper(self) -> Helper:
        """What tier 1 is helped with, beside labels."""
        return Helper(
            self.knowledge,
            self.model.taxonomy,
            self.model.experience.uses,
            self.model.detail_weights,
            self.rules.min_completeness,
        )

    def suggest(self, tickets: Sequence[Ticket]) -> list[Suggestion]:
        """Answer tickets, in their order."""
        return [answer.suggestion for answer in self.answer(tickets)]

    def classify(self, tickets: Sequence[Ticket]) -> dict[str, Verdicts]:
        """Give each target's probabilities, the label chosen and the decision, and no more.

        Returns
        -------
        dict : target -> `Verdicts`; "route" only where the whole ticket may be routed
        """
        read = self._read(tickets)
        joint = self.model.joint
        targets = joint.targets if joint else ()
        needed = joint.threshold if joint else None
        may_route = (read.joint_confidence >= (2.0 if needed is None else needed)) & ~read.is_wide
        for target in targets:
            may_route &= np.array(read.verdicts[target].decisions, dtype=object) == "route"
        return {
            target: replace(
                verdicts,
                decisions=[
                    "suggest" if decision == "route" and not may else decision
                    for decision, may in zip(verdicts.decisions, may_route, strict=True)
                ],
            )
            for target, verdicts in read.verdicts.items()
        }

    @cached_property
    def policies(self) -> dict[str, TargetPolicy]:
        """Each head's policy under the desk's taxonomy, by target."""
        return {
            target: policy.policy_of(target, head, self.model.taxonomy)
            for target, head in self.model.heads.items()
        }

    def _read(self, tickets: Sequence[Ticket]) -> _Read:
        prepared = [prepare(ticket) for ticket in tickets]
        matrix, familiarity = self.model.features.analyse(prepared)
        meaning = meaning_of(prepared) if self.model.reads_meaning else None
        matrices = {False: matrix, True: matrix if meaning is None else beside(matrix, meaning)}
        taxonomy = self.model.taxonomy
        is_wide = np.array([says_many_are_hit(ticket, taxonomy) for ticket in prepared], dtype=bool)
        # Whoever says that a whole site is down speaks of IT, however short and oddly.
        readable = self._readable(prepared, familiarity) | is_wide
        verdicts = {
            target: of_target.judge(
                of_target.head.classifier.predict_proba(matrices[of_target.head.reads_meaning]),
                readable,
            )
            for target, of_target in self.policies.items()
        }
        joint = self._joint_confidence(verdicts)
        return _Read(prepared, matrix, meaning, readable, is_wide, verdicts, joint)

    def _readable(
        self, tickets: Sequence[Ticket], familiarity: FloatArray
    ) -> npt.NDArray[np.bool_]:
        """Tell which tickets have text, and text of the kind the model has learned from."""
        has_text = np.array(
            [bool(ticket.subject or ticket.description) for ticket in tickets], dtype=bool
        )
        return has_text & is_familiar(tickets, familiarity, self.model.min_familiarity)

    def _joint_confidence(self, verdicts: Mapping[str, Verdicts]) -> FloatArray:
        joint = self.model.joint
        targets = joint.targets if joint else tuple(verdicts)
        confidences = np.column_stack([verdicts[target].confidence for target in targets])
        return joint.confidence(confidences) if joint else confidences.min(axis=1)

    def _rank_articles(self, read: _Read) -> list[list[ArticleHit]]:
        shares = None
        if "category" in read.verdicts:
            of_category = self.policies["category"]
            # An article may belong to a whole category as well as to one below it.
            nodes = [label for level in of_category.choice.levels for label in level.nodes]
            sums = np.hstack(
                [
                    level.sums(read.verdicts["category"].probabilities)
                    for level in of_category.choice.levels
                ]
            )
            shares = [dict(zip(nodes, row, strict=True)) for row in sums.tolist()]
        texts = [f"{ticket.subject}\n{ticket.description}" for ticket in read.tickets]
        meaning = None if read.meaning is None else vectors_of(read.meaning)
        return self.recommender.rank(
            texts, shares, matrix=read.matrix, meaning=meaning, top=2 * N_ARTICLES
        )

    def _suggestion(
        self, read: _Read, row: int, hits: list[ArticleHit], recalled: Recalled
    ) -> Suggestion:
        ticket, is_wide = read.tickets[row], bool(read.is_wide[row])
        is_empty = not ticket.subject and not ticket.description
        predictions = {
            target: of_target.prediction(read.verdicts[target], row)
            for target, of_target in self.policies.items()
        }
        joint = self.model.joint
        decision, reasons = policy.decide(
            self.policies,
            read.verdicts,
            row,
            joint.targets if joint else (),
            float(read.joint_confidence[row]) if joint else None,
            joint.threshold if joint else None,
        )
        if not read.readable[row]:
            decision, reasons = "review", [policy.EMPTY if is_empty else policy.OUT_OF_DOMAIN]
        if is_wide:
            others = [reason for reason in reasons if reason is not policy.PROMISE_KEPT]
            reasons = [policy.WIDE_IMPACT, *others]
            decision = "suggest" if decision == "route" else decision
        tier, category = predictions.pop("tier", None), predictions.pop("category", None)
        shares = {target: self._shares(read, target, row) for target in read.verdicts}
        tier_shares = shares.get("tier")
        if category is not None and category.label is not None and tier_shares is None:
            tier_shares = tier_rules.usual_tiers(shares["category"], self.model.taxonomy)
            tier = tier_rules.usual_tier(category.label, tier_shares, self.model.taxonomy)
        if is_wide and tier is not None and tier_shares is not None:
            tier = tier_rules.raised_tier(tier, tier_shares, self.model.taxonomy)
        next_tier = tier_rules.next_tier(tier.label, self.model.taxonomy) if tier else None
        labels = Labels(tier, category, next_tier, reasons, shares.get("tier"), is_wide)
        help_ = self.helper.assist(ticket, hits, labels, recalled)
        return Suggestion(
            suggestion_id=secrets.token_hex(16),
            ticket_id=ticket.id,
            model_version=self.version,
            decision=decision,
            confidence=round(float(read.joint_confidence[row]), 4),
            reasons=reasons,
            tier=tier,
            category=category,
            targets=predictions,
            next_tier=next_tier,
            steps=help_.steps,
            articles=help_.articles,
            similar=recalled.similar,
            missing_details=help_.missing_details,
            handoff=help_.handoff,
            incident=recalled.incident,
            explanation=self._explain(read, row) if not is_empty else {},
            warnings=help_.warnings,
        )

    def _shares(self, read: _Read, target: str, row: int) -> dict[str, float]:
        labels = self.model.heads[target].labels
        return dict(zip(labels, read.verdicts[target].probabilities[row].tolist(), strict=True))

    def _explain(self, read: _Read, row: int) -> dict[str, list[TermWeight]]:
        own = slice(*read.matrix.indptr[row : row + 2])
        columns, values = read.matrix.indices[own], read.matrix.data[own]
        terms = map_terms(self.model.features, read.tickets[row], columns)
        explanation = {}
        for target in _EXPLAINED:
            if target in read.verdicts:
                verdicts, head = read.verdicts[target], self.model.heads[target]
                chosen, rival = verdicts.chosen[row], self.policies[target].rival(verdicts, row)
                coefficients = head.classifier.coef_
                # Only where the ticket has a feature: to contrast all of them takes long.
                weights = coefficients.take(columns, axis=0)
                by_meaning = None
                if head.reads_meaning and read.meaning is not None:
                    rest = coefficients[read.matrix.shape[1] :]
                    by_meaning = float((read.meaning[row] @ (rest[:, chosen] - rest[:, rival]))[0])
                explanation[target] = weigh_terms(
                    terms,
                    values * (weights[:, chosen] - weights[:, rival]),
                    by_meaning=by_meaning,
                )
        return explanation


Engine = TriageEngine | KnowledgeEngine
"""Whatever answers tickets: with what was learned, or before there was anything to learn from."""


def load_engine(
    model: Path, *, keys: Path, knowledge: Path | None = None, rules: DeskRules | None = None
) -> TriageEngine:
    """Load a bundle, or a models folder's champion, into an engine.

    Parameters
    ----------
    keys : key folder with the trusted signers
    knowledge : folder of articles to use instead of those the bundle came with
    rules : what the desk sets

    Raises
    ------
    BundleError : there is no model, or it is not as its trusted signer left it
    KnowledgeError : the folder of articles cannot be read
    ConfigurationError : the model reads what texts mean, and the extra for it is missing
    """
    fitted, manifest = load_bundle(resolve_model(model), keys)
    if fitted.reads_meaning:
        load_encoder()  # now rather than at the first ticket
    base = load_knowledge(knowledge) if knowledge else KnowledgeBase(fitted.articles)
    prime(fitted.taxonomy)
    engine = TriageEngine(
        version=str(manifest["version"]),
        manifest=manifest,
        model=fitted,
        recommender=ArticleRecommender(base),
        rules=rules or DeskRules(),
    )
    return engine.with_articles(base, None)


def with_meaning(engine: Engine, cache: Path | None) -> Engine:
    """Let an engine read what articles mean; without the extra ``semantic`` it stays as it is.

    Parameters
    ----------
    cache : folder to keep the articles' vectors in
    """
    if not is_available():
        return engine
    return engine.with_articles(engine.knowledge, encode_articles(engine.knowledge.articles, cache))


def open_engine(
    model: Path,
    *,
    keys: Path,
    knowledge: Path | None = None,
    taxonomy: Path | None = None,
    rules: DeskRules | None = None,
) -> Engine:
    """Load the model there is; before the first one, answer from the desk's articles alone.

    Parameters
    ----------
    model : bundle, or models folder
    keys : key folder with the trusted signers
    knowledge : folder of articles
    taxonomy : the desk's own taxonomy file; a model has brought its own
    rules : what the desk sets

    Raises
    ------
    BundleError : there is a model, and it is not as its trusted signer left it; or there is none,
        and no articles either
    KnowledgeError : the folder of articles cannot be read
    ConfigurationError : the taxonomy makes no sense
    """
    if has_model(model):
        return load_engine(model, keys=keys, knowledge=knowledge, rules=rules)
    if knowledge is None:
        raise BundleError(
            f"{model} holds no model yet; train one with: triage train HISTORY --output {model}, "
            "or answer from your knowledge articles alone with: --kb FOLDER (or TRIAGE_KB)"
        )
    return load_knowledge_engine(knowledge, taxonomy, rules)
