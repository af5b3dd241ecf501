"""How quickly the review page is there, with 100,000 suggestions in SQLite behind it.

Run as ``python -m tests.benchmarks.review``; prints a Markdown table.
"""

import importlib.util
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import httpx2

from triage.store import Store, StoredSuggestion, open_store

_ROOT = Path(__file__).parents[2]
_API_TESTS = _ROOT / "tests" / "api"
_NUMBER = 100_000
_BATCH = 2_000
_DEEP = 300
_REPEATS = 60
_WORDS = """password account locked login outlook mailbox calendar printer toner paper vpn tunnel
gateway remote laptop screen keyboard update crashes server share folder access denied slow error
meeting room phone headset camera backup archive licence install driver network cable wireless
colleague customer morning monday urgent again since please help thanks cannot open close start"""


def main() -> None:
    """Fill a store, serve it, and print how long each kind of page takes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'triage.db'}"
        with closing(open_store(url)) as store:
            begin = time.perf_counter()
            ids = _fill(store)
            _, secret = store.create_key("bench", ["review"])
        told = f"{len(ids):,} suggestions stored in {time.perf_counter() - begin:.0f} s"
        print(f"{told}, {(folder / 'triage.db').stat().st_size / 1e6:.0f} MB", file=sys.stderr)
        process, client = _serve(folder, url)
        try:
            signed_in = client.post("/review/sign-in", data={"key": secret})
            assert signed_in.status_code == 303, signed_in.text
            print("| page | requests | median ms | p99 ms | kB |\n|---|---|---|---|---|")
            for what, paths in _visits(client, ids):
                _measure(client, what, paths)
        finally:
            client.close()
            process.terminate()
            process.wait(10)


def _fill(store: Store) -> list[str]:
    """Store suggestions of made-up tickets of about 80 words; every second one is decided later."""
    made = _load("made_suggestions")
    chance, words = Random(3), _WORDS.split()
    labels = ["access", "email", "printing", "vpn", "network", "hardware", "software", "files"]
    now = datetime.now(UTC)
    ids: list[str] = []
    group: list[StoredSuggestion] = []
    for number in range(_NUMBER):
        share = chance.uniform(0.3, 0.99)
        label, other = chance.sample(labels, 2)
        tier = chance.choice("1123")
        record: StoredSuggestion = made.make_suggestion(
            number,
            subject=" ".join(chance.sample(words, 5)),
            description=" ".join(chance.choice(words) for _ in range(80)),
            created_at=now - timedelta(minutes=5 * number),
            decision=chance.choice(["route", "suggest", "suggest", "review"]),
            confidence=share,
            tier=made.predict(tier, (tier, share), ("4", 1 - share)),
            category=made.predict(label, (label, share), (other, 1 - share)),
            incident=None,
        )
        group.append(replace(record, model_version=f"model-{number // 20_000}"))
        ids.append(record.id)
        if len(group) == _BATCH:
            store.save_suggestions(group)
            group.clear()
    return ids


def _visits(client: httpx2.Client, ids: list[str]) -> Iterator[tuple[str, list[str]]]:
    chance = Random(5)
    yield "queue", ["/review"]
    yield f"queue, {_DEEP} pages deep", [_deep(client)]
    yield "queue, one category", ["/review?category=vpn"]
    yield (
        "queue, category, tier, decision, language and date",
        ["/review?category=vpn&tier=3&decision=review&language=en&since=2026-01-01"],
    )
    yield "queue, a label that hardly any ticket has", ["/review?category=facilities"]
    yield "search, a frequent word", ["/review?q=printer"]
    yield "search, a rare phrase", ["/review?q=printer+toner+vpn"]
    yield "search, nothing found", ["/review?q=zyxwv"]
    yield "search, a ticket's id", ["/review?q=INC-77777"]
    yield "ticket", [f"/review/{one}" for one in chance.sample(ids, _REPEATS)]
    yield "on to the next ticket", [f"/review/{one}/next" for one in chance.sample(ids, _REPEATS)]


def _deep(client: httpx2.Client) -> str:
    path = "/review"
    for _ in range(_DEEP):
        found = re.findall(r'rel="next" href="([^"]+)"', client.get(path).text)
        path = found[0].replace("&amp;", "&")
    return path


def _measure(client: httpx2.Client, what: str, paths: list[str]) -> None:
    waits, size = [], 0
    for number in range(_REPEATS + 3):
        begin = time.perf_counter()
        answer = client.get(paths[number % len(paths)])
        wait = (time.perf_counter() - begin) * 1000
        assert answer.status_code in (200, 303), answer.text
        if number >= 3:
            waits.append(wait)
        size = len(answer.content)
    p50, p99 = statistics.median(waits), statistics.quantiles(waits, n=100)[-1]
    print(f"| {what} | {len(waits)} | {p50:.0f} | {p99:.0f} | {size / 1000:.0f} |", flush=True)


def _serve(folder: Path, url: str) -> tuple[subprocess.Popen[bytes], httpx2.Client]:
    environment: dict[str, Any] = {
        **os.environ,
        "TRIAGE_PORT": "0",
        "TRIAGE_DATABASE_URL": url,
        "PYTHONPATH": f"{_ROOT}{os.pathsep}{_API_TESTS}",
    }
    log = folder / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, _API_TESTS / "fake_service.py", folder / "key"],
            cwd=folder,
            env=environment,
            stderr=stream,
        )
    deadline = time.monotonic() + 60
    while not (found := re.findall(r'"port": (\d+)', log.read_text())):
        if time.monotonic() > deadline or process.poll() is not None:
            raise SystemExit(f"the server did not start: {log.read_text()}")
        time.sleep(0.05)
    return process, httpx2.Client(base_url=f"http://127.0.0.1:{found[0]}", timeout=60)


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, _API_TESTS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
