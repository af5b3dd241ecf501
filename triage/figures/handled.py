"""What was suggested for a ticket, and everything that became of the suggestion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Self

from triage.figures.ended import TierOrder
from triage.hierarchy import steps_of
from triage.suggestion import Decision

if TYPE_CHECKING:
    from triage.engine import Engine

Verdict = Literal["accepted", "corrected", "rejected"]
TARGETS = ("tier", "category")


@dataclass(frozen=True, slots=True)
class Word:
    """What a person said last about a suggestion, and did not take back.

    ``tier`` and ``category`` are the labels that hold for them; None where they named none.
    ``had_suggestion`` is whether there was a label to accept; ``is_blind``, whether they decided
    without seeing it.
    """

    verdict: Verdict
    tier: str | None
    category: str | None
    had_suggestion: bool = True
    is_blind: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """How the help desk says that a ticket ended.

    ``is_shaped`` is True where we had routed it unseen: where it is sent, it tends to be resolved.
    """

    tier: str
    category: str | None = None
    is_shaped: bool = False


@dataclass(frozen=True, slots=True)
class Handled:
    """A suggestion, the last word of a person on it, and the end of its ticket if it has ended.

    ``tier`` and ``category`` are the labels suggested, or the likeliest where none was.
    ``is_newest`` is False for one that its ticket was answered again after: figures about tickets
    leave it out. ``has_ticket_id`` is False where no outcome can ever be told apart.
    """

    suggested_at: datetime
    decision: Decision
    confidence: float
    model_version: str
    tier: str | None
    category: str | None
    is_newest: bool = True
    has_ticket_id: bool = True
    word: Word | None = None
    ending: Ending | None = None

    @property
    def filed_as(self) -> str | None:
        """Give the category as it is known best: at the end, by a person, or as suggested."""
        said = (self.ending and self.ending.category) or (self.word and self.word.category)
        return said or self.category

    def agrees(self, told: Word | Ending, targets: Sequence[str] = TARGETS) -> bool | None:
        """Say whether what was told bears the suggestion out; None where it tells nothing of it.

        Where only the upper part of a path was suggested, the rest may be anything.
        """
        if isinstance(told, Word) and told.verdict == "rejected":
            return False
        found = [self._fits(told, target) for target in targets]
        if False in found:
            return False
        return True if True in found else None

    def _fits(self, told: Word | Ending, target: str) -> bool | None:
        own, other = getattr(self, target), getattr(told, target)
        if own is None or other is None:
            return None
        return bool(own == other or own in steps_of(other))


@dataclass(frozen=True, slots=True)
class Incident:
    """A burst as a suggestion told of it: ids of tickets, the first moment, words they share."""

    id: str
    since: str
    terms: tuple[str, ...]
    tickets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """What the answer itself said, beside what became of it.

    ``reasons`` are codes with their sentences, ``articles`` the ids of those that were offered.
    """

    handled: Handled
    reasons: Mapping[str, str]
    articles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ArticleFacts:
    """An article of the knowledge base, and the tier that it is for."""

    title: str
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """What figures need to know of the desk and of the model that serves it.

    ``promise`` is the precision promised of what is routed, None where nothing was promised;
    ``targets`` are those that a suggestion's confidence speaks of.
    """

    order: TierOrder
    categories: Mapping[str, str] = field(default_factory=dict)
    articles: Mapping[str, ArticleFacts] = field(default_factory=dict)
    promise: float | None = None
    targets: tuple[str, ...] = TARGETS
    model_version: str = ""

    @classmethod
    def of(cls, engine: "Engine") -> Self:
        """Read it off the engine that serves."""
        taxonomy, manifest = engine.helper.taxonomy, engine.manifest
        learned = [target for target in TARGETS if target in manifest.get("targets", ())]
        promise = manifest.get("target_precision")
        return cls(
            order=TierOrder.of(taxonomy),
            categories=taxonomy.names("category"),
            articles={
                one.id: ArticleFacts(one.title, one.tier) for one in engine.knowledge.articles
            },
            promise=None if promise is None else float(promise),
            targets=tuple(learned) or TARGETS,
            model_version=engine.version,
        )
