"""What MLflow is told of a training, and what becomes of it while MLflow cannot be reached."""

import json
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from training.mlflow_store import EXPERIMENT, tracking_uri
from training.registered import MODEL
from training.registry import (
    Sent,
    flat_metrics,
    follow_promotion,
    log_run,
    note_gate,
    send_unsent,
)
from training.unsent import TrainingRun, unsent
from triage.bundle import save_bundle, set_champion
from triage.errors import ConfigurationError
from triage.model import TriageModel
from triage.promotions import promote, roll_back

# MLflow's own, of the libraries it uses.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

FIRST, SECOND = "20250301-120000-made", "20250401-120000-made"


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with MLflow's tables, to copy: making them takes seconds."""
    models = tmp_path_factory.mktemp("empty")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        MlflowClient(tracking_uri=tracking_uri(models)).search_experiments()
    return models / "mlflow.db"


@pytest.fixture
def models(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder whose MLflow has no run yet."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = tmp_path / "models"
    (folder / "reports").mkdir(parents=True)
    shutil.copy(empty_store, folder)
    return folder


@contextmanager
def mlflow_away(*, hangs: bool = False) -> Iterator[None]:
    """Name a server that refuses, or one that takes a connection and never says a word."""
    with socket.socket() as server, pytest.MonkeyPatch.context() as patch:
        server.bind(("127.0.0.1", 0))
        if hangs:
            server.listen()
        patch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.getsockname()[1]}")
        patch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        patch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
        yield


def logged(models: Path, model: TriageModel, keys: Path, version: str) -> Sent:
    save_bundle(model, models, version, keys)
    run = TrainingRun(
        version,
        {"seed": "0"},
        {"tier.newest.accuracy": 0.75},
        {"data_hash": "ab" * 32, "model_hash": model.canonical_hash()},
        {"bundle": version},
    )
    return log_run(models, run, model, keys)


def client_of(models: Path) -> MlflowClient:
    return MlflowClient(tracking_uri=f"sqlite:///{models / 'mlflow.db'}")


def aliases(models: Path) -> dict[str, str]:
    """Name the bundles that MLflow's aliases stand for."""
    client = client_of(models)
    named = client.get_registered_model(MODEL).aliases
    return {
        alias: client.get_model_version(MODEL, number).tags["bundle"]
        for alias, number in named.items()
    }


def write_verdict(models: Path, version: str, *, passed: bool) -> None:
    check = {"name": "accuracy_tier", "passed": passed, "told": "tier: 60.0% right", "figures": {}}
    gate = {"passed": passed, "champion": FIRST, "challenger": version, "checks": [check]}
    (models / "reports" / f"{version}-gate.json").write_text(json.dumps(gate), "utf-8")


def test_run_names_its_data_by_hash_alone(models: Path, model: TriageModel, keys: Path) -> None:
    sent = logged(models, model, keys, FIRST)

    [entry] = client_of(models).get_run(sent.runs[FIRST]).inputs.dataset_inputs
    assert (sent.warning, sent.waiting, unsent(models)) == (None, [], [])
    assert entry.dataset.digest == ("ab" * 32)[:36]
    assert json.loads(entry.dataset.source) == {"data_hash": "ab" * 32}
    assert (entry.dataset.schema, entry.dataset.profile) == (None, None)


def test_aliases_follow_training_promotion_and_rollback(
    models: Path, model: TriageModel, keys: Path
) -> None:
    told = []

    logged(models, model, keys, FIRST)
    set_champion(models, FIRST)
    follow_promotion(models)
    told.append(aliases(models))
    logged(models, model, keys, SECOND)
    told.append(aliases(models))
    promote(models, SECOND, kind="gate")
    follow_promotion(models)
    told.append(aliases(models))
    roll_back(models)
    follow_promotion(models)
    told.append(aliases(models))

    assert told == [
        {"champion": FIRST},
        {"champion": FIRST, "challenger": SECOND},
        {"champion": SECOND},
        {"champion": FIRST},
    ]


def test_champion_that_mlflow_does_not_know_leaves_no_other_in_its_place(
    models: Path, model: TriageModel, keys: Path
) -> None:
    logged(models, model, keys, FIRST)
    set_champion(models, FIRST)
    follow_promotion(models)

    save_bundle(model, models, SECOND, keys)
    set_champion(models, SECOND)
    warning = follow_promotion(models)

    assert warning is None
    assert aliases(models) == {}


