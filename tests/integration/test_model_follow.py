"""The service follows a promotion: under load, whole or not at all, and back again."""

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from triage.bundle import save_bundle, set_champion
from triage.model import TriageModel
from triage.promotions import promote, roll_back

FIRST, SECOND, DAMAGED = "20250301-120000-first", "20250401-120000-second", "20250501-120000-bad"
TRIAGE = Path(sys.executable).with_name("triage")
WITHIN_S = 20.0  # two to five seconds on a machine with nothing else to do
SENDERS = 4


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, model: TriageModel, keys: Path) -> Path:
    folder = tmp_path_factory.mktemp("follow") / "models"
    for version in (FIRST, SECOND, DAMAGED):
        save_bundle(model, folder, version, keys)
    damaged = next((folder / DAMAGED).glob("*.npy"))
    damaged.write_bytes(damaged.read_bytes()[:-1])
    set_champion(folder, FIRST)
    return folder


class Load:
    """Asks for suggestions all the time, and keeps every answer's version, or what went wrong."""

    def __init__(self, server: Any) -> None:
        self.versions: list[str] = []
        self.failures: list[str] = []
        self._server = server
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(SENDERS)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join(30)

    def wait_for(self, version: str) -> bool:
        deadline = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline:
            if version in self.versions[-SENDERS:]:
                return True
            time.sleep(0.05)
        return False

    def _run(self) -> None:
        headers = {"X-API-Key": self._server.client.headers["X-API-Key"]}
        body = {"tickets": [{"subject": f"Account locked {n}"} for n in range(40)]}
        with httpx2.Client(base_url=self._server.client.base_url, timeout=30) as client:
            while not self._is_over.is_set():
                try:
                    answer = client.post("/v1/triage/batch", json=body, headers=headers)
                except httpx2.HTTPError as error:
                    self.failures.append(type(error).__name__)
                    continue
                told = {one["model_version"] for one in answer.json().get("results", [])}
                if answer.status_code != 200 or len(told) != 1:
                    self.failures.append(f"{answer.status_code} {sorted(told)}")
                self.versions += told


def test_promotion_is_followed_under_load_and_a_damaged_model_is_not(
    models: Path, keys: Path, serve: Callable[..., Any]
) -> None:
    server = serve(models, launcher=("env", f"TRIAGE_KEYS_DIR={keys}", TRIAGE))

    with Load(server) as load:
        serves_first = load.wait_for(FIRST)
        promote(models, SECOND, kind="forced")
        serves_second = load.wait_for(SECOND)
        promote(models, DAMAGED, kind="forced")
        time.sleep(4)
        serves_on = load.wait_for(SECOND)
        undone = roll_back(models)
        back = roll_back(models)
        is_back = load.wait_for(FIRST)

    assert serves_first and serves_second and serves_on and is_back
    assert (undone.version, back.version) == (SECOND, FIRST)
    assert load.failures == []
    assert DAMAGED not in load.versions
    assert '"model refused"' in server.log()
