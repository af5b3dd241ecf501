"""Past tickets, and drafts of articles."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "past_tickets",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.String(200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True)),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("resolution", sa.Text(), nullable=False),
        sa.Column("tier", sa.String(200)),
        sa.Column("category", sa.String(200)),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_past_tickets"),
        sa.UniqueConstraint("ticket_id", name="uq_past_tickets_ticket_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "articles",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("api_key_id", sa.String(16)),
        sa.PrimaryKeyConstraint("id", name="pk_articles"),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_keys.id"], name="fk_articles_api_key_id_api_keys"
        ),
    )
    op.create_index("ix_articles_created_at", "articles", ["created_at"])


def downgrade() -> None:
    """Drop both tables, with everything in them."""
    op.drop_table("articles")
    op.drop_table("past_tickets")
