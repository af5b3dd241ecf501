"""Past tickets from the command line to the answers of a served model."""

import time
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def database(tmp_path: Path) -> dict[str, str]:
    return {"TRIAGE_DATABASE_URL": f"sqlite:///{tmp_path / 'triage.db'}"}


@pytest.fixture
def resolved(tmp_path: Path, rows: list[dict[str, str]], write: Any) -> Path:
    """The desk's rows with how they ended, and one that nobody could find again."""
    kept = [row | {"resolution": f"Solved number {place}."} for place, row in enumerate(rows)]
    return Path(write(tmp_path / "resolved.csv", [*kept, kept[0] | {"number": ""}]))


def test_history_is_stored_and_its_tickets_are_found(
    resolved: Path, rows: list[dict[str, str]], answer: Any, database: dict[str, str]
) -> None:
    added = answer("similar", "add", resolved, "--mapping", "sample", **database)
    again = answer("similar", "add", resolved, "--mapping", "sample", **database)
    found = answer(
        *("similar", "find", rows[7]["short_description"], rows[7]["description"], "--top", 3),
        **database,
    )

    assert added["rows"] == {"read": 201, "kept": 200, "merged": 0, "rejected": 1, "left_out": 0}
    assert (added["replaced"], again["replaced"], added["without_id"]) == (0, 200, 1)
    assert len(found) == 3
    assert found[0]["ticket_id"] == rows[7]["number"]
    assert found[0]["similarity"] == 1.0
    assert found[0]["resolution"] == "Solved number 7."
    assert {one["category"] for one in found} == {rows[7]["category"]}


def test_incidents_of_a_history_and_of_the_store_are_the_same(
    resolved: Path, answer: Any, database: dict[str, str]
) -> None:
    answer("similar", "add", resolved, "--mapping", "sample", **database)

    of_history = answer("incidents", resolved, "--mapping", "sample", **database)
    of_store = answer("incidents", **database)

    assert of_history["rows"]["kept"] == 201
    assert (of_history["n_tickets"], of_store["n_tickets"]) == (201, 200)
    assert of_store["bursts"] == of_history["bursts"] == []


def test_empty_store_is_told_with_what_to_do(
    run: Any, answer: Any, database: dict[str, str]
) -> None:
    answer("db", "upgrade", **database)

    ran = run("similar", "find", "printer", **database)

    assert ran.returncode == 0
    assert "triage similar add HISTORY" in " ".join(ran.stdout.split())


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("similar add nowhere.csv", "nowhere.csv"),
        ("similar find printer --top 0", "--top"),
        ("similar find printer", "triage.db: is not there"),
        ("incidents", "triage.db: is not there"),
        ("incidents nowhere.csv", "nowhere.csv"),
        ("incidents --window 1", "--window"),
        ("incidents --window 2000000000", "--window"),
    ],
)
def test_user_error_of_these_is_told_in_one_line(
    run: Any, tmp_path: Path, typed: str, hint: str, database: dict[str, str]
) -> None:
    ran = run(*typed.split(), "--json", cwd=tmp_path, **database)

    assert ran.returncode == 2
    assert len(ran.stderr.splitlines()) == 1 and hint in ran.stderr


def test_served_answers_tell_how_tickets_like_it_ended(
    desk: Path, resolved: Path, rows: list[dict[str, str]], serve: Any, answer: Any
) -> None:
    server = serve(desk / "models", "--workers", 2)
    url = f"sqlite:///{server.folder / 'triage.db'}"
    answer("similar", "add", resolved, "--mapping", "sample", TRIAGE_DATABASE_URL=url)
    body = {"subject": rows[7]["short_description"], "description": rows[7]["description"]}

    deadline = time.monotonic() + 60
    n_found = n_read = 0
    # Either of the workers may answer: both have to follow.
    while min(n_found / 8, n_read / 2) < 1 and time.monotonic() < deadline:
        similar = server.client.post("/v1/triage", json=body).json()["similar"]
        n_found = n_found + 1 if similar else 0
        n_read = server.log().count("past tickets read")
        time.sleep(0 if similar else 0.1)

    assert n_found >= 8
    assert similar[0]["ticket_id"] == rows[7]["number"]
    assert similar[0]["resolution"] == "Solved number 7."
    assert n_read == 2
    assert rows[7]["description"] not in server.log()
