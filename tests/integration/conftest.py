"""The real command in processes of its own, and models that every pytest worker shares.

With ``pytest -n 2`` the tests of one module run in both workers, whatever they are marked with
(xdist groups work under ``--dist loadgroup`` alone). What is dear to make is therefore made once
in a folder that both workers see, under a lock.
"""

import csv
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import pytest

TRIAGE = Path(sys.executable).with_name("triage")

_CATEGORY_WORDS = {
    "access": "password account locked login unlock authenticator token username",
    "email": "outlook mailbox calendar invitation attachment inbox sender signature",
    "printing": "printer toner paper tray duplex scanner cartridge copies",
    "vpn": "vpn tunnel gateway remote homeoffice client certificate roaming",
}
_TIER_WORDS = {
    "1": "forgot reset how again question remember",
    "2": "reinstall driver profile corrupted crashes laptop",
    "3": "cluster firewall outage replication database kernel",
}
_OTHER_WORDS = """
meeting floor building monday tuesday morning afternoon customer project budget invoice travel
team manager summer winter window coffee lunch station report quarter review training workshop
"""
_SITES = ("Basel", "Lyon", "Porto")

Row = dict[str, str]
Run = Callable[..., subprocess.CompletedProcess[str]]
Answer = Callable[..., Any]
MadeOnce = Callable[[str, Callable[[Path], object]], Path]
Write = Callable[[Path, Sequence[Row]], Path]


class ServeProcess:
    """A service in a process of its own, on a port of the system's choosing."""

    def __init__(
        self, folder: Path, arguments: Sequence[object], environment: dict[str, str]
    ) -> None:
        self._log = folder / "serve.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(argument) for argument in arguments],
                cwd=folder,
                env=environment,
                stdout=log,
                stderr=log,
            )
        try:
            self.client = httpx2.Client(
                base_url=f"http://127.0.0.1:{self._wait_for_port()}", timeout=30
            )
        except BaseException:
            self.kill()
            raise

    def log(self) -> str:
        return self._log.read_text("utf-8")

    def stop(self) -> int:
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def _wait_for_port(self) -> int:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            for line in self.log().splitlines():
                if '"listening"' in line:
                    return int(json.loads(line)["port"])
            time.sleep(0.05)
        raise AssertionError(f"the service did not start: {self.log()}")


Serve = Callable[..., ServeProcess]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all pytest workers of this session see."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "integration"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def made_once(shared: Path) -> MadeOnce:
    """Make a folder's contents when the first worker asks for it; the others wait."""

    def make(name: str, fill: Callable[[Path], object]) -> Path:
        folder, done = shared / name, shared / f"{name}.done"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                folder.mkdir(exist_ok=True)
                fill(folder)
                done.touch()
        return folder

    return make


@pytest.fixture(scope="session")
def environment(shared: Path) -> dict[str, str]:
    """Variables of a plain installation, whose keys lie in a folder of the tests' own.

    Bytecode is kept, as it is for users: without it each command compiles its imports for seconds.
    """
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TRIAGE_", "MLFLOW_"))
        and name not in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONWARNINGS")
    }
    # The cores are taken: by the tests of the other pytest worker.
    return plain | {"TRIAGE_KEYS_DIR": str(shared / "keys"), "LOKY_MAX_CPU_COUNT": "1"}


@pytest.fixture(scope="session")
def run(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run ``triage`` with arguments; keywords in capitals are environment variables."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")

    def run_triage(
        *arguments: object, cwd: Path = elsewhere, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [TRIAGE, *map(str, arguments)],
            cwd=cwd,
            env=environment | variables,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run_triage


@pytest.fixture(scope="session")
def answer(run: Run) -> Answer:
    """Run ``triage`` with ``--json``, which has to work without a word on stderr."""

    def answer_of(*arguments: object, **options: Any) -> Any:
        ran = run(*arguments, "--json", **options)
        assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr
        return json.loads(ran.stdout)

    return answer_of


@pytest.fixture(scope="module")
def serve(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory, answer: Answer
) -> Iterator[Serve]:
    """Start ``triage serve`` on a model; its client carries a key that may predict."""
    with ExitStack() as running:

        def start(model: Path, *, launcher: Sequence[object] = (TRIAGE,)) -> ServeProcess:
            folder = tmp_path_factory.mktemp("serve")
            database = {"TRIAGE_DATABASE_URL": f"sqlite:///{folder / 'triage.db'}"}
            made = answer("keys", "create", "test", "--scope", "predict", **database)
            arguments = [*launcher, "serve", "--port", 0, "--model", model]
            server = ServeProcess(folder, arguments, environment | database)
            running.callback(server.kill)
            running.callback(server.client.close)
            server.client.headers["X-API-Key"] = made["key"]
            return server

        yield start


@pytest.fixture(scope="session")
def rows() -> list[Row]:
    """200 rows of an export with ServiceNow's column names, tier and category in their words.

    One ticket in eight speaks of two tiers as much: nobody can be sure of those.
    """
    chance = Random(11)
    made = []
    for number in range(200):
        category = list(_CATEGORY_WORDS)[number % 4]
        tier = list(_TIER_WORDS)[number // 4 % 3]
        tiers = [tier, chance.choice("123")] if chance.random() < 1 / 8 else [tier, tier]
        words = chance.sample(_CATEGORY_WORDS[category].split(), 4)
        words += chance.sample(_TIER_WORDS[tiers[0]].split(), 2)
        words += chance.sample(_TIER_WORDS[tiers[1]].split(), 2)
        words += chance.sample(_OTHER_WORDS.split(), 8)
        chance.shuffle(words)
        made.append(
            {
                "number": f"INC{number:04}",
                "opened_at": f"2025-{1 + number // 20:02}-{1 + number % 20:02} 08:30:00",
                "short_description": " ".join(words[:5]),
                "description": " ".join(words[5:]),
                "site": chance.choice(_SITES),
                "category": category,
                "tier": tier,
            }
        )
    return made


@pytest.fixture(scope="session")
def write() -> Write:
    """Write rows as CSV, columns as of the first row."""

    def write_csv(path: Path, written: Sequence[Row]) -> Path:
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(written[0]))
            writer.writeheader()
            writer.writerows(written)
        return path

    return write_csv


@pytest.fixture(scope="session")
def small(made_once: MadeOnce, rows: list[Row], write: Write, answer: Answer) -> Path:
    """A folder with ``history.csv``, the models trained on it, and ``trained.json``."""

    def fill(folder: Path) -> None:
        history = write(folder / "history.csv", rows)
        trained = answer("train", history, "--output", folder / "models")
        (folder / "trained.json").write_text(json.dumps(trained), "utf-8")

    return made_once("small", fill)
