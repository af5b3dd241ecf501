"""The commands that look after the database, as their users call them."""

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from triage.store import StoredSuggestion, open_store


@pytest.fixture
def database(tmp_path: Path, answer: Any) -> dict[str, str]:
    variables = {"TRIAGE_DATABASE_URL": f"sqlite:///{tmp_path / 'triage.db'}"}
    answer("db", "upgrade", **variables)
    return variables


def fill(folder: Path) -> None:
    store = open_store(f"sqlite:///{folder / 'triage.db'}")
    old = datetime(2020, 1, 1, tzinfo=UTC)
    store.save_suggestions(
        [
            StoredSuggestion("s1", old, "v", "suggest", 0.5, "old", "zyxcanary", "{}", "INC-1"),
            StoredSuggestion("s2", datetime.now(UTC), "v", "suggest", 0.5, "b", "", "{}", "INC-2"),
        ]
    )
    store.close()


def test_check_counts_what_is_in_the_database(
    database: dict[str, str], tmp_path: Path, answer: Any, run: Any
) -> None:
    fill(tmp_path)

    checked = answer("db", "check", **database)
    told = run("db", "check", **database)

    assert checked["rows"]["suggestions"] == 2
    assert checked["is_up_to_date"] is True
    assert told.returncode == 0 and "The database is whole" in told.stdout


def test_damaged_database_is_told_in_one_line(
    database: dict[str, str], tmp_path: Path, run: Any
) -> None:
    file = tmp_path / "triage.db"
    with file.open("r+b") as stream:
        stream.seek(8192)
        stream.write(os.urandom(file.stat().st_size - 16384))

    for typed in (("db", "check"), ("db", "backup", tmp_path / "copy.db")):
        ran = run(*typed, "--json", **database)
        assert ran.returncode == 2
        assert ran.stderr == "triage: database triage.db: is damaged; restore it from a backup\n"
    assert not (tmp_path / "copy.db").exists()


def test_backup_is_a_database_of_its_own(
    database: dict[str, str], tmp_path: Path, answer: Any
) -> None:
    fill(tmp_path)

    made = answer("db", "backup", "copy.db", cwd=tmp_path, **database)

    connection = sqlite3.connect(tmp_path / "copy.db")
    [(suggestions,)] = connection.execute("SELECT count(*) FROM suggestions").fetchall()
    connection.close()
    assert suggestions == 2
    assert (made["file"], made["size_bytes"]) == ("copy.db", (tmp_path / "copy.db").stat().st_size)


def test_ticket_is_erased_and_old_texts_are_forgotten(
    database: dict[str, str], tmp_path: Path, answer: Any, run: Any
) -> None:
    fill(tmp_path)

    erased = answer("erase", "INC-2", **database)
    forgotten = answer("erase", "--older-than", 365, **database)
    again = run("erase", "INC-2", **database)

    assert (erased["suggestions"], erased["caches_cleared"]) == (1, True)
    assert (forgotten["suggestions"], forgotten["log_cleared"]) == (1, True)
    assert again.stdout.startswith("Erased: 0 suggestions")
    written = b"".join(file.read_bytes() for file in tmp_path.glob("triage.db*"))
    assert b"zyxcanary" not in written


def test_commands_work_on_postgresql(postgres_url: str, answer: Any, run: Any) -> None:
    database = {"TRIAGE_DATABASE_URL": postgres_url}

    answer("db", "upgrade", **database)
    made = answer("keys", "create", "desk", "--scope", "predict", **database)
    checked = answer("db", "check", **database)
    erased = answer("erase", "INC-7", **database)
    backed_up = run("db", "backup", "copy.db", **database)

    assert [key["id"] for key in answer("keys", "list", **database)] == [made["id"]]
    assert (checked["kind"], checked["rows"]["api_keys"]) == ("postgresql", 1)
    assert erased["suggestions"] == 0
    assert backed_up.returncode == 2
    assert len(backed_up.stderr.splitlines()) == 1 and "pg_dump" in backed_up.stderr


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("erase", "--older-than DAYS"),
        ("erase INC-1 --older-than 3", "--older-than DAYS"),
        ("erase --older-than 0", "--older-than"),
        ("erase --older-than 99999999", "--older-than"),
        ("db backup triage.db", "is the database itself"),
        ("db backup nowhere/copy.db", "copy.db: cannot be written"),
    ],
)
def test_user_error_of_these_is_told_in_one_line(
    run: Any, tmp_path: Path, database: dict[str, str], typed: str, hint: str
) -> None:
    ran = run(*typed.split(), "--json", cwd=tmp_path, **database)

    assert ran.returncode == 2
    assert len(ran.stderr.splitlines()) == 1 and hint in ran.stderr
    assert str(tmp_path) not in ran.stderr


@pytest.mark.parametrize(
    "typed",
    [
        "keys list",
        "keys revoke nokey",
        "db check",
        "db backup copy.db",
        "erase INC-1",
        "similar find printer",
        "incidents",
        "kb drafts",
        "data export-feedback feedback.csv",
    ],
)
def test_name_of_no_database_makes_none(run: Any, tmp_path: Path, typed: str) -> None:
    ran = run(
        *typed.split(), "--json", cwd=tmp_path, TRIAGE_DATABASE_URL="sqlite:///models/triag.db"
    )

    assert ran.returncode == 2
    assert ran.stderr.startswith("triage: database triag.db: is not there; ")
    assert len(ran.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
