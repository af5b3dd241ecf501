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
import sysconfig
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import pytest

ROOT = Path(__file__).parents[2]
TRIAGE = Path(sys.executable).with_name("triage")

CANARY = "zyxcanary"

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
        self.folder = folder
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


@dataclass(frozen=True)
class Installed:
    """The archives that were built, and an environment of its own with the wheel in it."""

    folder: Path
    environment: dict[str, str]

    @property
    def wheel(self) -> Path:
        return next((self.folder / "dist").glob("*.whl"))

    @property
    def sdist(self) -> Path:
        return next((self.folder / "dist").glob("*.tar.gz"))

    @property
    def venv(self) -> Path:
        return self.folder / "venv"

    def run(self, program: str, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.venv / "bin" / program, *map(str, arguments)],
            cwd=cwd,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
        )


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

        def start(
            model: Path, *options: object, launcher: Sequence[object] = (TRIAGE,)
        ) -> ServeProcess:
            folder = tmp_path_factory.mktemp("serve")
            database = {"TRIAGE_DATABASE_URL": f"sqlite:///{folder / 'triage.db'}"}
            made = answer("keys", "create", "test", "--scope", "predict", **database)
            arguments = [*launcher, "serve", "--port", 0, "--model", model, *options]
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
def desk(made_once: MadeOnce, rows: list[Row], write: Write, answer: Answer) -> Path:
    """``history.csv``, the ``models`` learned from it and ``trained.json``, what training printed.

    Beside the 200 rows the history has two, and two to be rejected, with a word nobody else uses.
    """

    def fill(folder: Path) -> None:
        kept = [
            row | {"caller": f"caller {number % 9}", "resolution": "done"}
            for number, row in enumerate(rows)
        ]
        secret = kept[3] | {
            "short_description": f"vpn tunnel {CANARY} forgot how",
            "description": f"remote gateway again. Regards, {CANARY} Smith",
            "caller": f"{CANARY} Smith",
            "resolution": f"told {CANARY} how",
        }
        kept += [secret | {"number": f"SECRET{number}"} for number in range(2)]
        unlabelled = secret | {"number": "UNLABELLED", "category": "", "tier": ""}
        history = write(folder / "history.csv", [*kept, unlabelled])
        with history.open("a", encoding="utf-8") as stream:
            stream.write(",".join([CANARY] * 40) + "\n")
        trained = answer("train", history, "--mapping", "sample", "--output", folder / "models")
        (folder / "trained.json").write_text(json.dumps(trained), "utf-8")

    return made_once("desk", fill)


@pytest.fixture(scope="session")
def trained(desk: Path) -> dict[str, Any]:
    return dict(json.loads((desk / "trained.json").read_text("utf-8")))


@pytest.fixture(scope="session")
def canary() -> str:
    return CANARY


@pytest.fixture(scope="session")
def installed(made_once: MadeOnce, environment: dict[str, str]) -> Installed:
    """The wheel, built and installed without the network."""
    offline = environment | {
        "UV_OFFLINE": "1",
        "UV_NO_CACHE": "1",
        # Most tests of the other worker wait for the model that is made with this.
        "LOKY_MAX_CPU_COUNT": "2",
    }
    offline.pop("VIRTUAL_ENV", None)

    def uv(*arguments: object) -> None:
        command = [str(Path(sys.executable).with_name("uv")), *map(str, arguments)]
        done = subprocess.run(command, env=offline, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr

    def fill(folder: Path) -> None:
        venv, own = folder / "venv", ("--python", sys.executable)
        # First the sdist, then the wheel out of it: the sdist has all that a build needs.
        uv("build", ROOT, *own, "--no-build-isolation", "--out-dir", folder / "dist")
        uv("venv", venv, *own)
        uv("pip", "install", "--no-deps", "--python", venv, Installed(folder, offline).wheel)
        # The locked packages, but not the checkout: its .pth file counts in their own folder alone.
        (packages,) = venv.glob("lib/python*/site-packages")
        (packages / "locked.pth").write_text(sysconfig.get_path("purelib") + "\n")

    return Installed(made_once("wheel", fill), offline)


@pytest.fixture(scope="session")
def demo(made_once: MadeOnce, installed: Installed) -> Path:
    """What the wheel's demonstration makes in an empty folder, ``here``, and prints, ``demo.json``.

    The sample's model comes from it: one training shows that the wheel is whole, and what the
    model is worth.
    """

    def fill(folder: Path) -> None:
        (folder / "here").mkdir()
        shown = installed.run("triage", "demo", "--once", "--json", cwd=folder / "here")
        assert (shown.returncode, shown.stderr) == (0, ""), shown.stderr
        (folder / "demo.json").write_text(shown.stdout, "utf-8")

    return made_once("demo", fill)
