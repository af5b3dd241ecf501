"""The one place that opens the database, and that turns its failures into a line for people."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from triage.errors import ConfigurationError, TriageError
from triage.store.turns import Turns

T = TypeVar("T")

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

_POSTGRES_FAULTS = {
    "25006": "takes no writes: it is a copy, or set to be read only",
    "42501": "may not be changed by this user; grant it the rights to its tables",
    "53100": "does not fit on its disk; make room and try again",
    "53300": "has no connection left; allow it more of them",
    "55P03": "is locked by another program; stop it, or try again in a moment",
    "57P01": "was stopped by its administrator; start it again",
    "XX001": "is damaged; restore it from a backup",
    "XX002": "is damaged; restore it from a backup",
}
"""By the SQLSTATE that the server tells."""

_TAKE_TURN = text("SELECT pg_advisory_xact_lock(7280614153)")
"""The number stands for "a writer of this store", in PostgreSQL's locks by number."""

_DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}

_CONNECT_S = 5
_SILENCE_MS = 10_000  # of a server's network, after which a connection is given up

_WAL_RETRY_S = 0.02
_SCRUB_TRIES = 20
_SCRUB_WAIT_S = 0.1


class StoreError(TriageError):
    """The store cannot be reached or written to."""


class Database:
    """A database with the settings we rely on, and sessions that read or write in it.

    Writers take turns, in all threads and processes, on either database: what one has read stays
    true until it commits, and numbers given to rows are committed in their order. A writer waits
    ``busy_timeout_s`` for its turn. Every commit is on disk before it is acknowledged.

    Parameters
    ----------
    must_exist : refuse a SQLite file that is not there, rather than make it

    Raises
    ------
    ConfigurationError : the URL is not one, or the driver it asks for is not installed
    StoreError : a SQLite file is not there and must be, or its folder cannot be made or written to
    """

    def __init__(self, url: str, *, busy_timeout_s: float = 5.0, must_exist: bool = False) -> None:
        parsed = _parse(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self.name = Path(parsed.database or "").name or parsed.get_backend_name()
        self.file = _file_of(parsed) if self.is_sqlite else None
        self._turns = Turns(self._transaction)
        self._busy_timeout_s = busy_timeout_s
        if self.file is not None:
            self._require_file(self.file, must_exist)
        try:
            self.engine = create_engine(
                parsed,
                hide_parameters=True,
                pool_pre_ping=not self.is_sqlite,
                connect_args={} if self.is_sqlite else _patience(parsed),
            )
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"database_url: {parsed.drivername} needs the module {error.name}, "
                "which is not installed"
            ) from error
        if self.is_sqlite:
            _prepare_sqlite(self.engine, busy_timeout_s)
        else:
            _prepare_postgres(self.engine, busy_timeout_s)
        self._writing_engine = self.engine.execution_options(writes=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session to read in."""
        with self._faults_told(), Session(self.engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open a session whose changes are committed at its end, all or none."""
        with self._turns.alone(), self._transaction() as session:
            yield session

    def write(self, work: Callable[[Session], T]) -> T:
        """Do a small piece of work in a transaction, perhaps together with other threads' work.

        When it returns, it is on disk; when the work raises, its own changes are undone.
        """
        with self._faults_told():
            return self._turns.share(work)

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        with (
            self._faults_told(),
            Session(self._writing_engine) as session,
            session.begin(),
        ):
            if not self.is_sqlite:
                session.execute(_TAKE_TURN)
            yield session

    @contextmanager
    def changing(self) -> Iterator[Connection]:
        """Open a transaction on a bare connection, for migrations."""
        with self._faults_told(), self._writing_engine.begin() as connection:
            if not self.is_sqlite:
                connection.execute(_TAKE_TURN)
            yield connection

    @contextmanager
    def looking(self) -> Iterator[Connection]:
        """Open a bare connection to read on, whatever tables there are."""
        with self._faults_told(), self.engine.connect() as connection:
            yield connection

    def scrub(self) -> bool:
        """Clear the log of what was deleted: SQLite has overwritten it in the file already.

        PostgreSQL does this in its own time, by VACUUM and by recycling its log.

        Returns
        -------
        bool, False when another program kept an old state open for as long as was waited here
        """
        if not self.is_sqlite:
            return True
        for left in reversed(range(_SCRUB_TRIES)):
            with self._turns.alone(), self._faults_told(), self.engine.connect() as connection:
                connection.exec_driver_sql("COMMIT")
                # It holds the writers up while it waits for readers: better to ask again.
                connection.exec_driver_sql("PRAGMA busy_timeout=0")
                try:
                    checkpoint = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                    is_busy = bool(checkpoint.one()[0])
                finally:
                    wait_ms = round(self._busy_timeout_s * 1000)
                    connection.exec_driver_sql(f"PRAGMA busy_timeout={wait_ms}")
            if not is_busy:
                return True
            if left:
                time.sleep(_SCRUB_WAIT_S)
        return False

    def close(self) -> None:
        """Close every idle connection."""
        self.engine.dispose()

    def _require_file(self, file: Path, must_exist: bool) -> None:
        try:
            if must_exist:
                if not file.exists():
                    raise StoreError(
                        f"database {self.name}: is not there; name another with "
                        "TRIAGE_DATABASE_URL, or make it with `triage db upgrade`"
                    )
                return
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
        except (DatabaseError, InterfaceError) as error:
            fault = _fault(error)
            if fault is None:
                raise
            raise StoreError(f"database {self.name}: {fault}") from error


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
        parsed = parsed.set(drivername=_DRIVERS[parsed.drivername])
    except (ArgumentError, KeyError, ValueError) as error:
        raise ConfigurationError(
            "database_url: not a database URL; write sqlite:///models/triage.db "
            "or postgresql+psycopg://user@host/name"
        ) from error
    return parsed


def _file_of(url: URL) -> Path | None:
    """Name the file of a SQLite URL; None for one in memory, or named in SQLite's own way."""
    path = url.database
    return None if not path or path == ":memory:" or path.startswith("file:") else Path(path)


def _fault(error: DatabaseError | InterfaceError) -> str | None:
    """Say what is wrong with the database; None for a mistake in a statement, a bug of ours."""
    told = _POSTGRES_FAULTS.get(getattr(error.orig, "sqlstate", None) or "")
    if told is not None:
        return told
    code = getattr(error.orig, "sqlite_errorname", None)
    # The other subclasses of DatabaseError are mistakes in a statement.
    if type(error) is not DatabaseError and not isinstance(
        error, OperationalError | InterfaceError
    ):
        return None
    if code is None:
        return "the server cannot be reached, or refused the connection"
    primary = "_".join(code.split("_")[:2])
    return _SQLITE_FAULTS.get(primary, f"cannot be used ({primary})")


def _patience(url: URL) -> dict[str, int]:
    """Limit how long a server that does not answer is waited for, unless the URL does."""
    limits = {"connect_timeout": _CONNECT_S, "tcp_user_timeout": _SILENCE_MS}
    return {name: limit for name, limit in limits.items() if name not in url.query}


def _prepare_postgres(engine: Engine, busy_timeout_s: float) -> None:
    def on_connect(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {round(busy_timeout_s * 1000)}")
        connection.commit()

    event.listen(engine, "connect", on_connect)


def _prepare_sqlite(engine: Engine, busy_timeout_s: float) -> None:
    def on_connect(connection: Any, _record: Any) -> None:
        # The driver would open transactions late and by its own rules; on_begin does it instead.
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout={round(busy_timeout_s * 1000)}")
        _switch_to_wal(connection, busy_timeout_s)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA secure_delete=ON")
        # Its own knows the letters of English alone.
        connection.create_function("lower", 1, _lower, deterministic=True)

    def on_begin(connection: Connection) -> None:
        # A writer takes its lock at once: one that read first could not wait for another writer.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


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
