"""A suggestion as its page shows it: names for labels, words marked, links that lead to the web."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from api.pages.marks import Piece, mark_words, words_for
from api.service import Service
from triage.language import LANGUAGE_NAMES
from triage.store import Review, StoredSuggestion

TARGETS = ("tier", "category")

_BASES = {
    "cost": "The desk's costs of a wrong tier choose among what the model finds likely.",
    "policy": "A rule of the desk overrules the model.",
    "taxonomy": "The usual tier of this category; no tier was learned.",
    "knowledge": "By likeness to articles; nothing was learned yet.",
}
_KINDS = {"check": "Check first", "ask": "Ask", "verify": "Verify", "escalate": "Hand up if"}


@dataclass(frozen=True, slots=True)
class LabelView:
    """A label with its name; ``share`` is its probability where it is known."""

    label: str
    name: str
    share: float | None = None


@dataclass(frozen=True, slots=True)
class TargetView:
    """What is suggested for a target; ``label`` None where nothing is."""

    target: str
    label: str | None
    name: str
    share: float
    alternatives: list[LabelView]
    likely: list[LabelView]
    basis: str
    words: list[str]


@dataclass(frozen=True, slots=True)
class StepView:
    """A step to do. ``number`` is its place among all steps of the suggestion."""

    number: int
    text: str
    kind: str
    record: str | None
    solved: int | None
    tried: int | None


@dataclass(frozen=True, slots=True)
class ArticleView:
    """An article with its steps; ``is_helpful`` is what this person said of it."""

    id: str
    title: str
    url: str | None
    score: float
    snippet: str
    is_stale: bool
    steps: list[StepView]
    is_helpful: bool | None


@dataclass(frozen=True, slots=True)
class TicketView:
    """Everything the page of a ticket shows; of a blind one, its text alone."""

    suggestion_id: str
    ticket_id: str | None
    subject: list[Piece]
    description: list[Piece]
    title: str
    language: str
    model_version: str
    decision: str
    confidence: float
    reasons: list[Mapping[str, Any]]
    targets: list[TargetView]
    articles: list[ArticleView] = field(default_factory=list)
    steps: list[StepView] = field(default_factory=list)
    similar: list[Mapping[str, Any]] = field(default_factory=list)
    missing_details: list[str] = field(default_factory=list)
    handoff: Mapping[str, Any] | None = None
    incident: Mapping[str, Any] | None = None
    warnings: list[str] = field(default_factory=list)
    next_tier: LabelView | None = None

    @property
    def has_suggestion(self) -> bool:
        """Whether there is a label that can be accepted."""
        return any(one.label is not None for one in self.targets)


def blind_view(stored: StoredSuggestion, review: Review) -> TicketView:
    """Show a ticket and nothing that was made of it."""
    answer = json.loads(stored.answer)
    targets = [
        TargetView(target, None, "", 0.0, [], [], "", [])
        for target in TARGETS
        if answer.get(target) is not None
    ]
    return TicketView(
        suggestion_id=stored.id,
        ticket_id=stored.ticket_id,
        subject=[Piece(stored.subject)],
        description=[Piece(stored.description)],
        title=stored.subject,
        language=_language(review),
        model_version=stored.model_version,
        decision="",
        confidence=0.0,
        reasons=[],
        targets=targets,
    )


def ticket_view(
    stored: StoredSuggestion, review: Review, judged: Mapping[str, bool], service: Service
) -> TicketView:
    """Show a ticket and all that was made of it.

    Parameters
    ----------
    judged : which articles the person has found helpful or not
    """
    answer = json.loads(stored.answer)
    explanation = answer.get("explanation") or {}
    words = {target: words_for(explanation, target) for target in TARGETS}
    steps = [_step(number, step) for number, step in enumerate(answer.get("steps", ()))]
    sources = [step["article_id"] for step in answer.get("steps", ())]
    known = {article["id"] for article in answer.get("articles", ())}
    next_tier = answer.get("next_tier")
    return TicketView(
        suggestion_id=stored.id,
        ticket_id=stored.ticket_id,
        subject=mark_words(stored.subject, words["tier"], words["category"]),
        description=mark_words(stored.description, words["tier"], words["category"]),
        title=stored.subject,
        language=_language(review),
        model_version=stored.model_version,
        decision=stored.decision,
        confidence=stored.confidence,
        reasons=answer.get("reasons", []),
        targets=[
            _target(target, answer[target], words[target], service)
            for target in TARGETS
            if answer.get(target) is not None
        ],
        articles=[
            _article(one, steps, sources, judged.get(one["id"]))
            for one in answer.get("articles", ())
        ],
        steps=[step for step, source in zip(steps, sources, strict=True) if source not in known],
        similar=answer.get("similar", []),
        missing_details=answer.get("missing_details", []),
        handoff=answer.get("handoff"),
        incident=answer.get("incident"),
        warnings=answer.get("warnings", []),
        next_tier=None
        if next_tier is None
        else LabelView(next_tier, _name("tier", next_tier, service)),
    )


def step_texts(stored: StoredSuggestion) -> list[str]:
    """List the steps of a suggestion, in the order that `StepView.number` counts."""
    return [str(step["text"]) for step in json.loads(stored.answer).get("steps", ())]


def _target(
    target: str, prediction: Mapping[str, Any], words: list[str], service: Service
) -> TargetView:
    label = prediction["label"]
    others = [
        LabelView(one["label"], _name(target, one["label"], service), one["confidence"])
        for one in prediction["alternatives"]
        if one["label"] != label
    ]
    return TargetView(
        target=target,
        label=label,
        name=prediction["name"] or (_name(target, label, service) if label else ""),
        share=prediction["confidence"],
        alternatives=others,
        likely=[LabelView(one, _name(target, one, service)) for one in prediction["set"]],
        basis=_BASES.get(prediction.get("basis", ""), ""),
        words=words,
    )


def _article(
    article: Mapping[str, Any],
    steps: list[StepView],
    sources: list[str | None],
    is_helpful: bool | None,
) -> ArticleView:
    return ArticleView(
        id=article["id"],
        title=article["title"],
        url=_web_address(article["url"]),
        score=article["score"],
        snippet=article.get("snippet", ""),
        is_stale=article.get("is_stale", False),
        steps=[
            step for step, source in zip(steps, sources, strict=True) if source == article["id"]
        ],
        is_helpful=is_helpful,
    )


def _step(number: int, step: Mapping[str, Any]) -> StepView:
    return StepView(
        number=number,
        text=step["text"],
        kind=_KINDS.get(step.get("kind", "do"), ""),
        record=step.get("record"),
        solved=step.get("solved"),
        tried=step.get("tried"),
    )


def _web_address(url: str | None) -> str | None:
    """Let only addresses of the web be links: others could run something."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.netloc else None


def _name(target: str, label: str, service: Service) -> str:
    taxonomy = service.engine.helper.taxonomy
    return taxonomy.tier_name(label) if target == "tier" else taxonomy.category_name(label)


def _language(review: Review) -> str:
    return LANGUAGE_NAMES.get(review.language, review.language).capitalize()
