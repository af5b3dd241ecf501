import re
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from triage.errors import ConfigurationError, TriageError
from triage.store import (
    SCOPES,
    Outcome,
    ReviewFilter,
    Store,
    StoredSuggestion,
    StoreError,
    open_store,
    upgrade,
)
from triage.store.database import Database
from triage.store.tables import SCHEMA_REVISION, Base

ROOT = Path(__file__).parents[2]


def suggestion(suggestion_id: str, **changes: object) -> StoredSuggestion:
    record = StoredSuggestion(
        id=suggestion_id,
        created_at=datetime(2026, 11, 24, 6, 1, 2, 345678, tzinfo=UTC),
        model_version="20261124-060102-1a2b3c4d",
        decision="suggest",
        confidence=0.8125,
        subject="Account locked",
        description="<user> cannot sign in",
        answer='{"suggestion_id":"s1","tier":{"label":"1"}}',
        ticket_id="INC-7",
        ticket_version="3",
    )
    return replace(record, **changes)


def run_sql(url: str, statement: str) -> None:
    database = Database(url)
    with database.changing() as connection:
        connection.exec_driver_sql(statement)
    database.close()


def revisions(url: str) -> list[str]:
    database = Database(url)
    with database.reading() as session:
        found = list(session.scalars(text("SELECT version_num FROM alembic_version")))
    database.close()
    return found


def test_migrated_schema_is_the_schema_of_the_tables(database_url: str) -> None:
    database = Database(database_url)

    with database.changing() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    database.close()

    assert differences == []


def test_tables_are_those_of_the_newest_migration(new_database_url: str) -> None:
    upgrade(new_database_url)

    assert revisions(new_database_url) == [SCHEMA_REVISION]


def test_upgrading_again_keeps_what_is_stored(database_url: str, store: Store) -> None:
    store.save_suggestions([suggestion("s1")])

    upgrade(database_url)

    assert store.get_suggestion("s1") == suggestion("s1")


def test_threads_may_migrate_a_new_database_at_once(new_database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(upgrade, [new_database_url] * 4))

    assert revisions(new_database_url) == [SCHEMA_REVISION]


def test_several_processes_may_migrate_a_new_database_at_once(new_database_url: str) -> None:
    code = "import sys; from triage.store import upgrade; upgrade(sys.argv[1])"
    processes = [
        subprocess.Popen([sys.executable, "-W", "error", "-c", code, new_database_url], cwd=ROOT)
        for _ in range(2)
    ]

    ended = [process.wait(60) for process in processes]

    assert ended == [0, 0]
    assert revisions(new_database_url) == [SCHEMA_REVISION]


