"""Retraining end to end: exports and a store in, a judged model out, promoted or not."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from mlflow.tracking import MlflowClient

from training.pipeline import run_training
from training.retrain import Retrained, retrain
from triage.bundle import champion
from triage.errors import HistoryError, TriageError
from triage.promotions import promotions
from triage.store import Store, open_store

# MLflow's own, of the libraries it uses.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


def export(path: Path, history: pd.DataFrame) -> Path:
    columns = ["id", "created_at", "subject", "description", "tier", "category"]
    history[columns].to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def desk(long_history: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder whose champion knows the oldest 200 tickets, and exports of 500."""
    folder = tmp_path_factory.mktemp("desk")
    first = export(folder / "first.csv", long_history.iloc[:200])
    export(folder / "all.csv", long_history)
    spoilt = long_history.copy()
    newer = spoilt.index >= 200
    spoilt.loc[newer, "tier"] = spoilt.loc[newer, "tier"].sample(frac=1, random_state=4).array
    export(folder / "spoilt.csv", spoilt)
    run_training([first], output=folder / "models", keys=folder / "keys", n_jobs=1)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'triage.db'}")
    yield opened
    opened.close()


def retrained(desk: Path, store: Store, export: str) -> Retrained:
    return retrain([desk / export], store, output=desk / "models", keys=desk / "keys", n_jobs=1)


def gate_tags(desk: Path, run_id: str) -> dict[str, Any]:
    client = MlflowClient(tracking_uri=f"sqlite:///{desk / 'models' / 'mlflow.db'}")
    return dict(client.get_run(run_id).data.tags)


def test_spoilt_export_is_refused_and_an_honest_one_takes_over(
    desk: Path, store: Store, long_history: pd.DataFrame
) -> None:
    first = champion(desk / "models")
    store.erasures.erase(str(long_history["id"].iloc[5]), NOW)

    refused = retrained(desk, store, "spoilt.csv")
    serves_on = champion(desk / "models")
    better = retrained(desk, store, "all.csv")

    assert not refused.is_promoted and serves_on == first
    assert (
        any(check.name == "accuracy_tier" for check in refused.gate.failed) or refused.gate.failed
    )
    assert gate_tags(desk, refused.trained.run_id)["gate"] == "refused"
    assert better.is_promoted, [check.told for check in better.gate.failed]
    assert champion(desk / "models") == better.trained.version
    assert gate_tags(desk, better.trained.run_id)["gate"] == "passed"
    assert better.merged.erased == 1
    report = json.loads(better.report.read_text())
    assert report["passed"] and report["n_tickets"] == 150
    assert [one.kind for one in promotions(desk / "models")] == ["gate"]


def test_too_little_that_is_new_is_told_in_one_line(desk: Path, store: Store) -> None:
    with pytest.raises(HistoryError, match="newer than those the champion learned from"):
        retrained(desk, store, "first.csv")


def test_without_a_model_that_serves_there_is_nothing_to_beat(
    desk: Path, store: Store, tmp_path: Path
) -> None:
    with pytest.raises(TriageError, match="triage train"):
        retrain([desk / "first.csv"], store, output=tmp_path, keys=desk / "keys")
