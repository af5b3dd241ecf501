"""A service without a model: it answers from articles and says so, until a first model is there."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from triage.taxonomy import data_folder

KB = data_folder() / "kb"
LOCKED = {"subject": "Locked out of my account", "description": "my password was wrong too often"}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder of this module's own, with nothing in it yet."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def untaught(models: Path, serve: Any) -> Any:
    return serve(models, "--kb", KB)


def test_ticket_is_answered_from_articles(untaught: Any) -> None:
    answered = untaught.client.post("/v1/triage", json=LOCKED)

    suggestion = answered.json()
    assert answered.status_code == 200
    assert suggestion["decision"] == "suggest"
    assert suggestion["category"]["label"] == "access"
    assert suggestion["category"]["basis"] == suggestion["tier"]["basis"] == "knowledge"
    assert "no_history" in [reason["code"] for reason in suggestion["reasons"]]
    assert suggestion["steps"][0]["article_id"] == suggestion["articles"][0]["id"] == "KB0001"


def test_service_says_that_it_runs_on_knowledge_alone(untaught: Any) -> None:
    model = untaught.client.get("/v1/model").json()
    ready = untaught.client.get("/readyz")

    assert model["basis"] == "knowledge"
    assert model["version"].startswith("knowledge-")
    assert model["trained_at"] is None
    assert set(model["targets"]) == {"tier", "category"}
    assert set(model["targets"]["tier"]["thresholds"].values()) == {None}
    assert ready.status_code == 200
    assert ready.json() == {"status": "ready", "model": False, "database": True}


def test_log_says_so_in_its_first_lines(untaught: Any) -> None:
    lines = [json.loads(line) for line in untaught.log().splitlines()]

    (warned,) = [line for line in lines if line["event"] == "no model yet"]
    assert warned["level"] == "warning"
    assert warned["articles"] == len(list(KB.glob("*.md")))
    assert "triage train" in warned["next"]
    assert [line["basis"] for line in lines if line["event"] == "answering"] == ["knowledge"]


def test_command_says_the_same_as_the_service(untaught: Any, models: Path, answer: Any) -> None:
    told = answer("suggest", *LOCKED.values(), "--model", models, "--kb", KB) | {
        "suggestion_id": ""
    }

    # Right after its start a service goes by words, until it has read what the articles mean.
    deadline = time.monotonic() + 60
    served: dict[str, Any] = {}
    while served != told and time.monotonic() < deadline:
        served = untaught.client.post("/v1/triage", json=LOCKED).json() | {"suggestion_id": ""}

    assert served == told


def test_first_model_serves_after_a_restart(
    desk: Path, trained: dict[str, Any], serve: Any, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    before = serve(models, "--kb", KB)
    without = before.client.get("/v1/model").json()["basis"]
    before.stop()
    shutil.copytree(trained["folder"], models / trained["version"])
    shutil.copy(desk / "models" / "champion", models)

    after = serve(models, "--kb", KB)

    model = after.client.get("/v1/model").json()
    assert (without, model["basis"]) == ("knowledge", "model")
    assert model["version"] == trained["version"]
    assert after.client.get("/readyz").json()["model"] is True


def test_service_without_model_and_articles_names_both_ways_out(run: Any, tmp_path: Path) -> None:
    ran = run("serve", "--port", 0, "--model", "empty", cwd=tmp_path)

    assert ran.returncode == 2
    assert len(ran.stderr.splitlines()) == 1
    assert "triage train HISTORY --output empty" in ran.stderr
    assert "--kb FOLDER" in ran.stderr