def test_opening_waits_for_a_program_that_is_writing_into_a_file_without_a_log(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'triage.db'}"
    other = sqlite3.connect(tmp_path / "triage.db", isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE begun (at TEXT)")
    other.execute("BEGIN IMMEDIATE")
    release = Timer(0.2, other.execute, ["ROLLBACK"])
    release.start()

    upgrade(url)
    release.join()
    other.close()

    assert revisions(url) == [SCHEMA_REVISION]


def test_commits_are_on_disk_before_they_are_acknowledged(sqlite_url: str) -> None:
    database = Database(sqlite_url)

    with database.engine.connect() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    database.close()

    assert pragmas == ["wal", 2, 1, 5000]


def test_database_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    upgrade(f"sqlite:///{tmp_path / 'triage.db'}")

    assert stat.S_IMODE((tmp_path / "triage.db").stat().st_mode) == 0o600


def test_file_that_is_not_there_is_not_made_where_it_has_to_be(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is not there") as told:
        open_store(f"sqlite:///{tmp_path}/models/triage.db", must_exist=True)

    assert_one_line_for_people(told.value, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_existing_database_is_opened_where_it_has_to_be_there(database_url: str) -> None:
    store = open_store(database_url, must_exist=True)

    assert store.list_keys() == []
    store.close()


def test_created_key_is_found_by_its_secret_and_by_nothing_else(store: Store) -> None:
    info, secret = store.create_key("service desk", ["predict"])
    store.create_key("another", ["admin"])

    found = store.find_key(secret)

    assert found is not None and found.id == info.id
    for wrong in ("", "tt_", "tt__", secret[:-1], secret + "x", secret.upper(), f"tt_{info.id}_"):
        assert store.find_key(wrong) is None


def test_secret_of_a_key_is_nowhere_in_the_database(sqlite_url: str, tmp_path: Path) -> None:
    store = open_store(sqlite_url)
    _, secret = store.create_key("service desk", ["predict"])

    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    store.close()

    assert b"service desk" in written
    assert secret.encode() not in written
    assert secret.rpartition("_")[2].encode() not in written


def test_revoked_key_is_not_found_and_stays_listed(store: Store) -> None:
    info, secret = store.create_key("service desk", ["predict"])

    first = store.revoke_key(info.id)
    again = store.revoke_key(info.id)

    assert store.find_key(secret) is None
    assert first.revoked_at is not None and again.revoked_at == first.revoked_at
    assert [key.id for key in store.list_keys()] == [info.id]


def test_expired_key_is_not_found(database_url: str, store: Store) -> None:
    _, secret = store.create_key("visitor", ["predict"], datetime.now(UTC) + timedelta(hours=1))
    assert store.find_key(secret) is not None

    run_sql(database_url, "UPDATE api_keys SET expires_at = '2020-01-01 00:00:00.000000'")

    assert store.find_key(secret) is None


def test_use_of_a_key_is_noted(store: Store) -> None:
    info, _ = store.create_key("service desk", ["predict"])

    store.note_use(info.id)

    used_at = store.list_keys()[0].last_used_at
    assert used_at is not None and datetime.now(UTC) - used_at < timedelta(seconds=10)


def test_admin_may_do_everything_and_others_what_they_were_given(store: Store) -> None:
    admin, _ = store.create_key("admin", ["admin"])
    desk, _ = store.create_key("desk", ["predict", "feedback"])

    assert [scope for scope in SCOPES if admin.allows(scope)] == list(SCOPES)
    assert [scope for scope in SCOPES if desk.allows(scope)] == ["predict", "feedback"]


@pytest.mark.parametrize(
    ("name", "scopes", "expires_at"),
    [
        (" ", ["predict"], None),
        ("n" * 201, ["predict"], None),
        ("desk", [], None),
        ("desk", ["predict", "root"], None),
        ("desk", ["predict"], datetime(2020, 1, 1, tzinfo=UTC)),
        ("desk", ["predict"], datetime(2999, 1, 1)),
    ],
)
def test_key_that_makes_no_sense_is_not_made(
    store: Store, name: str, scopes: list[str], expires_at: datetime | None
) -> None:
    with pytest.raises(ConfigurationError):
        store.create_key(name, scopes, expires_at)

    assert store.list_keys() == []


def test_revoking_an_unknown_key_says_where_to_find_the_ids(store: Store) -> None:
    with pytest.raises(TriageError, match="keys list"):
        store.revoke_key("nosuchkey")


def test_saved_suggestion_comes_back_to_the_byte(store: Store) -> None:
    record = suggestion("s1", answer='{"b":1,"a":0.1,"name":"Zoë \\u2028"}')

    store.save_suggestions([record])

    assert store.get_suggestion("s1") == record
    assert store.get_suggestion("s2") is None


def test_saving_a_group_again_is_harmless(store: Store) -> None:
    group = [suggestion("s1"), suggestion("s2")]
    store.save_suggestions(group)

    store.save_suggestions([*group, suggestion("s3")])

    assert store.get_suggestion("s3") is not None


def test_first_answer_to_an_idempotency_key_stands(store: Store) -> None:
    key, _ = store.create_key("desk", ["predict"])
    other, _ = store.create_key("other desk", ["predict"])
    first = suggestion("s1", api_key_id=key.id, idempotency_key="k1", body_hash="a" * 64)
    second = replace(first, id="s2")
    elsewhere = replace(first, id="s3", api_key_id=other.id)
    in_group = replace(first, id="s4", idempotency_key="k2")
    in_group_again = replace(in_group, id="s5")

    store.save_suggestions([first])
    standing = store.save_suggestions([second, elsewhere, in_group, in_group_again])

    assert standing == [first, elsewhere, in_group, in_group]
    assert store.find_by_idempotency_key(key.id, "k1") == first
    assert store.get_suggestion("s2") is None


def test_threads_that_answer_the_same_idempotency_key_agree(store: Store) -> None:
    key, _ = store.create_key("desk", ["predict"])
    records = [suggestion(f"s{n}", api_key_id=key.id, idempotency_key="k") for n in range(8)]

    with ThreadPoolExecutor(4) as pool:
        standing = list(pool.map(lambda record: store.save_suggestions([record])[0], records))

    assert len(set(standing)) == 1


def test_moment_without_time_zone_is_refused(store: Store) -> None:
    with pytest.raises(Exception, match="time zone"):
        store.save_suggestions([suggestion("s1", created_at=datetime(2026, 1, 1))])


def assert_one_line_for_people(error: BaseException, tmp_path: Path) -> None:
    message = str(error)
    assert re.match(r"database (triage\.db|desk\d+): ", message)
    assert "\n" not in message
    assert str(tmp_path) not in message


def test_folder_that_cannot_be_made_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError) as told:
        open_store(f"sqlite:///{tmp_path}/file/triage.db")

    assert_one_line_for_people(told.value, tmp_path)


def test_file_that_is_no_database_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "triage.db").write_text("Dear diary, " * 400)

    with pytest.raises(StoreError, match="is not a database") as told:
        open_store(f"sqlite:///{tmp_path / 'triage.db'}")

    assert_one_line_for_people(told.value, tmp_path)


def test_writer_that_holds_its_turn_too_long_is_told_in_one_line(
    database_url: str, store: Store, tmp_path: Path
) -> None:
    other = Database(database_url)

    with (
        other.changing(),
        pytest.raises(StoreError, match="is locked by another program") as told,
    ):
        store.save_suggestions([suggestion("s1")])
    other.close()

    assert_one_line_for_people(told.value, tmp_path)
    store.save_suggestions([suggestion("s1")])
    assert store.get_suggestion("s1") is not None


def test_writers_of_several_stores_take_turns(database_url: str) -> None:
    stores = [open_store(database_url) for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        saved = pool.map(
            lambda n: stores[n % 4].save_suggestions([suggestion(f"s{n}", ticket_id="INC-7")]),
            range(24),
        )
        list(saved)

    states = [stores[0].reviews.count(ReviewFilter(state=state)) for state in ("open", "overtaken")]
    for store in stores:
        store.close()
    assert states == [1, 23]


def test_full_disk_is_told_in_one_line_and_nothing_is_half_written(
    sqlite_url: str, tmp_path: Path
) -> None:
    database = Database(sqlite_url)
    with database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    store = Store(database)
    group = [suggestion(f"s{n}", description="x" * 4000) for n in range(20)]

    with pytest.raises(StoreError, match="does not fit on its disk") as told:
        store.save_suggestions(group)

    assert_one_line_for_people(told.value, tmp_path)
    assert store.get_suggestion("s0") is None
    store.close()


def test_keys_are_found_while_another_program_writes(database_url: str, store: Store) -> None:
    _, secret = store.create_key("desk", ["predict"])
    other = Database(database_url)

    with other.changing():
        found = store.find_key(secret)
    other.close()

    assert found is not None


def test_server_that_went_away_is_told_in_one_line_and_found_again(
    postgres: Any, new_postgres_url: str
) -> None:
    store = open_store(new_postgres_url)
    name = new_postgres_url.split("?")[0].rpartition("/")[2]

    postgres.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    postgres.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    with pytest.raises(StoreError) as told:
        store.ping()
    postgres.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    store.ping()
    store.close()

    message = str(told.value)
    assert message.startswith(f"database {name}: the server cannot be reached")
    assert "\n" not in message and "/" not in message


def test_copy_that_takes_no_writes_is_told_in_one_line(
    postgres: Any, new_postgres_url: str
) -> None:
    upgrade(new_postgres_url)
    name = new_postgres_url.split("?")[0].rpartition("/")[2]
    postgres.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    store = open_store(new_postgres_url)

    with pytest.raises(StoreError, match="takes no writes") as told:
        store.save_suggestions([suggestion("s1")])
    with pytest.raises(StoreError, match="takes no writes"):
        store.outcomes.add(Outcome(datetime.now(UTC), "INC-7", "nosuchkey", "1"))
    store.close()

    assert "\n" not in str(told.value)


def test_database_of_a_newer_version_is_told_in_one_line(new_database_url: str) -> None:
    upgrade(new_database_url)
    run_sql(new_database_url, "UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(StoreError, match="newer version") as told:
        open_store(new_database_url)

    assert "\n" not in str(told.value)


def test_short_name_of_postgresql_means_our_driver(postgres_url: str) -> None:
    store = open_store(postgres_url.replace("postgresql+psycopg://", "postgresql://"))

    assert store.list_keys() == []
    store.close()


@pytest.mark.parametrize(
    "url", ["", "models/triage.db", "nosuch://db", "postgresql+nosuch://h/d", "mysql://h/d"]
)
def test_url_that_is_none_is_told_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigurationError, match="not a database URL"):
        open_store(url)


def test_password_of_a_database_that_cannot_be_used_is_not_told() -> None:
    with pytest.raises(TriageError) as told:
        open_store("postgresql+psycopg://desk:s3cr3t@127.0.0.1:1/triage")

    assert "s3cr3t" not in str(told.value)
    assert "127.0.0.1" not in str(told.value)
