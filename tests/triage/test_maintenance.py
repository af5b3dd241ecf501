"""Looking after a database: a check that finds damage, a backup that can be trusted."""

import os
import shutil
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from triage.store import (
    Store,
    StoredSuggestion,
    StoreError,
    back_up,
    check_database,
    open_store,
    upgrade,
)
from triage.store.tables import SCHEMA_REVISION

NOW = datetime(2026, 11, 24, 6, 1, tzinfo=UTC)


def suggestion(number: int, words: str = "account locked ") -> StoredSuggestion:
    return StoredSuggestion(
        f"s{number}", NOW, "v", "suggest", 0.5, words, words * 100, "{}", f"INC-{number}"
    )


def damage(file: Path) -> None:
    """Write garbage over the middle of a file."""
    with file.open("r+b") as stream:
        stream.seek(file.stat().st_size // 2)
        stream.write(os.urandom(file.stat().st_size // 4))


def test_check_tells_what_is_in_a_database(database_url: str, store: Store) -> None:
    store.create_key("desk", ["predict"])
    store.save_suggestions([suggestion(number) for number in range(3)])

    health = check_database(database_url)

    assert (health.revision, health.is_up_to_date) == (SCHEMA_REVISION, True)
    assert health.rows["suggestions"] == health.rows["reviews"] == 3
    assert (health.rows["api_keys"], health.rows["erasures"]) == (1, 0)
    assert health.kind in ("sqlite", "postgresql")
    assert 50_000 < health.size_bytes < 50_000_000


def test_check_changes_no_table(new_database_url: str, tmp_path: Path) -> None:
    (tmp_path / "triage.db").touch()

    health = check_database(new_database_url)

    assert (health.revision, health.is_up_to_date, health.rows) == (None, False, {})


def test_check_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is not there"):
        check_database(f"sqlite:///{tmp_path / 'triage.db'}")

    assert list(tmp_path.iterdir()) == []


def test_check_finds_damage(sqlite_url: str, tmp_path: Path) -> None:
    store = open_store(sqlite_url)
    store.save_suggestions([suggestion(number) for number in range(60)])
    store.close()
    damage(tmp_path / "triage.db")

    with pytest.raises(StoreError, match=r"^database triage\.db: is damaged; restore it"):
        check_database(sqlite_url)


def test_check_finds_rows_that_refer_to_nothing(sqlite_url: str, tmp_path: Path) -> None:
    store = open_store(sqlite_url)
    store.save_suggestions([suggestion(1)])
    store.close()
    connection = sqlite3.connect(tmp_path / "triage.db")
    connection.execute("DELETE FROM suggestions")
    connection.commit()
    connection.close()

    with pytest.raises(StoreError, match="is damaged"):
        check_database(sqlite_url)


def test_backup_holds_what_was_acknowledged_and_stands_alone(
    sqlite_url: str, tmp_path: Path
) -> None:
    store = open_store(sqlite_url)
    store.save_suggestions([suggestion(number) for number in range(9)])
    (tmp_path / "safe").mkdir()

    made = back_up(sqlite_url, tmp_path / "safe" / "copy.db")

    store.close()
    assert [file.name for file in (tmp_path / "safe").iterdir()] == ["copy.db"]
    assert stat.S_IMODE(made.file.stat().st_mode) == 0o600
    assert (made.size_bytes, made.revision) == (made.file.stat().st_size, SCHEMA_REVISION)
    restored = open_store(f"sqlite:///{made.file}")
    assert restored.get_suggestion("s8") == suggestion(8)
    restored.close()


def test_backup_under_load_is_one_state_of_the_database(sqlite_url: str, tmp_path: Path) -> None:
    store = open_store(sqlite_url)
    copies = [tmp_path / f"copy{number}.db" for number in range(4)]

    with ThreadPoolExecutor(2) as pool:
        saving = pool.submit(
            lambda: [store.save_suggestions([suggestion(number)]) for number in range(120)]
        )
        for copy in copies:
            back_up(sqlite_url, copy)
        saving.result()
    store.close()

    for copy in copies:
        rows = check_database(f"sqlite:///{copy}").rows
        assert rows["suggestions"] == rows["reviews"]


def test_newer_backup_takes_the_place_of_the_older(sqlite_url: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    back_up(sqlite_url, copy)
    store = open_store(sqlite_url)
    store.save_suggestions([suggestion(1)])

    back_up(sqlite_url, copy)

    store.close()
    assert check_database(f"sqlite:///{copy}").rows["suggestions"] == 1


def test_damaged_database_leaves_the_last_good_backup_alone(
    sqlite_url: str, tmp_path: Path
) -> None:
    store = open_store(sqlite_url)
    store.save_suggestions([suggestion(number) for number in range(60)])
    store.close()
    back_up(sqlite_url, tmp_path / "copy.db")
    good = (tmp_path / "copy.db").read_bytes()
    damage(tmp_path / "triage.db")

    with pytest.raises(StoreError, match=r"database triage\.db: is damaged"):
        back_up(sqlite_url, tmp_path / "copy.db")

    assert (tmp_path / "copy.db").read_bytes() == good
    assert not list(tmp_path.glob("*.partial")) and not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("name", ["triage.db", "triage.db-wal", "../here/triage.db", "link.db"])
def test_backup_never_takes_the_place_of_the_database(tmp_path: Path, name: str) -> None:
    (tmp_path / "here").mkdir()
    url = f"sqlite:///{tmp_path / 'here' / 'triage.db'}"
    upgrade(url)
    (tmp_path / "here" / "link.db").symlink_to(tmp_path / "here" / "triage.db")
    before = (tmp_path / "here" / "triage.db").read_bytes()

    with pytest.raises(StoreError, match="is the database itself"):
        back_up(url, tmp_path / "here" / name)

    assert (tmp_path / "here" / "triage.db").read_bytes() == before


@pytest.mark.parametrize("target", ["nowhere/copy.db", "folder"])
def test_backup_that_has_no_place_is_told_in_one_line(
    sqlite_url: str, tmp_path: Path, target: str
) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(StoreError, match="cannot be written") as told:
        back_up(sqlite_url, tmp_path / target)

    assert "\n" not in str(told.value) and str(tmp_path) not in str(told.value)
    assert {file.name for file in tmp_path.iterdir()} <= {
        "triage.db",
        "triage.db-wal",
        "triage.db-shm",
        "folder",
    }


def test_postgresql_is_backed_up_with_its_own_tool(postgres_url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="pg_dump") as told:
        back_up(postgres_url, tmp_path / "copy.db")

    assert "\n" not in str(told.value)
    assert list(tmp_path.iterdir()) == []


def test_restored_backup_serves_again(sqlite_url: str, tmp_path: Path) -> None:
    """The steps of docs/store.md."""
    store = open_store(sqlite_url)
    store.save_suggestions([suggestion(1)])
    back_up(sqlite_url, tmp_path / "copy.db")
    store.save_suggestions([suggestion(2)])
    store.close()

    for ending in ("", "-wal", "-shm"):
        (tmp_path / f"triage.db{ending}").unlink(missing_ok=True)
    shutil.copy(tmp_path / "copy.db", tmp_path / "triage.db")

    store = open_store(sqlite_url)
    store.save_suggestions([suggestion(3)])
    assert [store.get_suggestion(f"s{n}") is not None for n in (1, 2, 3)] == [True, False, True]
    store.close()
