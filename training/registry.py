"""Every training as an MLflow run, in an explicit local store beside the models.

What is logged: parameters, metrics, the data's hash and row accounting, the report, the bundle,
and the fitted scikit-learn pipelines. Never ticket text.
"""

import copy
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import joblib
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer

from training.gate.judge import GateReport
from triage.errors import ConfigurationError
from triage.meaning import meaning_of
from triage.model import TriageModel
from triage.prepare import prepare_all

EXPERIMENT = "ticket-triage"

_TAG = 500  # characters of a tag

_METRICS_A_BATCH = 1000  # the most that MLflow takes at once


def log_run(models: Path, **run: Any) -> str:
    """Log one training; see `_log_run` for what is logged.

    Returns
    -------
    str : the run's id

    Raises
    ------
    ConfigurationError : the store cannot be used
    """
    try:
        return _log_run(models, **run)
    except Exception as error:  # MLflow passes on whatever its database and its rules raise
        reason = type(error).__name__
    raise ConfigurationError(
        f"the model is trained and saved, but its run could not be logged ({reason}); move "
        f"{models.name}/mlflow.db away, or check MLFLOW_TRACKING_URI"
    )


def _log_run(
    models: Path,
    *,
    version: str,
    model: TriageModel,
    parameters: Mapping[str, Any],
    metrics: Mapping[str, float],
    tags: Mapping[str, str],
    artifacts: Mapping[str, Path],
) -> str:
    """Log one training.

    Parameters
    ----------
    models : models folder; the store is ``mlflow.db`` in it, unless MLFLOW_TRACKING_URI is set
    artifacts : folder in the run -> file or folder to keep there

    Returns
    -------
    str : the run's id
    """
    with _quiet_mlflow(models) as client:
        from mlflow.entities import Metric, Param

        experiment = client.get_experiment_by_name(EXPERIMENT)
        if experiment is None:
            place = None if "MLFLOW_TRACKING_URI" in os.environ else _artifact_place(models)
            experiment_id = client.create_experiment(EXPERIMENT, artifact_location=place)
        else:
            experiment_id = experiment.experiment_id
        run = client.create_run(experiment_id, run_name=version, tags=dict(tags))
        run_id = str(run.info.run_id)
        now_ms = int(time.time() * 1000)
        points = [Metric(name, number, now_ms, 0) for name, number in metrics.items()]
        client.log_batch(run_id, params=[Param(k, str(v)) for k, v in parameters.items()])
        for begin in range(0, len(points), _METRICS_A_BATCH):
            client.log_batch(run_id, metrics=points[begin : begin + _METRICS_A_BATCH])
        for place, path in artifacts.items():
            if path.is_dir():
                client.log_artifacts(run_id, str(path), place)
            else:
                client.log_artifact(run_id, str(path), place)
        pipelines = models / f".{version}.pipeline" / "pipeline.joblib"
        pipelines.parent.mkdir()
        try:
            joblib.dump(pipelines_of(model), pipelines)
            client.log_artifact(run_id, str(pipelines))
        finally:
            pipelines.unlink(missing_ok=True)
            pipelines.parent.rmdir()
        client.set_terminated(run_id)
    return run_id


def note_gate(models: Path, run_id: str, gate: GateReport, report: Path) -> None:
    """Note in a challenger's run what the gate said of it: verdict, checks, the whole report.

    Raises
    ------
    ConfigurationError : the store cannot be used
    """
    try:
        with _quiet_mlflow(models) as client:
            client.set_tag(run_id, "gate", "passed" if gate.passed else "refused")
            client.set_tag(run_id, "gate_champion", gate.champion)
            for check in gate.checks:
                client.log_metric(run_id, f"gate.{check.name}", float(check.passed))
            for check in gate.failed:
                client.set_tag(run_id, f"gate.{check.name}", check.told[:_TAG])
            client.log_artifact(run_id, str(report), "gate")
    except Exception as error:  # MLflow passes on whatever its database and its rules raise
        raise ConfigurationError(
            f"the gate's verdict could not be logged ({type(error).__name__}); it is in "
            f"reports/{report.name}; check MLFLOW_TRACKING_URI"
        ) from error


def pipelines_of(model: TriageModel) -> dict[str, Pipeline]:
    """Turn each head into a fitted scikit-learn pipeline, tickets in, labels out.

    The secret that hashes form fields is left out: set ``features.key`` to use those fields.
    """
    features = copy.copy(model.features)
    features.key = b""
    with_meaning = FeatureUnion(
        [("ngrams", features), ("meaning", FunctionTransformer(meaning_of))]
    )
    pipelines = {}
    for target, head in model.heads.items():
        classifier = copy.copy(head.classifier)
        # What belongs to single tickets is of no use without the tickets.
        del classifier.out_of_fold_, classifier.is_checked_
        classifier.too_few_ = {}
        pipelines[target] = Pipeline(
            [
                ("prepare", FunctionTransformer(prepare_all)),
                ("features", with_meaning if head.reads_meaning else features),
                ("classifier", classifier),
            ]
        )
    return pipelines


def _artifact_place(models: Path) -> str:
    return (models.resolve() / "mlartifacts").as_uri()


@contextmanager
def _quiet_mlflow(models: Path) -> Iterator[Any]:
    """Give an MLflow client on the right store, without telemetry and migration chatter."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    # Imported late: it takes two seconds and nothing else needs it.
    from mlflow.tracking import MlflowClient

    uri = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{models.resolve() / 'mlflow.db'}"
    noisy = [logging.getLogger(name) for name in ("mlflow", "alembic")]
    levels = [logger.level for logger in noisy]
    try:
        for logger in noisy:
            logger.setLevel(logging.WARNING)
        yield MlflowClient(tracking_uri=uri)
    finally:
        for logger, level in zip(noisy, levels, strict=True):
            logger.setLevel(level)
