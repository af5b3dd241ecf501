"""How long the insights take: a store of 100,000 suggestions, the page over HTTP.

Run as ``python -m tests.benchmarks.insights``; prints a Markdown table.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import insert

from triage.store import open_store
from triage.store.database import Database
from triage.store.tables import FeedbackRow, OutcomeRow, ReviewRow, SuggestionRow

_ROOT = Path(__file__).parents[2]
_SERVER = _ROOT / "tests" / "api" / "fake_service.py"
_REPEATS = 20
_VIEWS = (
    ("4 weeks", "period=4w"),
    ("13 weeks", "period=13w"),
    ("12 months", "period=12m"),
    ("everything, one category", "period=all&category=vpn"),
)

_N = 100_000
_DAYS = 365
_CATEGORIES = ("access", "email", "printing", "vpn", "software", "hardware", "network", "data")


def fill(url: str, n: int = _N) -> None:
    """Make up a year of a desk: a suggestion each, feedback on a third, outcomes of most."""
    chance = random.Random(0)
    with closing(open_store(url)) as store:
        key, _ = store.create_key("bench", ["admin"])
    database = Database(url)
    begin = datetime.now(UTC) - timedelta(days=_DAYS)
    tables: dict[Any, list[dict[str, Any]]] = {}
    for number in range(n):
        at = begin + timedelta(days=_DAYS) * (number / n)
        for table, row in _ticket(chance, number, at, key.id):
            tables.setdefault(table, []).append(row)
        if number % 2_000 == 1_999 or number == n - 1:
            with database.writing() as session:
                for table in (SuggestionRow, ReviewRow, FeedbackRow, OutcomeRow):
                    session.execute(insert(table), tables.pop(table))
    database.engine.dispose()


def _ticket(
    chance: random.Random, number: int, at: datetime, key: str
) -> list[tuple[Any, dict[str, Any]]]:
    confidence = chance.random() ** 0.5
    decision = "route" if confidence > 0.9 else "suggest" if confidence > 0.3 else "review"
    tier, category = chance.choice("1112223"), chance.choice(_CATEGORIES)
    is_right = chance.random() < confidence
    final = tier if is_right else "3"
    common = {
        "created_at": at,
        "model_version": f"model-{number // 40_000}",
        "decision": decision,
        "confidence": confidence,
        "ticket_id": f"INC-{number}",
    }
    answer = {
        "decision": decision,
        "reasons": [{"code": "joint_unsure", "message": "Not sure.", "next_action": "Look."}],
        "articles": [{"id": f"KB{chance.randrange(60):04}", "title": "An article"}] * 3,
        "incident": None,
        "text": "x" * 4_000,  # an answer has steps, similar tickets, a hand-off note and so on
    }
    found: list[tuple[Any, dict[str, Any]]] = [
        (
            SuggestionRow,
            common
            | {
                "id": f"sg{number}",
                "subject": "Something does not work",
                "description": "It worked yesterday. " * 20,
                "answer": json.dumps(answer),
            },
        ),
        (
            ReviewRow,
            common
            | {
                "suggestion_id": f"sg{number}",
                "tier": tier,
                "category": category,
                "language": "en",
                "worth": 0.5,
                "reasons": [],
                "state": "open",
                "revision": 0,
            },
        ),
    ]
    if number % 3 == 0:
        found.append(
            (
                FeedbackRow,
                common
                | {
                    "suggestion_id": f"sg{number}",
                    "api_key_id": key,
                    "verdict": "accepted" if is_right else "corrected",
                    "tier": final,
                    "category": category,
                    "shown_tier": tier,
                    "shown_category": category,
                    "is_blind": number % 20 == 0,
                    "steps_done": [],
                    "comment": "",
                },
            )
        )
    found.append(
        (
            OutcomeRow,
            {
                "received_at": at + timedelta(hours=5),
                "resolved_at": at + timedelta(hours=4),
                "ticket_id": f"INC-{number}",
                "api_key_id": key,
                "tier": final,
                "category": category,
                "tier_path": ["1", final] if final != "1" else ["1"],
                "reassignments": int(final != "1"),
                "reopened": int(chance.random() < 0.05),
                "csat": float(chance.randrange(1, 6)),
                "article_ids": [f"KB{chance.randrange(60):04}"],
                "asked_details": [],
                "resolution": "",
                "shaped_by_routing": decision == "route",
            },
        )
    )
    return found


def main() -> None:
    """Fill a store, serve it, and print how long a first view and the next ones take."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder}/triage.db"
        fill(url)
        process, client = _serve(folder, url)
        try:
            for what, query in _VIEWS:
                before = _processor_s(process)
                first = _view(client, query)
                busy = _processor_s(process) - before
                again = statistics.median(_view(client, query) for _ in range(_REPEATS))
                print(f"| {what} | {busy:.1f} | {first / 1000:.1f} | {again:.0f} |", flush=True)
        finally:
            client.close()
            process.terminate()
            process.wait(10)


def _serve(folder: Path, url: str) -> tuple[subprocess.Popen[bytes], httpx2.Client]:
    environment = {
        **os.environ,
        "TRIAGE_PORT": "0",
        "TRIAGE_DATABASE_URL": url,
        "PYTHONPATH": f"{_ROOT}{os.pathsep}{_SERVER.parent}",
    }
    log = folder / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, _SERVER, folder / "key"], cwd=folder, env=environment, stderr=stream
        )
    deadline = time.monotonic() + 60
    while (port := _port(log)) is None:
        if time.monotonic() > deadline or process.poll() is not None:
            raise SystemExit(f"the server did not start: {log.read_text()}")
        time.sleep(0.05)
    client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=120)
    client.post("/review/sign-in", data={"key": (folder / "key").read_text()})
    return process, client


def _processor_s(process: subprocess.Popen[bytes]) -> float:
    """Read how long a process has kept a processor busy, whatever else the machine does."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _port(log: Path) -> int | None:
    for line in log.read_text().splitlines():
        if '"listening"' in line:
            return int(json.loads(line)["port"])
    return None


def _view(client: httpx2.Client, query: str) -> float:
    begin = time.perf_counter()
    found = client.get(f"/insights?{query}")
    assert found.status_code == 200, found.status_code
    return (time.perf_counter() - begin) * 1000


if __name__ == "__main__":
    print("| view | first, processor s | first s | again ms |\n|---|---|---|---|")
    main()
