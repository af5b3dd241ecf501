"""The server is killed in the middle of feedback, 20 times: what it acknowledged is there once."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import httpx2
import pytest

from triage.store import open_store

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
KILLS = 20
SENDERS = 4
PER_LIFE = 5
"""Acknowledged posts in each life of the server, at least."""


class MortalService:
    """A service that is killed and comes back on another port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lives = 0
        self._mother = subprocess.Popen(
            [sys.executable, HERE / "serve_again.py", folder / "key"],
            cwd=folder,
            env={
                **os.environ,
                "TRIAGE_PORT": "0",
                "TRIAGE_DATABASE_URL": f"sqlite:///{folder / 'triage.db'}",
                "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests' / 'api'}",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.address = self.start()

    def start(self) -> str:
        assert self._mother.stdin and self._mother.stdout
        self._lives += 1
        log = self._folder / f"log{self._lives}"
        print(log, file=self._mother.stdin, flush=True)
        self._process = int(self._mother.stdout.readline())
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            lines = log.read_text().splitlines() if log.exists() else []
            for line in lines:
                if '"listening"' in line and line.endswith("}"):
                    self.address = f"http://127.0.0.1:{json.loads(line)['port']}"
                    return self.address
            time.sleep(0.01)
        raise AssertionError(f"the service did not start: {log.read_text()}")

    def kill(self) -> None:
        os.kill(self._process, signal.SIGKILL)

    def end(self) -> None:
        self.kill()
        assert self._mother.stdin and self._mother.stdout
        self._mother.stdin.close()
        self._mother.wait(10)
        self._mother.stdout.close()


class Senders:
    """Send feedback until told to stop, each piece again with its key until it is acknowledged."""

    def __init__(self, service: MortalService, key: str, suggestion_id: str) -> None:
        self.acknowledged: list[str] = []
        self.refused: list[str] = []
        self._service = service
        self._key = key
        self._suggestion_id = suggestion_id
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=[n]) for n in range(SENDERS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join(30)

    def wait_for(self, number: int) -> None:
        deadline = time.monotonic() + 60
        while len(self.acknowledged) < number and time.monotonic() < deadline:
            time.sleep(0.005)

    def _run(self, sender: int) -> None:
        number = 0
        with httpx2.Client(timeout=10) as client:
            while not self._is_over.is_set():
                number += self._send(client, f"{sender}-{number}")

    def _send(self, client: httpx2.Client, name: str) -> bool:
        body = {"suggestion_id": self._suggestion_id, "verdict": "accepted", "comment": name}
        headers = {"X-API-Key": self._key, "Idempotency-Key": name}
        try:
            answer = client.post(f"{self._service.address}/v1/feedback", json=body, headers=headers)
        except httpx2.TransportError:
            time.sleep(0.02)
            return False
        if answer.status_code == 201:
            self.acknowledged.append(name)
        elif answer.status_code != 503:
            self.refused.append(f"{name}: {answer.status_code}")
        return answer.status_code == 201


@pytest.fixture
def service(tmp_path: Path) -> Iterator[MortalService]:
    running = MortalService(tmp_path)
    yield running
    running.end()


def test_acknowledged_feedback_is_there_once_after_twenty_kills(
    service: MortalService, tmp_path: Path
) -> None:
    chance = Random(5)
    key = (tmp_path / "key").read_text()
    answer = httpx2.post(
        f"{service.address}/v1/triage",
        json={"subject": "Account locked"},
        headers={"X-API-Key": key, "Idempotency-Key": "first"},
    )
    senders = Senders(service, key, answer.json()["suggestion_id"])

    try:
        for _ in range(KILLS):
            senders.wait_for(len(senders.acknowledged) + PER_LIFE)
            time.sleep(chance.uniform(0, 0.05))
            service.kill()
            service.start()
    finally:
        senders.stop()

    store = open_store(f"sqlite:///{tmp_path / 'triage.db'}")
    kept = Counter(feedback.comment for feedback in store.feedback.since())
    store.close()
    connection = sqlite3.connect(tmp_path / "triage.db")
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    assert senders.refused == []
    assert len(senders.acknowledged) >= KILLS * PER_LIFE
    assert set(senders.acknowledged) <= set(kept)
    assert set(kept.values()) == {1}
