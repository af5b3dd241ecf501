"""`triage drift` as people type it: a trained desk, its exports and its store."""

from pathlib import Path
from typing import Any

import pytest

SPANISH = "Desde esta mañana no me deja entrar en mi cuenta y necesito ayuda"


@pytest.fixture
def database(tmp_path: Path) -> dict[str, str]:
    return {"TRIAGE_DATABASE_URL": f"sqlite:///{tmp_path / 'triage.db'}"}


def test_exports_like_the_history_are_quiet(
    desk: Path, rows: list[dict[str, str]], write: Any, tmp_path: Path, answer: Any
) -> None:
    newer = [row | {"caller": f"caller {number % 9}"} for number, row in enumerate(rows)]
    export = write(tmp_path / "newer.csv", newer)

    told = answer("drift", export, "--mapping", "sample", "--model", desk / "models")

    assert told["n_tickets"] == 200
    assert told["alarm"] is False
    assert {"terms", "language", "field:site"} <= {one["name"] for one in told["signals"]}


def test_new_language_is_told_with_what_to_do(
    desk: Path, rows: list[dict[str, str]], write: Any, tmp_path: Path, run: Any
) -> None:
    newer = [
        row | {"description": SPANISH} if number % 4 == 0 else row
        for number, row in enumerate(rows)
    ]
    export = write(tmp_path / "newer.csv", newer)

    ran = run("drift", export, "--mapping", "sample", "--model", desk / "models", COLUMNS="200")

    told = " ".join(ran.stdout.split())
    assert ran.returncode == 0
    assert "Spanish" in told
    assert "another language" in told
    assert "mañana" not in told


def test_empty_store_is_told_to_hold_too_little(
    desk: Path, answer: Any, database: dict[str, str]
) -> None:
    answer("db", "upgrade", **database)

    told = answer("drift", "--model", desk / "models", **database)

    assert (told["n_tickets"], told["alarm"], told["promise"]) == (0, False, "unknown")
    assert "too few" in told["note"]


def test_a_window_is_counted_in_tickets_or_in_days(run: Any) -> None:
    ran = run("drift", "--window", 50, "--days", 7)

    assert ran.returncode == 2
    assert "give one of them" in ran.stderr
