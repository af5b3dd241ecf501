"""The one place that opens the database, and that turns its failures into a line for people."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from triage.errors import ConfigurationError, TriageError

_SQLITE_FAULTS = {
    "SQLITE_CANTOPEN": "cannot be opened; check that its folder exists and may be written to",
    "SQLITE_READONLY": "may not be written to; check the rights of the file and its folder",
    "SQLITE_BUSY": "is locked by another program; stop it, or try again in a moment",
    "SQLITE_LOCKED": "is locked by another program; stop it, or try again in a moment",
    "SQLITE_FULL": "does not fit on its disk; make room and try again",
    "SQLITE_IOERR": "cannot be read or written; check its disk",
    "SQLITE_NOTADB": "is not a database; name another file, or move this one away",
    "SQLITE_CORRUPT": "is damaged; restore it from a backup",
}


_WAL_RETRY_S = 0.02


class StoreError(TriageError):
    """The store cannot be reached or written to."""


class Database:
    """A database with the settings we rely on, and sessions that read or write in it.

    SQLite: write-ahead log, every commit on disk before it is acknowledged, foreign keys checked,
    and a wait of ``busy_timeout_s`` for another writer.

    Raises
    ------
    ConfigurationError : the URL is not one, or the driver it asks for is not installed
    StoreError : the folder of a SQLite file cannot be made or written to
    """

    def __init__(self, url: str, *, busy_timeout_s: float = 5.0) -> None:
        parsed = _parse(url)
        is_sqlite = parsed.get_backend_name() == "sqlite"
        # SQLite waits for another writer in sleeps that grow: threads of a process take turns.
        self._turn = Lock() if is_sqlite else nullcontext()
        self.name = Path(parsed.database or "").name or parsed.get_backend_name()
        if is_sqlite:
            self._make_file(parsed.database)
        try:
            self.engine = create_engine(parsed, hide_parameters=True, pool_pre_ping=not is_sqlite)
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"database_url: {parsed.drivername} needs the module {error.name}, "
                "which is not installed"
            ) from error
        if is_sqlite:
            _prepare_sqlite(self.engine, busy_timeout_s)
        self._writing_engine = self.engine.execution_options(writes=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session to read in."""
        with self._faults_told(), Session(self.engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open a session whose changes are committed at its end, all or none."""
        with (
            self._turn,
            self._faults_told(),
            Session(self._writing_engine) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def changing(self) -> Iterator[Connection]:
        """Open a transaction on a bare connection, for migrations."""
        with self._faults_told(), self._writing_engine.begin() as connection:
            yield connection

    def scrub(self) -> None:
        """Clear the log of what was deleted: SQLite has overwritten it in the file already.

        PostgreSQL does this in its own time, by VACUUM and by recycling its log.
        """
        if self.engine.dialect.name == "sqlite":
            with self._faults_told(), self.engine.connect() as connection:
                connection.exec_driver_sql("COMMIT")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close every idle connection."""
        self.engine.dispose()

    def _make_file(self, path: str | None) -> None:
        if not path or path == ":memory:" or path.startswith("file:"):
            return
        file = Path(path)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            # The file holds ticket text: for its owner alone. The log beside it gets the same mode.
            file.touch(mode=0o600)
        except OSError as error:
            raise StoreError(
                f"database {self.name}: cannot be made or opened in its folder "
                f"({error.strerror}); choose another with TRIAGE_DATABASE_URL"
            ) from error

    @contextmanager
    def _faults_told(self) -> Iterator[None]:
        try:
            yield
        except PoolTimeout as error:
            raise StoreError(f"database {self.name}: no connection is free") from error
        except (OperationalError, InterfaceError) as error:
            raise StoreError(f"database {self.name}: {_fault(error)}") from error
        except DatabaseError as error:
            # Not one of its subclasses: those are mistakes in a statement, and bugs of ours.
            if type(error) is not DatabaseError:
                raise
            raise StoreError(f"database {self.name}: {_fault(error)}") from error


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise ConfigurationError(
            "database_url: not a database URL; write sqlite:///models/triage.db "
            "or postgresql+psycopg://user@host/name"
        ) from error
    return parsed


def _fault(error: DatabaseError | InterfaceError) -> str:
    code = getattr(error.orig, "sqlite_errorname", None)
    if code is None:
        return "the server cannot be reached, or refused the connection"
    primary = "_".join(code.split("_")[:2])
    return _SQLITE_FAULTS.get(primary, f"cannot be used ({primary})")


def _prepare_sqlite(engine: Engine, busy_timeout_s: float) -> None:
    def on_connect(connection: Any, _record: Any) -> None:
        # The driver would open transactions late and by its own rules; on_begin does it instead.
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout={round(busy_timeout_s * 1000)}")
        _switch_to_wal(connection, busy_timeout_s)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA secure_delete=ON")

    def on_begin(connection: Connection) -> None:
        # A writer takes its lock at once: one that read first could not wait for another writer.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)


def _switch_to_wal(connection: sqlite3.Connection, timeout_s: float) -> None:
    # SQLite does not wait here: two processes that make one file new would deadlock, so it says
    # busy at once, whatever busy_timeout is. The journal mode stays with the file, so this is rare.
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > deadline:
                raise
            time.sleep(_WAL_RETRY_S)
