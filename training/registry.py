"""Every training as an MLflow run, in an explicit local store beside the models or on a server.

What is logged: parameters, metrics, the data's hash and row accounting, the report, the bundle,
the fitted scikit-learn pipelines, and a model that MLflow can load and serve. Never ticket text.
A training does not fail when MLflow does: what could not be sent waits in ``models/unsent``.
"""

import json
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training import unsent
from training.evaluate import headline
from training.mlflow_store import experiment_id, is_used, mlflow_client
from training.pyfunc_folder import write_pyfunc
from training.registered import BUNDLE, follow_champion, register, unregister
from training.unsent import TrainingRun
from triage.errors import ConfigurationError
from triage.model import TriageModel

_TAG = 500  # characters of a tag
_METRICS_A_BATCH = 1000  # the most that MLflow takes at once
_DIGEST = 36  # characters that MLflow keeps of a data set's hash
_NAME = 200  # characters of a metric's name, of 250 that MLflow takes


@dataclass(frozen=True, slots=True)
class Sent:
    """What reached MLflow: run by bundle; what waits; and why, in one line, when something does."""

    runs: Mapping[str, str]
    waiting: list[str]
    warning: str | None = None


def log_run(models: Path, run: TrainingRun, model: TriageModel, keys: Path) -> Sent:
    """Keep a training's run and send it to MLflow, with what could not be sent before.

    Raises
    ------
    ConfigurationError : the models folder cannot be written
    """
    unsent.keep(models, run, model)
    return send_unsent(models, keys)


def send_unsent(models: Path, keys: Path) -> Sent:
    """Send what waits, the oldest first, and let the aliases follow; what fails waits on.

    Raises
    ------
    ConfigurationError : there is no models folder
    """
    if not models.is_dir():
        raise ConfigurationError(f"{models} is not a models folder; name one with --model")
    if not unsent.unsent(models) and not is_used(models):
        return Sent({}, [])
    sent: dict[str, str] = {}
    failed: list[str] = []

    def send_all(client: Any) -> None:
        experiment = experiment_id(client, models)
        for version in unsent.unsent(models):
            try:
                sent[version] = _send(client, experiment, models, version, keys)
            except Exception as error:  # one that cannot be sent must not keep the others back
                failed.append(f"{version}: {type(error).__name__}")
        follow_champion(client, models)

    with unsent.sending(models):
        fault = _attempt(models, send_all)
        waiting = unsent.unsent(models)
    reason = fault or "; ".join(failed)
    return Sent(sent, waiting, _warning(models, reason) if reason else None)


def note_gate(models: Path, version: str, run_id: str) -> str | None:
    """Note in a challenger's run what the gate said of it: verdict, checks, the whole report.

    Returns
    -------
    str : why it could not be noted; it then waits, as a run does
    """
    fault = _attempt(models, lambda client: _note_verdict(client, models, version, run_id))
    if fault is None:
        return None
    unsent.keep_verdict(models, version, run_id)
    return _warning(models, fault)


def follow_promotion(models: Path) -> str | None:
    """Let the alias champion follow a promotion or a rollback, where MLflow is used at all.

    Returns
    -------
    str : why it could not; it follows when something is sent the next time
    """
    if not is_used(models):
        return None
    fault = _attempt(models, lambda client: follow_champion(client, models))
    return _warning(models, fault) if fault else None


def _attempt(models: Path, action: Callable[[Any], None]) -> str | None:
    try:
        with mlflow_client(models) as client:
            action(client)
    except Exception as error:  # MLflow passes on whatever its database and its rules raise
        return type(error).__name__
    return None


def _warning(models: Path, reason: str) -> str:
    return (
        f"MLflow did not take everything ({reason}); it is kept in {models.name}/unsent and sent "
        "with the next training, or by: triage models sync"
    )


