"""What the engine answers for a ticket. Its JSON form is the API's contract (docs/api.md)."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Decision = Literal["route", "suggest", "review"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a decision was taken: a stable code, a sentence for people, and what to do next."""

    code: str
    message: str
    next_action: str


@dataclass(frozen=True, slots=True)
class Alternative:
    """A label and the probability that it is the right one."""

    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one target.

    ``label`` is None when no suggestion is made (``decision`` is "review"); ``alternatives`` are
    kept all the same, best first, the top label among them. ``confidence`` is the calibrated
    probability of the top label, shown or not. ``set`` holds the right label with the stated
    coverage. ``basis`` says where the answer comes from: "model", or "policy" where a rule of the
    desk overrules it.
    """

    label: str | None
    name: str | None
    confidence: float
    decision: Decision
    set: list[str]
    alternatives: list[Alternative]
    basis: str = "model"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing for tier 1 to do, and the article it comes from (None: from the taxonomy)."""

    text: str
    article_id: str | None


@dataclass(frozen=True, slots=True)
class ArticleHit:
    """An article that fits the ticket, with its score in [0, 1] and the terms that matched."""

    id: str
    title: str
    url: str | None
    score: float
    terms: list[str]


@dataclass(frozen=True, slots=True)
class TermWeight:
    """A word of the ticket and how strongly it spoke for the label (negative: against)."""

    term: str
    weight: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Everything the desk is told about a ticket.

    ``tier`` is the tier that will resolve it, ``next_tier`` the one it goes to now (tier 3 is
    reached only through 1 and 2 unless configured otherwise). Fields that no part of the model
    can fill are present and empty.
    """

    suggestion_id: str
    ticket_id: str | None
    model_version: str
    decision: Decision
    confidence: float
    """Probability that all targets the decision rests on are right together."""
    reasons: list[Reason]
    tier: Prediction | None
    category: Prediction | None
    targets: dict[str, Prediction] = field(default_factory=dict)
    next_tier: str | None = None
    steps: list[Step] = field(default_factory=list)
    articles: list[ArticleHit] = field(default_factory=list)
    similar: list[dict[str, Any]] = field(default_factory=list)
    missing_details: list[str] = field(default_factory=list)
    handoff: dict[str, Any] | None = None
    incident: dict[str, Any] | None = None
    explanation: dict[str, list[TermWeight]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Turn the suggestion into plain data, ready for JSON."""
        return asdict(self)
