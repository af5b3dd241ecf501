"""Insert what comes with an idempotency key once, in one statement, on either database."""

from functools import lru_cache
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from triage.store.tables import FeedbackRow, OutcomeRow

Keyed = type[FeedbackRow] | type[OutcomeRow]


def insert_once(session: Session, table: Keyed, values: dict[str, Any]) -> int | None:
    """Insert a row and return its number; None when its idempotency key was there before."""
    statement = _statement(table, session.get_bind().dialect.name)
    number: int | None = session.execute(statement, values).scalar()
    return number


@lru_cache
def _statement(table: Keyed, dialect: str) -> Any:
    # Made once: to put it together takes longer than to run it.
    insert: Any = sqlite.insert if dialect == "sqlite" else postgresql.insert
    columns: Any = table.__table__
    return (
        insert(columns)
        .on_conflict_do_nothing(index_elements=["api_key_id", "idempotency_key"])
        .returning(columns.c.number)
    )