def _send(client: Any, experiment: str, models: Path, version: str, keys: Path) -> str:
    run = unsent.kept_run(models, version)
    if run is None:
        run_id = unsent.kept_verdict(models, version) or ""
    else:
        _remove_attempts(client, experiment, version)
        run_id = _send_run(client, experiment, models, run, keys)
    if (models / "reports" / f"{version}-gate.json").exists():
        _note_verdict(client, models, version, run_id)
    unsent.forget(models, version)
    return run_id


def _remove_attempts(client: Any, experiment: str, version: str) -> None:
    """Remove what an earlier attempt left when the server went away in the middle of it."""
    unregister(client, version)
    for found in client.search_runs([experiment], f"tags.{BUNDLE} = '{version}'"):
        client.delete_run(found.info.run_id)


def _send_run(client: Any, experiment: str, models: Path, run: TrainingRun, keys: Path) -> str:
    from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param

    tags = {**run.tags, BUNDLE: run.version}
    made = client.create_run(experiment, run_name=run.version, tags=tags)
    run_id = str(made.info.run_id)
    now_ms = int(time.time() * 1000)
    points = [Metric(name, number, now_ms, 0) for name, number in run.metrics.items()]
    client.log_batch(run_id, params=[Param(name, value) for name, value in run.parameters.items()])
    for begin in range(0, len(points), _METRICS_A_BATCH):
        client.log_batch(run_id, metrics=points[begin : begin + _METRICS_A_BATCH])
    digest = run.tags["data_hash"]
    history = Dataset("history", digest[:_DIGEST], "hash", json.dumps({"data_hash": digest}))
    client.log_inputs(
        run_id, [DatasetInput(history, [InputTag("mlflow.data.context", "training")])]
    )
    for within, name in run.artifacts.items():
        path = models / name
        if path.is_dir():
            client.log_artifacts(run_id, str(path), within)
        else:
            client.log_artifact(run_id, str(path), within)
    client.log_artifact(run_id, str(unsent.kept_pipelines(models, run.version)))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "model"
        write_pyfunc(models / run.version, keys, place)
        client.log_artifacts(run_id, str(place), "model")
    client.set_terminated(run_id)
    register(client, run.version, run_id, f"{made.info.artifact_uri}/model")
    return run_id


def _note_verdict(client: Any, models: Path, version: str, run_id: str) -> None:
    report = models / "reports" / f"{version}-gate.json"
    gate = json.loads(report.read_text("utf-8"))
    client.set_tag(run_id, "gate", "passed" if gate["passed"] else "refused")
    client.set_tag(run_id, "gate_champion", gate["champion"])
    for check in gate["checks"]:
        client.log_metric(run_id, f"gate.{check['name']}", float(check["passed"]))
        if not check["passed"]:
            client.set_tag(run_id, f"gate.{check['name']}", check["told"][:_TAG])
    client.log_artifact(run_id, str(report), "gate")


def flat_metrics(
    metrics: Mapping[str, Mapping[str, Mapping[str, Any]]], rows: Mapping[str, int]
) -> dict[str, float]:
    """Name every figure of a training as MLflow wants it, those of single labels too.

    Parameters
    ----------
    metrics : target -> part -> what `training.evaluate.measure` gives
    rows : what became of the history's rows
    """
    flat = {f"rows_{name}": float(number) for name, number in rows.items()}
    for target, parts in metrics.items():
        for part, values in parts.items():
            for name, value in headline(values).items():
                flat[f"{target}.{part}.{name}"] = float(value)
            for label, figures in _named(values.get("per_label", {})):
                for name, value in figures.items():
                    flat[f"{target}.{part}.{label}.{name}"] = float(value)
    return flat


def _named(
    per_label: Mapping[str, Mapping[str, float]],
) -> Iterator[tuple[str, Mapping[str, float]]]:
    """Spell labels with the characters that MLflow takes; two never share a spelling."""
    taken: set[str] = set()
    for number, (label, figures) in enumerate(per_label.items()):
        name = re.sub(r"[^\w -]+", "_", label)[:_NAME]
        if name in taken:
            name = f"{name} {number}"
        taken.add(name)
        yield name, figures
