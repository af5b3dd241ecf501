"""A trained model on its way: signed bundle, MLflow run, running service; nothing private in it."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import pytest
from mlflow.tracking import MlflowClient
from sklearn.pipeline import Pipeline

from triage.engine import TriageEngine, load_engine
from triage.prepare import prepare
from triage.ticket import Ticket

# MLflow's own use of SQLAlchemy.
in_mlflow = pytest.mark.filterwarnings("ignore::DeprecationWarning")
LAUNCHER = Path(__file__).with_name("serve_and_tell.py")

Row = dict[str, str]


@pytest.fixture
def copied(desk: Path, trained: dict[str, Any], tmp_path: Path) -> Path:
    """The champion's bundle in a models folder of the test's own."""
    models = tmp_path / "models"
    shutil.copytree(trained["folder"], models / trained["version"])
    shutil.copy(desk / "models" / "champion", models)
    return models


@pytest.fixture(scope="module")
def client(desk: Path) -> MlflowClient:
    return MlflowClient(tracking_uri=f"sqlite:///{desk / 'models' / 'mlflow.db'}")


def test_service_answers_as_the_command_does(
    desk: Path, rows: list[Row], serve: Any, answer: Any
) -> None:
    text = rows[3]["short_description"], rows[3]["description"]
    server = serve(desk / "models")

    served = server.client.post(
        "/v1/triage", json={"subject": text[0], "description": text[1], "fields": {"site": "Lyon"}}
    )

    told = answer("suggest", *text, "--field", "site=Lyon", "--model", desk / "models")
    assert served.status_code == 200
    assert served.json()["category"]["label"] == rows[3]["category"]
    assert served.json() | {"suggestion_id": ""} == told | {"suggestion_id": ""}


def test_serving_loads_neither_training_nor_its_libraries(
    desk: Path, serve: Any, tmp_path: Path
) -> None:
    told = tmp_path / "modules"
    server = serve(desk / "models", launcher=(sys.executable, LAUNCHER, told))
    answered = server.client.post("/v1/triage", json={"subject": "vpn tunnel"}).status_code

    code = server.stop()

    modules = set(told.read_text("utf-8").split())
    assert (answered, code) == (200, 0)
    assert {"triage.engine", "api.app", "sklearn"} <= modules
    assert not {name for name in modules if name.split(".")[0] in {"mlflow", "dask", "matplotlib"}}
    of_training = {name for name in modules if name.split(".")[0] == "training"}
    assert {name for name in of_training if not name.endswith("commands")} <= {"training"}


def altered(models: Path, bundle: Path) -> None:
    content = bytearray((bundle / "coef-0.npy").read_bytes())
    content[-1] ^= 1
    (bundle / "coef-0.npy").write_bytes(content)


def taken_away(models: Path, bundle: Path) -> None:
    shutil.rmtree(models)


@pytest.mark.parametrize("harm", [altered, taken_away])
def test_service_refuses_a_model_that_is_not_as_it_was_signed(
    copied: Path, trained: dict[str, Any], run: Any, tmp_path: Path, harm: Callable[..., None]
) -> None:
    harm(copied, copied / trained["version"])

    ran = run("serve", "--port", 0, "--model", copied, cwd=tmp_path)

    assert_refused(ran)


def test_service_refuses_a_model_signed_with_other_keys(
    copied: Path, run: Any, tmp_path: Path
) -> None:
    ran = run(
        "serve",
        "--port",
        0,
        "--model",
        copied,
        cwd=tmp_path,
        TRIAGE_KEYS_DIR=str(tmp_path / "keys"),
    )

    assert_refused(ran)
    assert "not trusted here" in ran.stderr


def assert_refused(ran: Any) -> None:
    assert ran.returncode == 2
    assert len(ran.stderr.splitlines()) == 1, ran.stderr
    assert ran.stderr.startswith("triage: ")


@in_mlflow
def test_training_is_a_run_in_mlflow(trained: dict[str, Any], client: MlflowClient) -> None:
    run = client.get_run(trained["mlflow_run"])

    accuracy = trained["metrics"]["tier"]["out_of_fold"]["accuracy"]
    assert run.info.status == "FINISHED"
    assert run.info.run_name == trained["version"]
    assert {"seed": "0", "mapping": "sample"}.items() <= run.data.params.items()
    assert run.data.metrics["rows_kept"] == trained["rows"]["kept"] == 202
    assert run.data.metrics["tier.out_of_fold.accuracy"] == pytest.approx(accuracy)
    assert run.data.tags["model_hash"] == trained["model_hash"]


@in_mlflow
def test_run_keeps_bundle_and_report(
    trained: dict[str, Any], client: MlflowClient, tmp_path: Path
) -> None:
    kept = Path(client.download_artifacts(trained["mlflow_run"], "", str(tmp_path)))

    assert {path.name: path.read_bytes() for path in (kept / "bundle").iterdir()} == {
        path.name: path.read_bytes() for path in Path(trained["folder"]).iterdir()
    }
    report = Path(trained["report"])
    assert (kept / "report" / report.name).read_bytes() == report.read_bytes()


@pytest.fixture(scope="module")
def pipelines(
    trained: dict[str, Any], client: MlflowClient, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Pipeline]:
    folder = tmp_path_factory.mktemp("pipelines")
    file = client.download_artifacts(trained["mlflow_run"], "pipeline.joblib", str(folder))
    return dict(joblib.load(file))


@pytest.fixture(scope="module")
def engine(desk: Path, environment: dict[str, str]) -> TriageEngine:
    return load_engine(desk / "models", keys=Path(environment["TRIAGE_KEYS_DIR"]))


def assert_same_answers(
    pipelines: dict[str, Pipeline], engine: TriageEngine, tickets: list[Ticket]
) -> None:
    verdicts = engine.classify(tickets)
    assert set(pipelines) == {"tier", "category"}
    for target, pipeline in pipelines.items():
        labels = engine.model.heads[target].labels
        expected = [labels[best] for best in verdicts[target].chosen]
        assert list(pipeline.predict(tickets)) == expected
        probabilities = verdicts[target].probabilities
        assert pipeline.predict_proba(tickets) == pytest.approx(probabilities, abs=1e-6)


@in_mlflow
def test_pipelines_of_the_run_predict_as_the_engine_does(
    pipelines: dict[str, Pipeline], engine: TriageEngine, rows: list[Row]
) -> None:
    tickets = [Ticket(row["short_description"], row["description"]) for row in rows]
    tickets = [prepare(ticket) for ticket in tickets]

    assert_same_answers(pipelines, engine, tickets)


@in_mlflow
def test_pipelines_of_the_run_clean_a_text_as_the_engine_does(
    pipelines: dict[str, Pipeline], engine: TriageEngine
) -> None:
    written = "<p>tunnel <b>gateway</b></p>\n\n-- \nAnn\nprinter toner tray paper"

    assert_same_answers(pipelines, engine, [Ticket("Re: VPN", written)])


def test_no_ticket_text_leaves_the_training(
    desk: Path, trained: dict[str, Any], canary: str
) -> None:
    # The cache is named in the docs as holding ticket data; all else may be copied anywhere.
    files = files_of(desk / "models", without="cache")

    assert trained["rows"]["rejected"] == 2
    assert f"reports/{trained['version']}-rejected.csv" in files
    assert {"mlflow.db", f"{trained['version']}/model.json"} <= set(files)
    assert any(name.endswith("pipeline.joblib") for name in files)
    assert any(name.endswith("model/MLmodel") for name in files)
    assert any(name.endswith("model/input_example.json") for name in files)
    assert find("printing", files), "nothing can be found in these files"
    assert not find(canary, files)


def test_no_key_leaves_the_key_folder(desk: Path, environment: dict[str, str]) -> None:
    files = files_of(desk / "models")

    for name in ("field.key", "signing.key"):
        key = (Path(environment["TRIAGE_KEYS_DIR"]) / name).read_text("ascii").strip()
        printed = json.dumps(repr(bytes.fromhex(key)))[1:-1]
        assert not [file for form in (key, printed) for file in find(form, files)], name
        assert not [file for file, data in files.items() if bytes.fromhex(key) in data], name


def files_of(models: Path, without: str | None = None) -> dict[str, bytes]:
    return {
        str(path.relative_to(models)): path.read_bytes()
        for path in models.rglob("*")
        if path.is_file() and path.relative_to(models).parts[0] != without
    }


def find(text: str, files: dict[str, bytes]) -> list[str]:
    forms = [text.encode(), text.encode("utf-16-le"), text.encode("utf-32-le")]
    return [name for name, data in files.items() if any(form in data for form in forms)]