def test_nothing_to_tell_makes_no_store(tmp_path: Path, keys: Path) -> None:
    warning = follow_promotion(tmp_path)
    sent = send_unsent(tmp_path, keys)

    assert (warning, sent) == (None, Sent({}, []))
    assert list(tmp_path.iterdir()) == []


def test_sending_from_a_folder_that_is_not_there_is_an_error(tmp_path: Path, keys: Path) -> None:
    with pytest.raises(ConfigurationError, match="nowhere"):
        send_unsent(tmp_path / "nowhere", keys)


@pytest.mark.parametrize("hangs", [False, True], ids=["refuses", "hangs"])
def test_run_waits_while_mlflow_is_away_and_is_sent_with_the_next(
    models: Path, model: TriageModel, keys: Path, hangs: bool
) -> None:
    with mlflow_away(hangs=hangs):
        away = logged(models, model, keys, FIRST)
    waited = unsent(models)
    write_verdict(models, FIRST, passed=False)
    back = logged(models, model, keys, SECOND)

    assert away.runs == {} and away.waiting == waited == [FIRST]
    assert away.warning is not None and "triage models sync" in away.warning
    assert len(away.warning.splitlines()) == 1
    assert set(back.runs) == {FIRST, SECOND} and back.warning is None
    tags = client_of(models).get_run(back.runs[FIRST]).data.tags
    assert (tags["gate"], tags["gate.accuracy_tier"]) == ("refused", "tier: 60.0% right")
    assert aliases(models) == {"challenger": SECOND}


def test_verdict_waits_while_mlflow_is_away(models: Path, model: TriageModel, keys: Path) -> None:
    run_id = logged(models, model, keys, FIRST).runs[FIRST]
    write_verdict(models, FIRST, passed=True)

    with mlflow_away():
        warning = note_gate(models, FIRST, run_id)
    sent = send_unsent(models, keys)

    assert warning is not None
    assert sent.runs == {FIRST: run_id} and unsent(models) == []
    assert client_of(models).get_run(run_id).data.metrics["gate.accuracy_tier"] == 1.0


def test_attempt_that_broke_off_leaves_one_run_and_one_version(
    models: Path, model: TriageModel, keys: Path
) -> None:
    with mlflow_away():
        logged(models, model, keys, FIRST)
    pipelines = models / "unsent" / FIRST / "pipeline.joblib"
    pipelines.rename(models / "elsewhere")
    broken = send_unsent(models, keys)
    (models / "elsewhere").rename(pipelines)

    sent = send_unsent(models, keys)

    client = client_of(models)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    runs = client.search_runs([experiment.experiment_id])
    assert broken.runs == {} and broken.waiting == [FIRST]
    assert [run.info.run_id for run in runs] == [sent.runs[FIRST]]
    assert len(client.search_model_versions(f"name = '{MODEL}'")) == 1


def test_bundle_that_was_altered_is_not_sent_and_keeps_no_other_back(
    models: Path, model: TriageModel, keys: Path
) -> None:
    with mlflow_away():
        logged(models, model, keys, FIRST)
    with (models / FIRST / "coef-0.npy").open("ab") as file:
        file.write(b"more")

    sent = logged(models, model, keys, SECOND)

    assert set(sent.runs) == {SECOND} and sent.waiting == [FIRST]
    assert sent.warning is not None and f"{FIRST}: BundleError" in sent.warning


def test_figures_of_labels_have_names_that_mlflow_takes(models: Path) -> None:
    figures = {"precision": 0.5, "recall": 1.0, "f1": 0.67, "n": 3}
    labels = ["Access > VPN", "Access / VPN", "../Ärger", "50% off;", "x" * 300]
    newest = {"accuracy": 0.5, "per_label": dict.fromkeys(labels, figures)}

    flat = flat_metrics({"category": {"newest": newest}}, {"kept": 9})

    client = client_of(models)
    run = client.create_run(client.create_experiment("names"))
    for name, value in flat.items():
        client.log_metric(run.info.run_id, name, value)
    assert len(flat) == 2 + len(labels) * len(figures)
    assert flat["category.newest.Access _ VPN.recall"] == 1.0
    assert client.get_run(run.info.run_id).data.metrics == flat
