"""Looking after a database: whether it is whole, and a copy of it for a bad day."""

import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine, func, inspect, select, text
from sqlalchemy.exc import DatabaseError

from triage.store.database import Database, StoreError
from triage.store.tables import SCHEMA_REVISION, Base


@dataclass(frozen=True, slots=True)
class Health:
    """How a database is: ``rows`` by table, ``revision`` None before it has any of our tables."""

    kind: str
    revision: str | None
    is_up_to_date: bool
    size_bytes: int
    rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy that was read back and found whole."""

    file: Path
    size_bytes: int
    revision: str | None


def check_database(url: str) -> Health:
    """Look whether a database is whole, and count what is in it. It is not migrated.

    PostgreSQL checks the pages it reads by itself, where checksums are on.

    Raises
    ------
    ConfigurationError : the URL is not one
    StoreError : the database is damaged, is not there, or cannot be reached
    """
    database = Database(url, must_exist=True)
    try:
        with database.looking() as connection:
            if database.is_sqlite:
                _require_whole(connection, database.name)
            revision = _revision(connection)
            present = set(inspect(connection).get_table_names())
            rows = {
                name: connection.scalar(select(func.count()).select_from(table)) or 0
                for name, table in sorted(Base.metadata.tables.items())
                if name in present
            }
            size = connection.scalar(text(_SIZE[connection.dialect.name])) or 0
        kind = database.engine.dialect.name
        return Health(kind, revision, revision == SCHEMA_REVISION, int(size), rows)
    finally:
        database.close()


def back_up(url: str, target: Path) -> Backup:
    """Copy a SQLite database that may be in use into a file, and read the copy back.

    The file is complete or as it was before; it is for its owner alone.

    Raises
    ------
    ConfigurationError : the URL is not one
    StoreError : the database is no SQLite file, is damaged, or is not there; the copy cannot be
        written, or would take the place of the database itself
    """
    database = Database(url, must_exist=True)
    try:
        if database.file is None:
            what = "has no file" if database.is_sqlite else "is PostgreSQL"
            raise StoreError(f"database {database.name}: {what}; copy it with pg_dump")
        _require_other(database.file, target)
        partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
        try:
            os.close(os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600))
            with database.looking() as connection:
                _copy(connection, partial)
            revision = _read_back(partial, database.name)
            _put(partial, target)
        except (OSError, sqlite3.Error) as error:
            told = error.strerror if isinstance(error, OSError) else str(error)
            raise StoreError(f"backup {target.name}: cannot be written ({told})") from error
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
        return Backup(target, target.stat().st_size, revision)
    finally:
        database.close()


_SIZE = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
    "postgresql": "SELECT pg_database_size(current_database())",
}


def _require_whole(connection: Connection, name: str) -> None:
    found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalars().all()
    orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if found != ["ok"] or orphans is not None:
        raise StoreError(f"database {name}: is damaged; restore it from a backup")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _require_other(source: Path, target: Path) -> None:
    own = {source.with_name(source.name + ending).resolve() for ending in ("", "-wal", "-shm")}
    if target.resolve() in own:
        raise StoreError(f"backup {target.name}: is the database itself; name another file")


def _copy(connection: Connection, target: Path) -> None:
    source = connection.connection.driver_connection
    assert isinstance(source, sqlite3.Connection)
    with closing(sqlite3.connect(target, isolation_level=None)) as copy:
        source.backup(copy)
        # One file, with no log that would have to go along.
        copy.execute("PRAGMA journal_mode=DELETE")


def _read_back(copy: Path, name: str) -> str | None:
    """Find a copy whole, and tell its revision: what is wrong with it, is wrong with the origin."""
    engine = create_engine(URL.create("sqlite", database=str(copy)))
    try:
        with engine.connect() as connection:
            _require_whole(connection, name)
            return _revision(connection)
    except DatabaseError as error:
        raise StoreError(f"database {name}: is damaged; restore it from a backup") from error
    finally:
        engine.dispose()


def _put(partial: Path, target: Path) -> None:
    """Put a finished file in its place for good."""
    _sync(partial)
    partial.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
