"""What travels over HTTP. A suggestion and an article travel as the core declares them."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from api.examples import TICKET
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
    fields: dict[Name, Annotated[Text, Field(max_length=1000)]] = Field(
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


class TicketError(BaseModel):
    """Stands in a batch's results for a ticket that could not be answered."""

    error: Problem


class BatchOut(BaseModel):
    """One result for each ticket, in the order they were sent."""

    results: list[Suggestion | TicketError]


class ArticleList(BaseModel):
    """Articles that fit a search, the best first."""

    articles: list[ArticleHit]


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


BODY_FIELDS = frozenset(TicketIn.model_fields) | frozenset(BatchIn.model_fields)
"""The names that a problem's pointers may hold."""
