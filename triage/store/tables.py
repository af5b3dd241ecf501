"""The tables, as SQLAlchemy sees them; triage/store/migrations builds the same ones."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SCHEMA_REVISION = "0003"
"""The migration after which a database has these tables."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite forgets time zones, so it is written and read back as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn a moment into UTC.

        Raises
        ------
        ValueError : the moment has no time zone, so nobody knows when it was
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment to store needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give the stored moment its time zone back."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class Base(DeclarativeBase):
    """The store's tables. Constraints have names, so that a migration can change them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class ApiKeyRow(Base):
    """An API key. ``hash`` is the SHA-256 of the whole key: 256 random bits need no slow hash."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    hash: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SuggestionRow(Base):
    """A suggestion that was answered. Its texts are redacted before they come here."""

    __tablename__ = "suggestions"
    __table_args__ = (UniqueConstraint("api_key_id", "idempotency_key"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    ticket_id: Mapped[str | None] = mapped_column(String(200), index=True)
    ticket_version: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    model_version: Mapped[str] = mapped_column(String(100))
    decision: Mapped[str] = mapped_column(String(10))
    confidence: Mapped[float] = mapped_column(Float)
    subject: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text)
    api_key_id: Mapped[str | None] = mapped_column(ForeignKey("api_keys.id"))
    idempotency_key: Mapped[str | None] = mapped_column(String(200))
    body_hash: Mapped[str | None] = mapped_column(String(64))


class ReviewRow(Base):
    """Where a suggestion stands with the people who look at it; made together with it.

    ``revision`` counts the decisions: who decides says which one they saw, and is told when another
    person was faster. ``worth`` orders the queue (`triage.review.worth_of`).
    """

    __tablename__ = "reviews"
    __table_args__ = (
        # The queue in its order, and beside it all that narrows it: no row is read to pass it over.
        Index(
            "ix_reviews_state_worth",
            *("state", "worth", "suggestion_id"),
            *("tier", "category", "decision", "language", "model_version", "created_at"),
        ),
        Index("ix_reviews_state_decided", "state", "decided_at", "suggestion_id"),
        Index("ix_reviews_decided_by", "decided_by", "decided_at"),
    )

    suggestion_id: Mapped[str] = mapped_column(
        ForeignKey("suggestions.id", ondelete="CASCADE"), primary_key=True
    )
    ticket_id: Mapped[str | None] = mapped_column(String(200), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    model_version: Mapped[str] = mapped_column(String(100))
    decision: Mapped[str] = mapped_column(String(10))
    confidence: Mapped[float] = mapped_column(Float)
    tier: Mapped[str | None] = mapped_column(String(200))
    category: Mapped[str | None] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(10))
    worth: Mapped[float] = mapped_column(Float)
    reasons: Mapped[list[str]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(10))
    revision: Mapped[int] = mapped_column()
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("api_keys.id"))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class FeedbackRow(Base):
    """What a person said about a suggestion; it outlives the suggestion, so it refers to none."""

    __tablename__ = "feedback"
    __table_args__ = (
        UniqueConstraint("api_key_id", "idempotency_key"),
        {"sqlite_autoincrement": True},
    )

    number: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    suggestion_id: Mapped[str] = mapped_column(String(64), index=True)
    ticket_id: Mapped[str | None] = mapped_column(String(200), index=True)
    model_version: Mapped[str] = mapped_column(String(100))
    api_key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id"))
    verdict: Mapped[str | None] = mapped_column(String(10))
    tier: Mapped[str | None] = mapped_column(String(200))
    category: Mapped[str | None] = mapped_column(String(200))
    shown_tier: Mapped[str | None] = mapped_column(String(200))
    shown_category: Mapped[str | None] = mapped_column(String(200))
    confidence: Mapped[float] = mapped_column(Float)
    decision: Mapped[str] = mapped_column(String(10))
    is_blind: Mapped[bool] = mapped_column()
    article_id: Mapped[str | None] = mapped_column(String(64))
    helpful: Mapped[bool | None] = mapped_column()
    steps_done: Mapped[list[str]] = mapped_column(JSON)
    comment: Mapped[str] = mapped_column(Text)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    idempotency_key: Mapped[str | None] = mapped_column(String(200))
    body_hash: Mapped[str | None] = mapped_column(String(64))


class OutcomeRow(Base):
    """How a ticket ended, as the help desk told it; of several for a ticket the last one stands."""

    __tablename__ = "outcomes"
    __table_args__ = (
        UniqueConstraint("api_key_id", "idempotency_key"),
        {"sqlite_autoincrement": True},
    )

    number: Mapped[int] = mapped_column(primary_key=True)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    ticket_id: Mapped[str] = mapped_column(String(200), index=True)
    api_key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id"))
    tier: Mapped[str] = mapped_column(String(200))
    category: Mapped[str | None] = mapped_column(String(200))
    tier_path: Mapped[list[str]] = mapped_column(JSON)
    reassignments: Mapped[int | None] = mapped_column()
    reopened: Mapped[int | None] = mapped_column()
    first_contact: Mapped[bool | None] = mapped_column()
    csat: Mapped[float | None] = mapped_column(Float)
    article_ids: Mapped[list[str]] = mapped_column(JSON)
    asked_details: Mapped[list[str]] = mapped_column(JSON)
    resolution: Mapped[str] = mapped_column(Text)
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    shaped_by_routing: Mapped[bool] = mapped_column()
    idempotency_key: Mapped[str | None] = mapped_column(String(200))
    body_hash: Mapped[str | None] = mapped_column(String(64))


class LabelDoubtRow(Base):
    """A label of the history that is perhaps wrong, and what a person made of it."""

    __tablename__ = "label_doubts"
    __table_args__ = (
        UniqueConstraint("ticket_id", "target"),
        Index("ix_label_doubts_state_doubt", "state", "doubt", "id"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    ticket_id: Mapped[str] = mapped_column(String(200))
    target: Mapped[str] = mapped_column(String(200))
    subject: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    given: Mapped[str] = mapped_column(String(200))
    likely: Mapped[str] = mapped_column(String(200))
    noted_at: Mapped[datetime] = mapped_column(UtcDateTime, default=lambda: datetime.now(UTC))
    doubt: Mapped[float] = mapped_column(Float)
    state: Mapped[str] = mapped_column(String(10))
    label: Mapped[str | None] = mapped_column(String(200))
    revision: Mapped[int] = mapped_column()
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("api_keys.id"))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SessionRow(Base):
    """A signed-in person. ``token_hash`` is the SHA-256 of what their browser holds."""

    __tablename__ = "sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    api_key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class ErasureRow(Base):
    """A ticket that was erased, by the SHA-256 of its id: enough to keep it out of a next model."""

    __tablename__ = "erasures"

    ticket_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    erased_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PastTicketRow(Base):
    """A ticket that was resolved, redacted. ``signature`` is what `triage.similar` compares."""

    __tablename__ = "past_tickets"
    # SQLite gives the number of an erased ticket to the next one otherwise.
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    number: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[str] = mapped_column(String(200), unique=True)
    created_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    subject: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    resolution: Mapped[str] = mapped_column(Text)
    tier: Mapped[str | None] = mapped_column(String(200))
    category: Mapped[str | None] = mapped_column(String(200))
    signature: Mapped[bytes] = mapped_column(LargeBinary)


class ArticleRow(Base):
    """A draft of an article: its whole Markdown file, for a person to edit and publish."""

    __tablename__ = "articles"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    content: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    api_key_id: Mapped[str | None] = mapped_column(ForeignKey("api_keys.id"))
