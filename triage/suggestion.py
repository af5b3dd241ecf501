"""What the engine answers for a ticket. Its JSON form is the API's contract (docs/api.md)."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from triage.ticket import Ticket

Decision = Literal["route", "suggest", "review"]
Basis = Literal["model", "cost", "policy", "taxonomy", "knowledge"]

N_ALTERNATIVES = 3
"""Most labels that a prediction lists."""


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
class PathStep:
    """A step of a path such as ``Access > VPN``, and the probability that it is a right one."""

    label: str
    name: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one target.

    ``label`` is None when no suggestion is made (``decision`` is "review"); ``alternatives`` are
    kept all the same, best first, without those that the desk excludes. ``confidence`` is the
    calibrated probability of the label chosen, shown or not. ``set`` holds the right label with the
    stated coverage. ``basis`` says where the answer comes from: "model"; "cost" where the desk's
    costs choose among the model's probabilities; "policy" where a rule of the desk overrules it;
    "taxonomy" where the category's usual tier is shown; "knowledge" where nothing was learned yet.

    Where labels are paths, ``path`` holds the steps that are worth showing, the top one first, and
    ``label`` is the last of them: perhaps ``Access`` alone. Its confidence is the probability that
    the right label is this one or lies below it. Flat labels have no path.
    """

    label: str | None
    name: str | None
    confidence: float
    decision: Decision
    set: list[str]
    alternatives: list[Alternative]
    basis: Basis = "model"
    path: list[PathStep] = field(default_factory=list)


StepKind = Literal["check", "ask", "do", "verify", "escalate"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing for tier 1 to do, and the article it comes from (None: from the taxonomy).

    ``kind`` says what it is for: "check" for a major incident first, "ask" for a detail, "do" what
    the article says, "verify" that it helped, "escalate" when it did not. ``record`` is what to
    write into the ticket. ``solved`` of ``tried`` past tickets that the article was used for ended
    at its tier and stayed closed; both are None where no outcome tells.
    """

    text: str
    article_id: str | None
    kind: StepKind = "do"
    record: str | None = None
    solved: int | None = None
    tried: int | None = None


@dataclass(frozen=True, slots=True)
class ArticleHit:
    """An article that fits the ticket, with its score in [0, 1] and the terms that matched.

    ``snippet`` is the line of the article that says most of what the ticket says. ``is_stale``
    marks one that nobody has reviewed for longer than the desk allows.
    """

    id: str
    title: str
    url: str | None
    score: float
    terms: list[str]
    snippet: str = ""
    is_stale: bool = False


@dataclass(frozen=True, slots=True)
class SimilarTicket:
    """A ticket that says much the same, redacted, and how it ended; ``similarity`` is in [0, 1].

    ``is_open`` marks one that came in lately and has not ended: perhaps the same trouble, reported
    twice.
    """

    ticket_id: str
    subject: str
    tier: str | None
    category: str | None
    resolution: str
    similarity: float
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class IncidentNote:
    """A burst that a ticket belongs to: the same thing, reported more often than it ever is.

    ``since`` is the moment of the first of its tickets (ISO 8601, UTC), ``usual`` how many such
    tickets a window of this length usually has.
    """

    id: str
    tickets: list[str]
    since: str
    terms: list[str]
    usual: float


@dataclass(frozen=True, slots=True)
class Handoff:
    """What the next tier gets: a line, and the whole note in Markdown.

    ``completeness`` in [0, 1] is how much of what this kind of ticket needs is known. When it is
    less than the desk asks for, ``is_ready`` is False and ``questions`` tell what to ask first.
    ``parts`` holds the note's contents for programs.
    """

    summary: str
    note: str
    completeness: float
    is_ready: bool
    questions: list[str]
    parts: dict[str, Any]


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
    similar: list[SimilarTicket] = field(default_factory=list)
    missing_details: list[str] = field(default_factory=list)
    handoff: Handoff | None = None
    incident: IncidentNote | None = None
    explanation: dict[str, list[TermWeight]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Turn the suggestion into plain data, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Answer:
    """A suggestion, and the cleaned and redacted ticket it was made from, fit to be stored."""

    suggestion: Suggestion
    ticket: Ticket
