"""How quickly feedback is on disk: 100 posts a second against a real server, for half a minute.

Run as ``python -m tests.benchmarks.feedback``; prints a Markdown table.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2

_ROOT = Path(__file__).parents[2]
_SERVER = _ROOT / "tests" / "api" / "fake_service.py"
_RATE = 100
_SECONDS = 30
_SENDERS = 8


def main() -> None:
    """Serve a small engine, post at a fixed rate, and print how long the answers took."""
    with tempfile.TemporaryDirectory() as folder:
        process, client = _serve(Path(folder))
        try:
            for name, path, bodies in _loads(client):
                waits = _post_at_rate(client, path, bodies)
                _print_row(name, waits)
        finally:
            client.close()
            process.terminate()
            process.wait(10)


def _serve(folder: Path) -> tuple[subprocess.Popen[bytes], httpx2.Client]:
    environment = {
        **os.environ,
        "TRIAGE_PORT": "0",
        "TRIAGE_DATABASE_URL": f"sqlite:///{folder}/triage.db",
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
    limits = httpx2.Limits(max_connections=_SENDERS)
    headers = {"X-API-Key": (folder / "key").read_text()}
    base_url = f"http://127.0.0.1:{port}"
    return process, httpx2.Client(base_url=base_url, headers=headers, limits=limits, timeout=30)


def _port(log: Path) -> str | None:
    found = [line for line in log.read_text().splitlines() if '"listening"' in line]
    return found[0].rpartition('"port": ')[2].partition(",")[0].strip(' "}') if found else None


def _loads(client: httpx2.Client) -> list[tuple[str, str, list[dict[str, Any]]]]:
    number = _RATE * _SECONDS
    suggestions = []
    for begin in range(0, number, 200):
        tickets = [
            {"id": f"INC-{begin + place}", "subject": "Account locked"} for place in range(200)
        ]
        answer = client.post("/v1/triage/batch", json={"tickets": tickets})
        answer.raise_for_status()
        suggestions += [result["suggestion_id"] for result in answer.json()["results"]]
    feedback = [
        {"suggestion_id": one, "verdict": "corrected", "tier": "2", "comment": "It is the server."}
        for one in suggestions
    ]
    outcomes = [
        {"ticket_id": f"INC-{place}", "tier": "1", "resolution": "Unlocked it and called back."}
        for place in range(number)
    ]
    return [
        ("POST /v1/feedback", "/v1/feedback", feedback),
        ("POST /v1/outcomes", "/v1/outcomes", outcomes),
    ]


def _post_at_rate(client: httpx2.Client, path: str, bodies: list[dict[str, Any]]) -> list[float]:
    """Send each body at its moment, and measure from that moment: a late sender hides nothing."""
    begin = time.perf_counter() + 0.5

    def send(place: int) -> float:
        due = begin + place / _RATE
        time.sleep(max(0.0, due - time.perf_counter()))
        answer = client.post(
            path, json=bodies[place], headers={"Idempotency-Key": f"{path}-{place}"}
        )
        assert answer.status_code == 201, answer.text
        return (time.perf_counter() - due) * 1000

    with ThreadPoolExecutor(_SENDERS) as pool:
        return list(pool.map(send, range(len(bodies))))


def _print_row(name: str, waits: list[float]) -> None:
    p50, p99 = statistics.median(waits), statistics.quantiles(waits, n=100)[-1]
    print(f"| {name} | {len(waits):,} | {p50:.1f} | {p99:.1f} | {max(waits):.1f} |", flush=True)


if __name__ == "__main__":
    print("| at 100 a second | posts | p50 ms | p99 ms | most ms |\n|---|---|---|---|---|")
    main()
