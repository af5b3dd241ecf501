"""What travels over HTTP. A suggestion and an article travel as the core declares them."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from api.examples import ARTICLE, FEEDBACK, HANDOFF_REQUEST, OUTCOME, TICKET
from api.problems import Fault, Problem
from api.settings import Settings
from triage.suggestion import ArticleHit, Suggestion
from triage.ticket import Ticket


def _unicode(value: str) -> str:
    # JSON can spell halves of characters, which no file, database or answer can hold.
    try:
        value.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("string_unicode", "half a character is no text") from None
    return value


def _only_text(value: Any) -> Any:
    if value is not None and not isinstance(value, str):
        raise PydanticCustomError("string_type", "a moment is written as text")
    return value


def _as_utc(value: datetime) -> datetime:
    # Years outside would leave Python's calendar as soon as somebody changes the time zone.
    if not 1970 <= value.year <= 9998:
        raise PydanticCustomError("bad_year", "a year from 1970 to 9998 is expected")
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Name = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Text = Annotated[str, AfterValidator(_unicode)]
# The length is looked at first: behind another check, a long text would be called a long list.
Remark = Annotated[str, Field(max_length=1000), AfterValidator(_unicode)]
Moment = Annotated[datetime, BeforeValidator(_only_text), AfterValidator(_as_utc)]


class TicketIn(BaseModel):
    """A new ticket. Subject and description may be empty, but one of them has to be there."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [TICKET]})

    id: Name | None = Field(default=None, description="The help desk's id of the ticket.")
    version: Name | None = Field(
        default=None, description="The help desk's version of the ticket, kept with the suggestion."
    )
    subject: Text | None = Field(
        default=None, description="One line; 1,000 characters unless configured."
    )
    description: Text | None = Field(
        default=None, description="Plain text or HTML; 20,000 characters unless configured."
    )
    fields: dict[Name, Remark] = Field(
        default_factory=dict,
        max_length=100,
        description="Further fields of the form, by name; unknown ones are ignored by the model.",
    )
    created_at: Moment | None = Field(
        default=None, description="ISO 8601; UTC when it carries no time zone."
    )
    requester: Name | None = Field(
        default=None, description="Who asks; never stored. To learn from it, send it in fields."
    )
    channel: Name | None = Field(
        default=None, description="How it came in: mail, portal, phone, ..."
    )

    @model_validator(mode="after")
    def _has_text(self) -> Self:
        if self.subject is None and self.description is None:
            raise PydanticCustomError("both_absent", "subject or description is needed")
        return self

    def over_long(self, settings: Settings) -> list[Fault]:
        """List the texts that are longer than the settings allow."""
        limits = {
            "subject": (self.subject, settings.max_subject_chars),
            "description": (self.description, settings.max_description_chars),
        }
        return [
            Fault(pointer=f"/{name}", problem="too_long")
            for name, (text, limit) in limits.items()
            if text is not None and len(text) > limit
        ]

    def to_ticket(self) -> Ticket:
        """Turn the request into the core's ticket."""
        return Ticket(
            subject=self.subject or "",
            description=self.description or "",
            id=self.id,
            fields=self.fields,
            created_at=self.created_at,
            requester=self.requester,
            channel=self.channel,
        )


ArticleId = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]


class HandoffIn(TicketIn):
    """A ticket that a person hands up, and what they know about it beside its text."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [HANDOFF_REQUEST]})

    tier: Name | None = Field(
        default=None, description="The tier it goes to; without it, the one suggested."
    )
    category: Name | None = Field(
        default=None, description="What it is, where a person knows better than the suggestion."
    )
    steps_tried: list[Remark] = Field(
        default_factory=list, max_length=50, description="What was done, and what came of it."
    )
    articles_tried: list[ArticleId] = Field(
        default_factory=list, max_length=50, description="Ids of the articles followed."
    )
    details: dict[Name, Remark] = Field(
        default_factory=dict,
        max_length=100,
        description="What was found out, by the id of the taxonomy's detail.",
    )


class BatchIn(BaseModel):
    """Several tickets. Each is looked at by itself: a bad one does not spoil the others."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"tickets": [TICKET]}]}
    )

    tickets: Annotated[
        list[Any],
        Field(min_length=1, description="1 to 256 tickets unless configured."),
        WithJsonSchema(
            {
                "type": "array",
                "minItems": 1,
                "items": {"$ref": "#/components/schemas/TicketIn"},
                "description": "1 to 256 tickets unless configured.",
            }
        ),
    ]


