"""Measure what a whole answer to one ticket takes: stage by stage, and over HTTP.

``make bench-answer`` learns from the older three quarters of the sample history and asks about the
newest tickets, one at a time: with words alone, as without the extra ``semantic``, and with
meaning. Stages are told in processor time, so that other work on the machine counts as little as
can be, what is asked over HTTP in the time that passes. Half of its minute goes into learning.
"""

import csv
import gzip
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from api.metrics import Metrics
from api.past import DeskPast, Glance
from training.past import add_history
from triage.engine import TriageEngine, load_engine, with_meaning
from triage.semantic import is_available
from triage.store import open_store
from triage.taxonomy import data_folder
from triage.ticket import Ticket

SHARE_LEARNED = 0.75
N_ASKED = 400
N_WARM = 40  # answers before the clock counts: caches of words and code fill
PATIENCE_S = 30

COMMAND = "from triage.cli import app; app()"
WITHOUT_MEANING = f"import sys; sys.modules['onnxruntime'] = None; {COMMAND}"
"""The command as it is where the extra ``semantic`` is not installed."""

Row = dict[str, str]


def split_sample(folder: Path) -> tuple[Path, list[Ticket]]:
    """Write the older part of the sample to a file, and give the newest tickets."""
    with gzip.open(data_folder() / "sample/history.csv.gz", "rt", encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["opened_at"])
    older = folder / "older.csv"
    with older.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows[: int(len(rows) * SHARE_LEARNED)])
    newest = rows[-N_ASKED:]
    return older, [
        Ticket(row["short_description"], row["description"], id=f"N{place}")
        for place, row in enumerate(newest)
    ]


def train(history: Path, models: Path, keys: Path) -> None:
    """Learn in a process of its own: what a training leaves in memory slows answers down."""
    given = ["--mapping", "sample", "--kb", data_folder() / "kb", "--output", models]
    subprocess.run(
        [sys.executable, "-c", COMMAND, "train", history, *given],
        env={**os.environ, "TRIAGE_KEYS_DIR": str(keys)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )


def milliseconds(
    action: Callable[[Ticket], object],
    tickets: Sequence[Ticket],
    clock: Callable[[], float] = time.thread_time,
) -> str:
    """Time an action on each ticket; give median and 99th percentile as cells of a table."""
    times = []
    for ticket in tickets:
        began = clock()
        action(ticket)
        times.append(clock() - began)
    return percentiles(times)


def percentiles(seconds: Sequence[float]) -> str:
    """Give median and 99th percentile in milliseconds, without the first, as cells of a table."""
    p50, p99 = np.percentile(seconds[N_WARM:], [50, 99]) * 1e3
    return f"{p50:.2f} | {p99:.2f}"


def past_of(history: Path, folder: Path) -> DeskPast:
    """Remember the older tickets, as the service does."""
    store = open_store(f"sqlite:///{folder / 'past.db'}")
    add_history(store, [history], mapping="sample")
    past = DeskPast(store, Metrics())
    past.start()
    past.wait_until_loaded(PATIENCE_S)
    return past


def stages(engine: TriageEngine, past: DeskPast, tickets: Sequence[Ticket], how: str) -> None:
    """Print a row for each stage of an answer, one ticket after the other, and for the whole."""
    spent: dict[str, list[float]] = {}

    def timed(stage: str, action: Callable[[], object]) -> object:
        began = time.thread_time()
        result = action()
        spent.setdefault(stage, []).append(time.thread_time() - began)
        return result

    # In turn, as an answer has them: a stage by itself would find all it needs in the cache.
    for ticket in tickets:
        read = timed("clean, redact, features, heads", lambda t=ticket: engine._read([t]))
        hits = timed("articles", lambda r=read: engine._rank_articles(r))
        recalled = timed(
            "similar tickets, incidents", lambda r=read: past.recall(r.tickets, remember=False)
        )
        timed(
            "explanation, steps, details, hand-off",
            lambda r=read, h=hits, c=recalled: engine._suggestion(r, 0, h[0], c[0]),
        )
    for stage, seconds in spent.items():
        print(f"| {how} | {stage} | {percentiles(seconds)} |")
    glance = Glance(past)
    whole = milliseconds(lambda ticket: engine.answer([ticket], glance), tickets)
    print(f"| {how} | the whole answer | {whole} |", flush=True)


@contextmanager
def served(models: Path, folder: Path, older: Path, *, meaning: bool) -> Iterator[tuple[int, str]]:
    """Run the service on a port of its own, the older tickets in its store; give port and key."""
    folder.mkdir()
    url = f"sqlite:///{folder / 'triage.db'}"
    with closing(open_store(url)) as store:
        add_history(store, [older], mapping="sample")
        _, secret = store.create_key("benchmark", ["predict"])
    log = folder / "serve.log"
    environment = {
        **os.environ,
        "TRIAGE_DATABASE_URL": url,
        "TRIAGE_KEYS_DIR": str(models.parent / "keys"),
        "TRIAGE_MODELS": str(models),
        "TRIAGE_PORT": "0",
    }
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND if meaning else WITHOUT_MEANING, "serve"],
            env=environment,
            stdout=file,
            stderr=file,
        )
    try:
        yield port_of(process, log), secret
    finally:
        process.terminate()
        process.wait()


def port_of(process: "subprocess.Popen[bytes]", log: Path) -> int:
    """Wait until the service listens and has read its past tickets."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        told = [json.loads(line) for line in log.read_text("utf-8").splitlines() if line[:1] == "{"]
        ports = [one["port"] for one in told if one["event"] == "listening"]
        if ports and any(one["event"] == "past tickets read" for one in told):
            return int(ports[0])
        time.sleep(0.1)
    raise RuntimeError(f"the service did not start: {log.read_text('utf-8')[-2000:]}")


def ask(port: int, key: str, tickets: Sequence[Ticket]) -> str:
    """Ask over one connection, one ticket after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    headers = {"X-API-Key": key, "Content-Type": "application/json"}

    def answer(ticket: Ticket) -> None:
        sent = {"id": ticket.id, "subject": ticket.subject, "description": ticket.description}
        connection.request("POST", "/v1/triage", json.dumps(sent), headers)
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"the service answered {response.status}: {body[:200]!r}")

    with closing(connection):
        return milliseconds(answer, tickets, time.perf_counter)


def main() -> None:
    """Print both tables."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        older, tickets = split_sample(folder)
        models, keys = folder / "models", folder / "keys"
        train(older, models, keys)
        engine = load_engine(models, keys=keys)
        past = past_of(older, folder)
        print("| with | stage | processor ms: p50 | p99 |\n|---|---|---|---|")
        stages(engine, past, tickets, "words alone")
        if is_available():
            stages(with_meaning(engine, models / "cache"), past, tickets, "meaning")
        past.close(PATIENCE_S)
        print("\n| with | over HTTP, ms: p50 | p99 |\n|---|---|---|")
        for meaning in (False, True) if is_available() else (False,):
            how = "meaning" if meaning else "words alone"
            with served(models, folder / how, older, meaning=meaning) as (port, key):
                print(f"| {how} | {ask(port, key, tickets)} |", flush=True)


if __name__ == "__main__":
    main()
