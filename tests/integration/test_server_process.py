import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from uvicorn.config import STARTUP_FAILURE

from api.app import app_from_environment, serve
from api.server import listen
from api.settings import load_settings
from triage.errors import BundleError, ConfigurationError, TriageError
from triage.store import open_store

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tests" / "api" / "fake_service.py"
LOCKED = {"id": "INC-7", "subject": "Locked out", "description": "Ask ada@desk.example"}


class ServerProcess:
    """A service in a process of its own, on a port of the system's choosing."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.database_url = f"sqlite:///{folder / 'triage.db'}"
        self._log = folder / f"log{len(list(folder.glob('log*')))}"
        given = {"port": 0, "database_url": self.database_url, **settings}
        environment = {
            **os.environ,
            **{f"TRIAGE_{name.upper()}": str(value) for name, value in given.items()},
            "PYTHONPATH": f"{ROOT}{os.pathsep}{SCRIPT.parent}",
        }
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "error", SCRIPT, folder / "key"],
                cwd=folder,
                env=environment,
                stderr=log,
            )
        try:
            self.port = self._wait_for_port()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        self.client = httpx2.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"X-API-Key": (folder / "key").read_text()},
            timeout=30,
        )
        self.client.get("/readyz").raise_for_status()

    def log_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    def stop(self, sent: signal.Signals = signal.SIGTERM) -> int:
        self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(sent)
        return self.process.wait(30)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def _wait_for_port(self) -> int:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            for line in self._log.read_text().splitlines():
                if '"listening"' in line:
                    return int(json.loads(line)["port"])
            time.sleep(0.02)
        raise AssertionError(f"the service did not start: {self._log.read_text()}")


Start = Callable[..., ServerProcess]


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Undo what starting a service in this very process does to its logging."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[ServerProcess] = []

    def start_one(**settings: object) -> ServerProcess:
        started.append(ServerProcess(tmp_path, **settings))
        return started[-1]

    yield start_one
    for server in started:
        server.stop(signal.SIGKILL)


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path_factory.mktemp("impatient"), request_timeout_s=0.5)
    yield server
    server.stop(signal.SIGKILL)


def read_to_end(connection: socket.socket) -> bytes:
    received = b""
    while part := connection.recv(65536):
        received += part
    return received


def test_acknowledged_suggestion_survives_kill_and_restart(start: Start) -> None:
    first = start()
    headers = {"Idempotency-Key": "f3b0", "X-API-Key": first.client.headers["X-API-Key"]}
    answer = first.client.post("/v1/triage", json=LOCKED, headers=headers)
    first.stop(signal.SIGKILL)

    second = start()
    found = second.client.get(f"/v1/suggestions/{answer.json()['suggestion_id']}")
    again = second.client.post("/v1/triage", json=LOCKED, headers=headers)

    assert answer.status_code == 200
    assert found.content == again.content == answer.content


def test_sigterm_lets_the_answer_in_flight_finish(start: Start) -> None:
    server = start()
    answers: list[httpx2.Response] = []
    slow = threading.Thread(
        target=lambda: answers.append(
            server.client.post("/v1/triage", json={"subject": "locked and slow"})
        )
    )
    slow.start()
    time.sleep(0.4)

    started = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    code = server.process.wait(15)
    slow.join(5)

    assert code == 0
    assert time.monotonic() - started < 10
    assert [answer.status_code for answer in answers] == [200]
    store = open_store(server.database_url)
    assert store.get_suggestion(answers[0].json()["suggestion_id"]) is not None
    store.close()
    assert {line["level"] for line in server.log_lines()} == {"info"}


def test_endless_body_is_refused_without_being_read(impatient: ServerProcess) -> None:
    server = impatient
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 200_000_000:
            sent += 65536
            yield b"x" * 65536

    answer = server.client.post(
        "/v1/triage", content=endless(), headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:ticket-triage:too-large"
    assert sent < 50_000_000
    assert server.client.get("/livez").status_code == 200


def test_half_sent_requests_are_closed(impatient: ServerProcess) -> None:
    key = impatient.client.headers["X-API-Key"]
    beginnings = {
        "nothing": b"",
        "half a request line": b"POST /v1/tri",
        "half a head": b"POST /v1/triage HTTP/1.1\r\nHost: desk\r\nX-API",
        "half a body": (
            b"POST /v1/triage HTTP/1.1\r\nHost: desk\r\nContent-Type: application/json\r\n"
            b"X-API-Key: %s\r\nContent-Length: 100\r\n\r\n{" % key.encode()
        ),
    }

    received = {}
    for name, beginning in beginnings.items():
        with impatient.connect() as connection:
            connection.sendall(beginning)
            started = time.monotonic()
            received[name] = read_to_end(connection)
            assert time.monotonic() - started < 4, name

    assert received["nothing"] == received["half a request line"] == received["half a head"] == b""
    assert received["half a body"].startswith(b"HTTP/1.1 408")


def test_dripping_head_is_closed_on_a_connection_that_was_used(
    impatient: ServerProcess,
) -> None:
    with impatient.connect() as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: desk\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")

        started = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - started < 5:
                connection.sendall(b"\r\n")
                time.sleep(0.1)

    assert time.monotonic() - started < 3


def test_body_nobody_reads_closes_the_connection(impatient: ServerProcess) -> None:
    with impatient.connect() as connection:
        connection.sendall(b"POST /nowhere HTTP/1.1\r\nHost: d\r\nContent-Length: 9000\r\n\r\nx")
        received = read_to_end(connection)

    assert received.startswith(b"HTTP/1.1 404")
    assert b"connection: close" in received.lower()


def test_workers_share_the_store_and_add_up_their_counts(start: Start) -> None:
    server = start(workers=2)
    # Each request comes on a connection of its own, so that either worker may take it.
    server.client.headers["Connection"] = "close"
    answers = [server.client.post("/v1/triage", json=LOCKED) for _ in range(20)]
    ids = [answer.json()["suggestion_id"] for answer in answers]
    time.sleep(0.2)

    found = [server.client.get(f"/v1/suggestions/{one}").status_code for one in ids]
    counts = server.client.get("/metrics").text
    code = server.stop()

    assert found == [200] * 20
    assert 'triage_suggestions_total{decision="suggest"} 20.0' in counts
    assert code == 0


def test_service_without_a_key_is_not_opened_to_others(tmp_path: Path) -> None:
    settings = load_settings(host="0.0.0.0", database_url=f"sqlite:///{tmp_path / 'triage.db'}")

    with pytest.raises(TriageError, match="triage keys create"):
        serve(settings)


def test_service_without_a_model_does_not_start(tmp_path: Path) -> None:
    settings = load_settings(
        models=tmp_path / "models",
        keys_dir=tmp_path / "keys",
        port=0,
        database_url=f"sqlite:///{tmp_path / 'triage.db'}",
    )

    with pytest.raises(BundleError) as told:
        serve(settings)

    assert "\n" not in str(told.value)


def test_worker_without_a_model_ends_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRIAGE_DATABASE_URL", f"sqlite:///{tmp_path / 'triage.db'}")
    monkeypatch.setenv("TRIAGE_KEYS_DIR", str(tmp_path / "keys"))

    with pytest.raises(SystemExit) as ended:
        app_from_environment()

    assert ended.value.code == STARTUP_FAILURE
    (line,) = capfd.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "cannot start"


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.1", "nosuch.invalid"])
def test_address_that_cannot_be_had_is_told_in_one_line(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = load_settings(host=host, port=taken.getsockname()[1])

        with pytest.raises(ConfigurationError, match="TRIAGE_PORT") as told, listen(settings):
            pass

    assert "\n" not in str(told.value)
