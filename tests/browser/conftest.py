"""A real service of two processes, and Debian's chromium looking at it."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from triage.store import Store, StoredSuggestion, open_store

ROOT = Path(__file__).parents[2]
API_TESTS = ROOT / "tests" / "api"
CHROMIUM = Path("/usr/bin/chromium")
SCREENSHOTS = ROOT / "screenshots"
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, API_TESTS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


made = _load("made_suggestions")


@dataclass
class Desk:
    """A running service and its store. Tests of a module share it, and tell tickets by model."""

    address: str
    store: Store
    keys: dict[str, str]

    def fill(self, model: str, records: Sequence[StoredSuggestion]) -> list[str]:
        """Store suggestions as if a model of this name had made them; give their ids."""
        renamed = [_of_model(record, model) for record in records]
        self.store.save_suggestions(renamed)
        return [record.id for record in renamed]


@dataclass
class Visit:
    """A person's browser window, and everything in it that should never happen."""

    page: Page
    desk: Desk
    faults: list[str] = field(default_factory=list)

    def sign_in(self, who: str, path: str = "/review") -> None:
        self.page.goto(f"{self.desk.address}/review/sign-in")
        self.page.get_by_label("API key").fill(self.desk.keys[who])
        self.page.keyboard.press("Enter")
        self.page.wait_for_url("**/review")
        if path != "/review":
            self.open(path)

    def open(self, path: str) -> None:
        self.page.goto(f"{self.desk.address}{path}")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def decide(self, *keys: str) -> None:
        """Press keys that end in another page, and wait for it."""
        before = self.page.url
        self.press(*keys)
        self.page.wait_for_url(lambda url: url != before)
        expect(self.page.locator(".htmx-request")).to_have_count(0)

    def said(self) -> str:
        """Tell what a screen reader is told, once it is told."""
        live = self.page.locator("#live")
        expect(live).not_to_be_empty()
        return live.inner_text()


def _of_model(record: StoredSuggestion, model: str) -> StoredSuggestion:
    answer = json.loads(record.answer) | {"model_version": model}
    values = {name: getattr(record, name) for name in StoredSuggestion.__slots__}
    return StoredSuggestion(**values | {"model_version": model, "answer": json.dumps(answer)})


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    url = f"sqlite:///{folder / 'triage.db'}"
    with closing(open_store(url)) as store:
        keys = {
            name: store.create_key(name, ["review"])[1] for name in ("Ada", "Ben", "Chris", "Dora")
        }
        log = folder / "log"
        environment = {
            **os.environ,
            "TRIAGE_DATABASE_URL": url,
            "TRIAGE_PORT": "0",
            "TRIAGE_WORKERS": "2",
            "PYTHONPATH": f"{ROOT}{os.pathsep}{API_TESTS}",
        }
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, API_TESTS / "fake_service.py", folder / "key"],
                cwd=folder,
                env=environment,
                stderr=stream,
            )
        try:
            address = f"http://127.0.0.1:{_port(process, log)}"
            # The socket listens before the processes behind it answer.
            httpx2.get(f"{address}/readyz", timeout=60).raise_for_status()
            yield Desk(address, store, keys)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text().splitlines():
            if '"listening"' in line:
                return int(json.loads(line)["port"])
        time.sleep(0.05)
    raise AssertionError(f"the service did not start: {log.read_text()}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        yield started
        started.close()


Visiting = Callable[..., Visit]


@pytest.fixture
def visiting(browser: Browser, desk: Desk) -> Iterator[Visiting]:
    """Open windows; at the end, none may have seen an error or asked anybody else for anything."""
    visits: list[Visit] = []
    contexts: list[BrowserContext] = []

    def visit(who: str | None = None, path: str = "/review", **options: Any) -> Visit:
        context = browser.new_context(
            **{"viewport": {"width": 1280, "height": 860}, "locale": "en-GB"} | options
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        opened = Visit(context.new_page(), desk)
        visits.append(opened)
        _watch(opened)
        if who:
            opened.sign_in(who, path)
        return opened

    yield visit
    for context in contexts:
        context.close()
    assert [fault for one in visits for fault in one.faults] == []


def _watch(visit: Visit) -> None:
    def on_console(message: Any) -> None:
        # A page of ours that says 4xx is no fault; chromium writes a line about it all the same.
        if message.type in ("error", "warning") and "the server responded" not in message.text:
            visit.faults.append(f"console: {message.text}")

    def on_request(request: Any) -> None:
        if not request.url.startswith((visit.desk.address, "data:")):
            visit.faults.append(f"asked elsewhere: {request.url}")

    visit.page.on("console", on_console)
    visit.page.on("pageerror", lambda error: visit.faults.append(f"script: {error}"))
    visit.page.on("request", on_request)
    visit.page.on("dialog", lambda dialog: visit.faults.append(f"dialog: {dialog.message}"))


@pytest.fixture
def shoot() -> Callable[[Page, str], None]:
    """Keep a picture of a page, for people."""

    def take(page: Page, name: str) -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    return take
