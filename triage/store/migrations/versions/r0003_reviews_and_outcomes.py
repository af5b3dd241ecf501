"""Reviews, feedback, outcomes, doubtful labels, sessions and erasures."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables. Suggestions of before are kept, and have no place in the review queue."""
    op.create_table(
        "reviews",
        sa.Column("suggestion_id", sa.String(64), nullable=False),
        sa.Column("ticket_id", sa.String(200)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model_version", sa.String(100), nullable=False),
        sa.Column("decision", sa.String(10), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("tier", sa.String(200)),
        sa.Column("category", sa.String(200)),
        sa.Column("language", sa.String(10), nullable=False),
        sa.Column("worth", sa.Float(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("decided_by", sa.String(16)),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("suggestion_id", name="pk_reviews"),
        sa.ForeignKeyConstraint(
            ["suggestion_id"],
            ["suggestions.id"],
            name="fk_reviews_suggestion_id_suggestions",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["api_keys.id"], name="fk_reviews_decided_by_api_keys"
        ),
    )
    op.create_index("ix_reviews_created_at", "reviews", ["created_at"])
    op.create_index("ix_reviews_decided_by", "reviews", ["decided_by", "decided_at"])
    narrowing = ["tier", "category", "decision", "language", "model_version", "created_at"]
    op.create_index(
        "ix_reviews_state_worth", "reviews", ["state", "worth", "suggestion_id", *narrowing]
    )
    op.create_index("ix_reviews_state_decided", "reviews", ["state", "decided_at", "suggestion_id"])
    op.create_index("ix_reviews_ticket_id", "reviews", ["ticket_id"])
    op.create_table(
        "feedback",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("suggestion_id", sa.String(64), nullable=False),
        sa.Column("ticket_id", sa.String(200)),
        sa.Column("model_version", sa.String(100), nullable=False),
        sa.Column("api_key_id", sa.String(16), nullable=False),
        sa.Column("verdict", sa.String(10)),
        sa.Column("tier", sa.String(200)),
        sa.Column("category", sa.String(200)),
        sa.Column("shown_tier", sa.String(200)),
        sa.Column("shown_category", sa.String(200)),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("decision", sa.String(10), nullable=False),
        sa.Column("is_blind", sa.Boolean(), nullable=False),
        sa.Column("article_id", sa.String(64)),
        sa.Column("helpful", sa.Boolean()),
        sa.Column("steps_done", sa.JSON(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True)),
        sa.Column("idempotency_key", sa.String(200)),
        sa.Column("body_hash", sa.String(64)),
        sa.PrimaryKeyConstraint("number", name="pk_feedback"),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_keys.id"], name="fk_feedback_api_key_id_api_keys"
        ),
        sa.UniqueConstraint(
            "api_key_id", "idempotency_key", name="uq_feedback_api_key_id_idempotency_key"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_feedback_created_at", "feedback", ["created_at"])
    op.create_index("ix_feedback_suggestion_id", "feedback", ["suggestion_id"])
    op.create_index("ix_feedback_ticket_id", "feedback", ["ticket_id"])
    op.create_table(
        "outcomes",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ticket_id", sa.String(200), nullable=False),
        sa.Column("api_key_id", sa.String(16), nullable=False),
        sa.Column("tier", sa.String(200), nullable=False),
        sa.Column("category", sa.String(200)),
        sa.Column("tier_path", sa.JSON(), nullable=False),
        sa.Column("reassignments", sa.Integer()),
        sa.Column("reopened", sa.Integer()),
        sa.Column("first_contact", sa.Boolean()),
        sa.Column("csat", sa.Float()),
        sa.Column("article_ids", sa.JSON(), nullable=False),
        sa.Column("asked_details", sa.JSON(), nullable=False),
        sa.Column("resolution", sa.Text(), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True)),
        sa.Column("shaped_by_routing", sa.Boolean(), nullable=False),
        sa.Column("idempotency_key", sa.String(200)),
        sa.Column("body_hash", sa.String(64)),
        sa.PrimaryKeyConstraint("number", name="pk_outcomes"),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_keys.id"], name="fk_outcomes_api_key_id_api_keys"
        ),
        sa.UniqueConstraint(
            "api_key_id", "idempotency_key", name="uq_outcomes_api_key_id_idempotency_key"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outcomes_received_at", "outcomes", ["received_at"])
    op.create_index("ix_outcomes_ticket_id", "outcomes", ["ticket_id"])
    op.create_table(
        "label_doubts",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("ticket_id", sa.String(200), nullable=False),
        sa.Column("target", sa.String(200), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("given", sa.String(200), nullable=False),
        sa.Column("likely", sa.String(200), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("doubt", sa.Float(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("label", sa.String(200)),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("decided_by", sa.String(16)),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_label_doubts"),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["api_keys.id"], name="fk_label_doubts_decided_by_api_keys"
        ),
        sa.UniqueConstraint("ticket_id", "target", name="uq_label_doubts_ticket_id_target"),
    )
    op.create_index("ix_label_doubts_state_doubt", "label_doubts", ["state", "doubt", "id"])
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("api_key_id", sa.String(16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_sessions"),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_keys.id"], name="fk_sessions_api_key_id_api_keys"
        ),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "erasures",
        sa.Column("ticket_hash", sa.String(64), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("ticket_hash", name="pk_erasures"),
    )


def downgrade() -> None:
    """Drop them, with everything in them."""
    op.drop_table("erasures")
    op.drop_table("sessions")
    op.drop_table("label_doubts")
    op.drop_table("outcomes")
    op.drop_table("feedback")
    op.drop_table("reviews")
