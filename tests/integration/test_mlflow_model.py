"""The registered model as data teams use it: the same answers as the engine and the service."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pandas as pd
import pytest
from mlflow.tracking import MlflowClient

from triage.engine import load_engine
from triage.errors import BundleError
from triage.suggestion import Suggestion
from triage.ticket import Ticket

# MLflow's own, of the libraries it uses.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"
)

MLFLOW = Path(sys.executable).with_name("mlflow")
COLUMNS = ["id", "subject", "description", "field:site"]
N_TICKETS = 500
N_SERVED = 40


@pytest.fixture(scope="module")
def keys(environment: dict[str, str]) -> Path:
    return Path(environment["TRIAGE_KEYS_DIR"])


@pytest.fixture(scope="module")
def folder(desk: Path, trained: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What MLflow keeps as the model of the registered version."""
    client = MlflowClient(tracking_uri=f"sqlite:///{desk / 'models' / 'mlflow.db'}")
    version = client.get_model_version_by_alias("ticket-triage", "champion")
    assert version.run_id == trained["mlflow_run"]
    place = tmp_path_factory.mktemp("registered")
    return Path(client.download_artifacts(version.run_id, "model", str(place)))


@pytest.fixture
def load(keys: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Any]:
    """Load a model as a data team does, trusting the desk's keys."""
    # MLflow warns while it is imported, which collecting the tests would not survive.
    from mlflow.pyfunc import load_model

    monkeypatch.setenv("TRIAGE_KEYS_DIR", str(keys))
    return lambda folder: load_model(str(folder))


@pytest.fixture(scope="module")
def asked(rows: list[dict[str, str]], long_history: pd.DataFrame) -> pd.DataFrame:
    """500 tickets: the history's own, others of other words, and some that are hard to read."""
    known = [
        (row["number"], row["short_description"], row["description"], row["site"]) for row in rows
    ]
    others = zip(*(long_history[name].tolist() for name in COLUMNS), strict=True)
    odd = [
        (None, "", "", None),
        (None, "<p>tunnel <b>gateway</b></p>", "\n-- \nAnn\nprinter toner", ""),
        (None, "The whole site is down", "Nobody in the building can reach the network", "Lyon"),
        ("Ä\u200b1", "Drucker druckt nicht", "Es kommt kein Blatt heraus " * 400, "nowhere"),
    ]
    tickets = [*odd, *known, *others][:N_TICKETS]
    return pd.DataFrame(tickets, columns=COLUMNS, dtype=object)


@pytest.fixture(scope="module")
def suggestions(desk: Path, keys: Path, asked: pd.DataFrame) -> list[Suggestion]:
    """What the engine says of them, one by one."""
    engine = load_engine(desk / "models", keys=keys)
    return [engine.suggest([ticket])[0] for ticket in map(as_ticket, asked.itertuples(index=False))]


def as_ticket(row: Any) -> Ticket:
    ticket_id, subject, description, site = row
    return Ticket(subject, description, ticket_id, {"site": site or ""})


def as_record(answer: Suggestion) -> dict[str, Any]:
    record: dict[str, Any] = {
        "id": answer.ticket_id,
        "decision": answer.decision,
        "confidence": answer.confidence,
    }
    for target, found in (("tier", answer.tier), ("category", answer.category)):
        assert found is not None
        record |= {
            target: found.label,
            f"{target}_confidence": found.confidence,
            f"{target}_decision": found.decision,
        }
    return record


def test_loaded_model_answers_500_tickets_as_the_engine_does(
    folder: Path,
    load: Callable[[Path], Any],
    asked: pd.DataFrame,
    suggestions: list[Suggestion],
) -> None:
    answers = load(folder).predict(asked)

    assert len(answers) == N_TICKETS
    assert {one.decision for one in suggestions} == {"route", "suggest", "review"}
    assert answers.to_dict("records") == [as_record(one) for one in suggestions]


def test_subject_alone_is_enough(folder: Path, load: Callable[[Path], Any]) -> None:
    table = pd.DataFrame({"subject": ["vpn tunnel gateway"]}, index=[7])

    answers = load(folder).predict(table)

    assert answers.index.tolist() == [7]
    assert answers["category_decision"].notna().all()


def test_model_signed_with_other_keys_is_not_loaded(
    folder: Path, load: Callable[[Path], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAGE_KEYS_DIR", str(tmp_path))

    with pytest.raises(BundleError, match="not trusted here"):
        load(folder)


def test_model_that_was_altered_is_not_loaded(
    folder: Path, load: Callable[[Path], Any], tmp_path: Path
) -> None:
    copied = Path(shutil.copytree(folder, tmp_path / "model"))
    [array] = copied.glob("data/*/coef-0.npy")
    array.write_bytes(array.read_bytes()[:-1] + b"!")

    with pytest.raises(BundleError, match="altered"):
        load(copied)


def test_model_names_no_package_that_a_stranger_could_publish(folder: Path) -> None:
    required = (folder / "requirements.txt").read_text("utf-8").splitlines()

    assert {"mlflow", "numpy", "scikit-learn"} <= {line.split("==")[0] for line in required}
    assert not [line for line in required if line.startswith("ticket-triage")]


def test_model_holds_no_code_and_no_pickle(folder: Path) -> None:
    kinds = {path.suffix for path in folder.rglob("*") if path.is_file()}

    assert kinds <= {"", ".npy", ".json", ".yaml", ".txt"}


@pytest.fixture
def served(folder: Path, environment: dict[str, str], tmp_path: Path) -> Iterator[httpx2.Client]:
    """``mlflow models serve`` in a process group of its own, ready to answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ("--env-manager", "local", "--host", "127.0.0.1", "--port", port, "--workers", 1)
    arguments = [MLFLOW, "models", "serve", "--model-uri", folder, *options]
    # The servers of MLflow look for their programs on the path.
    path = f"{MLFLOW.parent}{os.pathsep}{environment['PATH']}"
    with (tmp_path / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            list(map(str, arguments)),
            cwd=tmp_path,
            env=environment | {"PATH": path, "MLFLOW_DISABLE_TELEMETRY": "true"},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            wait_for(client, process, tmp_path / "serve.log")
            yield client
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(client: httpx2.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if client.get("/ping").status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.2)
    raise AssertionError(f"the model is not served: {log.read_text('utf-8')}")


def test_mlflow_serves_the_answers_of_our_service(
    served: httpx2.Client,
    desk: Path,
    serve: Any,
    asked: pd.DataFrame,
    suggestions: list[Suggestion],
) -> None:
    part = asked.head(N_SERVED)
    ours = serve(desk / "models").client

    answered = served.post(
        "/invocations", json={"dataframe_split": part.to_dict("split", index=False)}
    )

    assert answered.status_code == 200, answered.text
    predictions = answered.json()["predictions"]
    assert predictions == [as_record(one) for one in suggestions[:N_SERVED]]
    for row, told in zip(part.itertuples(index=False), predictions, strict=True):
        _, subject, description, site = row
        if not subject:
            continue  # our service refuses a ticket without any text
        body = {"subject": subject, "description": description, "fields": {"site": site or ""}}
        answer = ours.post("/v1/triage", json=body).json()
        for target in ("tier", "category"):
            assert answer[target]["label"] == told[target]
            assert answer[target]["confidence"] == told[f"{target}_confidence"]
            assert answer[target]["decision"] == told[f"{target}_decision"]
        assert (answer["decision"], answer["confidence"]) == (told["decision"], told["confidence"])
