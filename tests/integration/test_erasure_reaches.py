"""A ticket that is erased leaves every file of the desk, over a real service of two processes."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SECRET = "qwxsecret"


def files_with_the_secret(*folders: Path) -> list[str]:
    return sorted(
        path.name
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and SECRET.encode() in path.read_bytes()
    )


def until(happened: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def models(desk: Path, tmp_path: Path) -> Path:
    """A models folder of this test's own, with what its training has kept."""
    copied = tmp_path / "models"
    shutil.copytree(desk / "models", copied)
    assert (copied / "cache" / "training").is_dir()
    return copied


def test_erased_ticket_is_in_no_file_and_comes_back_in_none(
    models: Path,
    rows: list[dict[str, str]],
    write: Any,
    serve: Any,
    answer: Any,
    tmp_path: Path,
) -> None:
    server = serve(models, "--workers", 2)
    database = {"TRIAGE_DATABASE_URL": f"sqlite:///{server.folder / 'triage.db'}"}
    made = answer("keys", "create", "boss", "--scope", "admin", **database)
    # Each request on a connection of its own: either of the workers may take it.
    server.client.headers.update({"X-API-Key": made["key"], "Connection": "close"})
    row = rows[8]
    numbers = iter(range(1_000))

    def triage(ticket_id: str, words: str = "") -> dict[str, Any]:
        body = {
            "id": ticket_id,
            "subject": f"{row['short_description']} {words}",
            "description": row["description"],
        }
        headers = {"Idempotency-Key": f"request-{next(numbers)}"}
        told = server.client.post("/v1/triage", json=body, headers=headers)
        told.raise_for_status()
        suggestion: dict[str, Any] = told.json()
        return suggestion

    def tells_of_it(text: str) -> bool:
        # One ticket, asked about again: others like it would be shown in its place.
        similar = triage("OTHER")["similar"]
        return any(one["ticket_id"] == "INC/7" and text in str(one) for one in similar)

    suggestion = triage("INC/7", SECRET)
    until(lambda: tells_of_it(SECRET))
    said = {"suggestion_id": suggestion["suggestion_id"], "verdict": "rejected", "comment": SECRET}
    server.client.post("/v1/feedback", json=said).raise_for_status()
    ended = {"ticket_id": "INC/7", "tier": "1", "resolution": f"told {SECRET}"}
    server.client.post("/v1/outcomes", json=ended).raise_for_status()
    until(lambda: tells_of_it(f"told {SECRET}"))
    assert "triage.db" in str(files_with_the_secret(server.folder))

    erased = server.client.delete("/v1/tickets/INC%2F7")

    assert erased.status_code == 200
    told = erased.json()
    assert told["suggestions"] == told["feedback"] == told["outcomes"] == told["past_tickets"] == 1
    assert told["quotes"] >= 2
    assert told["log_cleared"] and told["caches_cleared"]
    assert files_with_the_secret(server.folder, models) == []
    assert not (models / "cache" / "training").exists()

    history = write(
        tmp_path / "again.csv",
        [
            *rows,
            row | {"number": "INC/7", "short_description": f"{row['short_description']} {SECRET}"},
        ],
    )
    added = answer("similar", "add", history, "--mapping", "sample", **database)
    assert (added["rows"]["kept"], added["rows"]["left_out"], added["erased"]) == (200, 1, 1)
    assert not any(tells_of_it("") for _ in range(10))
    answer("db", "backup", server.folder / "copy.db", **database)
    assert server.stop() == 0
    assert files_with_the_secret(server.folder, models) == []