class FeedbackIn(BaseModel):
    """What a person says about a suggestion, or about one of its articles."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [FEEDBACK]})

    suggestion_id: Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
    verdict: Literal["accepted", "corrected", "rejected"] | None = Field(
        default=None,
        description="`corrected` comes with the labels that are right; `rejected` when none is "
        "known. It may be absent where an article is judged.",
    )
    tier: Name | None = Field(default=None, description="The tier that should resolve it.")
    category: Name | None = Field(default=None, description="The category it belongs to.")
    article_id: ArticleId | None = Field(default=None, description="An article that was tried.")
    helpful: StrictBool | None = Field(default=None, description="Whether that article helped.")
    comment: Annotated[str, Field(max_length=2000), AfterValidator(_unicode)] = Field(
        default="", description="For whoever trains the model; redacted before it is stored."
    )


class FeedbackOut(BaseModel):
    """Feedback as it was stored: with the labels that hold for the person from now on."""

    feedback_id: int
    suggestion_id: str
    ticket_id: str | None
    verdict: Literal["accepted", "corrected", "rejected"] | None
    tier: str | None
    category: str | None


class OutcomeIn(BaseModel):
    """How a ticket ended. Sent again with what is new, the last one stands."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [OUTCOME]})

    ticket_id: Annotated[Name, Field(min_length=1)]
    tier: Name = Field(description="The tier that resolved it, not the one it came in at.")
    category: Name | None = Field(default=None, description="The category it was closed with.")
    tier_path: list[Name] = Field(
        default_factory=list, max_length=100, description="The tiers it went through, in order."
    )
    reassignments: Annotated[StrictInt, Field(ge=0, le=10_000)] | None = None
    reopened: StrictBool | Annotated[StrictInt, Field(ge=0, le=10_000)] | None = Field(
        default=None, description="Whether, or how often, it was opened again."
    )
    first_contact: StrictBool | None = Field(
        default=None, description="Whether the first person who saw it resolved it."
    )
    csat: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None = Field(
        default=None, description="The requester's rating, on the desk's own scale."
    )
    article_ids: list[ArticleId] = Field(
        default_factory=list, max_length=50, description="The articles that were used."
    )
    asked_details: list[Name] = Field(
        default_factory=list,
        max_length=50,
        description="Ids of the details that a later tier had to ask for.",
    )
    resolution: Annotated[str, Field(max_length=20_000), AfterValidator(_unicode)] = Field(
        default="", description="What solved it; redacted before it is stored."
    )
    resolved_at: Moment | None = None


class OutcomeOut(BaseModel):
    """An outcome as it was stored."""

    outcome_id: int
    ticket_id: str


class TicketError(BaseModel):
    """Stands in a batch's results for a ticket that could not be answered."""

    error: Problem


class BatchOut(BaseModel):
    """One result for each ticket, in the order they were sent."""

    results: list[Suggestion | TicketError]


class ArticleList(BaseModel):
    """Articles that fit a search, the best first."""

    articles: list[ArticleHit]


# The length is looked at first: behind another check, a long text would be called a long list.
Line = Annotated[str, Field(max_length=2000), AfterValidator(_unicode)]
Lines = Annotated[list[Line], Field(max_length=100)]


class ArticleIn(BaseModel):
    """A draft of an article: its parts, or its whole Markdown file as `content`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [ARTICLE]})

    title: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_unicode)] | None = (
        Field(default=None, description="One line that says what is wrong.")
    )
    category: Name | None = Field(default=None, description="Id of a category of the taxonomy.")
    tier: Name | None = Field(default=None, description="The lowest tier that can do the steps.")
    symptoms: Lines = Field(
        default_factory=list, description="What people write, in their words and languages."
    )
    applies_to: Lines = Field(default_factory=list, description="Products, devices, places.")
    steps: Lines = Field(default_factory=list, description="What to do, in order.")
    verify: Lines = Field(default_factory=list, description="How to see that it worked.")
    escalate_when: Lines = Field(
        default_factory=list, description="When to stop, and who takes over."
    )
    body: Annotated[str, Field(max_length=100_000), AfterValidator(_unicode)] | None = Field(
        default=None, description="Markdown to stand before the lists; no HTML."
    )
    content: (
        Annotated[str, Field(min_length=1, max_length=200_000), AfterValidator(_unicode)] | None
    ) = Field(
        default=None, description="A whole Markdown file with front matter, instead of all others."
    )

    @model_validator(mode="after")
    def _is_one_or_the_other(self) -> Self:
        if self.title is None and self.content is None:
            raise PydanticCustomError("both_absent", "title or content is needed")
        if self.content is not None and len(self.model_fields_set) > 1:
            raise PydanticCustomError("content_alone", "content stands for all other parts")
        return self


class DraftOut(BaseModel):
    """A draft as it stands in the store; no ticket is ever offered one."""

    id: str
    title: str
    created_at: datetime


class DraftList(BaseModel):
    """The drafts that came in last, the newest first, 200 at most."""

    drafts: list[DraftOut]


class TargetOut(BaseModel):
    """What the model can say about one target, and how well it did on tickets it had not seen."""

    labels: list[str]
    metrics: dict[str, float | dict[str, float]]
    thresholds: dict[str, float | None] = Field(
        description="Confidence from which a label is routed; null where it never is."
    )


class ModelOut(BaseModel):
    """What answers now."""

    version: str
    basis: Literal["model", "knowledge"] = Field(
        description="`knowledge` before a first model is trained: articles alone answer."
    )
    trained_at: str | None
    targets: dict[str, TargetOut]


class Index(BaseModel):
    """What this service is and where to go from here."""

    name: str
    version: str
    links: dict[str, str]


class Alive(BaseModel):
    """The process answers."""

    status: str = "alive"


class Ready(BaseModel):
    """The service can answer tickets and keep its answers."""

    status: str = "ready"
    model: bool = True
    database: bool = True


BODY_FIELDS = frozenset(
    name
    for model in (TicketIn, HandoffIn, BatchIn, ArticleIn, FeedbackIn, OutcomeIn)
    for name in model.model_fields
)
"""The names that a problem's pointers may hold."""
