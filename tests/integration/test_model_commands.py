"""The commands that look into models and tell MLflow of them, as a user calls them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

# Port 9 is that of a service which throws everything away, and which nobody runs.
DEAD = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}


@pytest.fixture
def copied(desk: Path, trained: dict[str, Any], tmp_path: Path) -> Path:
    """The champion in a models folder of the test's own, with another bundle of the same model."""
    models = tmp_path / "models"
    shutil.copytree(trained["folder"], models / trained["version"])
    shutil.copytree(trained["folder"], models / f"{trained['version']}-2")
    shutil.copy(desk / "models" / "champion", models)
    return models


def test_a_model_is_shown(desk: Path, trained: dict[str, Any], run: Any, answer: Any) -> None:
    version = trained["version"]

    ran = run("models", "show", version, "--model", desk / "models")
    told = answer("models", "show", version, "--model", desk / "models")

    assert ran.returncode == 0 and "never compared" in ran.stdout
    assert told["version"] == version and told["is_champion"]
    assert told["facts"]["model_hash"] == trained["model_hash"]
    accuracy = trained["metrics"]["tier"]["out_of_fold"]["accuracy"]
    assert told["metrics"]["tier"]["out_of_fold"]["accuracy"] == pytest.approx(accuracy)


def test_two_models_are_compared_on_a_history(
    desk: Path, trained: dict[str, Any], run: Any, answer: Any
) -> None:
    version = trained["version"]
    options = ("--mapping", "sample", "--model", desk / "models")

    ran = run("models", "compare", version, version, desk / "history.csv", *options)
    told = answer("models", "compare", version, version, desk / "history.csv", *options)

    assert ran.returncode == 0, ran.stderr
    assert "looks better than it is" in " ".join(ran.stdout.split())
    assert told["n_tickets"] == told["n_older"] == 202
    assert {row["first"] == row["second"] for row in told["metrics"]} == {True}
    assert "accuracy_tier" in {check["name"] for check in told["checks"]}


def test_training_outlives_mlflow_and_sync_sends_it(desk: Path, run: Any, tmp_path: Path) -> None:
    models = tmp_path / "models"
    options = ("--mapping", "sample", "--output", models, "--json")

    away = run("train", desk / "history.csv", *options, **DEAD)
    synced = run("models", "sync", "--model", models, "--json")

    trained = json.loads(away.stdout)
    assert (away.returncode, trained["mlflow_run"]) == (0, None)
    assert (len(away.stderr.splitlines()), synced.stderr) == (1, ""), away.stderr
    assert trained["mlflow_warning"] in away.stderr
    assert list(json.loads(synced.stdout)["sent"]) == [trained["version"]]
    assert json.loads(synced.stdout)["waiting"] == []


def test_promotion_stands_while_mlflow_is_away(
    copied: Path, trained: dict[str, Any], run: Any, answer: Any
) -> None:
    version = f"{trained['version']}-2"
    options = ("--model", copied, "--force", "--reason", "a test")

    ran = run("models", "promote", version, *options, **DEAD)

    assert ran.returncode == 0
    assert "triage models sync" in ran.stderr and len(ran.stderr.splitlines()) == 1
    assert (copied / "champion").read_text().strip() == version
