"""Drafts of articles in the store: written by people and tools, never offered for a ticket."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from triage.store.database import Database
from triage.store.tables import ArticleRow


@dataclass(frozen=True, slots=True)
class ArticleDraft:
    """A draft: ``content`` is its whole Markdown file. Times are in UTC."""

    id: str
    title: str
    content: str
    created_at: datetime
    api_key_id: str | None = None


class ArticleDrafts:
    """The drafts of one database.

    Every method raises StoreError when the database cannot be reached or written to.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, draft: ArticleDraft) -> ArticleDraft:
        """Save a draft, and return what stands in the store under its id: the first one saved."""
        with self._database.writing() as session:
            row = session.get(ArticleRow, draft.id)
            if row is not None:
                return _draft(row)
            session.add(
                ArticleRow(
                    id=draft.id,
                    title=draft.title,
                    content=draft.content,
                    created_at=draft.created_at,
                    updated_at=draft.created_at,
                    api_key_id=draft.api_key_id,
                )
            )
        return draft

    def get(self, draft_id: str) -> ArticleDraft | None:
        """Find a draft by its id; None when there is none."""
        with self._database.reading() as session:
            row = session.get(ArticleRow, draft_id)
            return _draft(row) if row else None

    def newest(self, limit: int) -> list[ArticleDraft]:
        """List the newest drafts, the newest first."""
        with self._database.reading() as session:
            rows = session.scalars(
                select(ArticleRow)
                .order_by(ArticleRow.created_at.desc(), ArticleRow.id)
                .limit(limit)
            )
            return [_draft(row) for row in rows]


def _draft(row: ArticleRow) -> ArticleDraft:
    return ArticleDraft(
        id=row.id,
        title=row.title,
        content=row.content,
        created_at=row.created_at,
        api_key_id=row.api_key_id,
    )
