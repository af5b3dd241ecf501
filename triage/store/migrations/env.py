"""Run by Alembic: applies the migrations on the connection that triage/store/migrate.py opened."""

from alembic import context

from triage.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    # SQLite can roll back a change of schema, since our transactions are opened explicitly.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
