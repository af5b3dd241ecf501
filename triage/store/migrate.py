"""Bring a database to the newest schema, with Alembic and no alembic.ini."""

from pathlib import Path

from sqlalchemy import inspect, text

from triage.store.database import Database, StoreError
from triage.store.tables import SCHEMA_REVISION

_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(database_url: str) -> None:
    """Create or migrate the tables of a database; do nothing when they are up to date.

    Raises
    ------
    ConfigurationError : the URL is not one
    StoreError : the database cannot be written to, or was made by a newer version
    """
    database = Database(database_url)
    try:
        migrate(database)
    finally:
        database.close()


def migrate(database: Database) -> None:
    """Migrate an open database in one transaction; several processes may do so at once.

    Raises
    ------
    StoreError : the database cannot be written to, or was made by a newer version
    """
    if _is_current(database):
        return
    # Loaded for a migration alone: a server's start should not wait for it every time.
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("path_separator", "os")
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    with database.changing() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(
                f"database {database.name}: was made by a newer version of ticket-triage; "
                "install that version, or name another database"
            ) from error


def _is_current(database: Database) -> bool:
    with database.reading() as session:
        if not inspect(session.connection()).has_table("alembic_version"):
            return False
        revisions = session.scalars(text("SELECT version_num FROM alembic_version")).all()
    return list(revisions) == [SCHEMA_REVISION]
