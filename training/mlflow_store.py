"""Where MLflow's runs are kept: a database beside the models, or MLFLOW_TRACKING_URI's server."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

EXPERIMENT = "ticket-triage"

_DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # It would copy the project files of whatever folder the training was started in.
    "MLFLOW_UV_AUTO_DETECT": "false",
    # A training is not to wait half an hour (MLflow's own rule) for a server that is down.
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
}


def is_used(models: Path) -> bool:
    """Tell whether there is a store of this models folder: one of its own, or a server."""
    return bool(os.environ.get("MLFLOW_TRACKING_URI")) or (models / "mlflow.db").exists()


@contextmanager
def mlflow_client(models: Path) -> Iterator[Any]:
    """Give an MLflow client on the right store, without telemetry, chatter and warnings."""
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    noisy = [logging.getLogger(name) for name in ("mlflow", "alembic", "urllib3")]
    levels = [logger.level for logger in noisy]
    try:
        with warnings.catch_warnings():
            # MLflow warns of its own code, and of the libraries that it uses.
            warnings.simplefilter("ignore")
            # Imported late: it takes two seconds and nothing else needs it.
            from mlflow.tracking import MlflowClient

            for logger in noisy:
                logger.setLevel(logging.ERROR)
            yield MlflowClient(tracking_uri=tracking_uri(models))
    finally:
        for logger, level in zip(noisy, levels, strict=True):
            logger.setLevel(level)


def tracking_uri(models: Path) -> str:
    """Name the store: ``mlflow.db`` in the models folder, unless MLFLOW_TRACKING_URI is set."""
    own = f"sqlite:///{models.resolve() / 'mlflow.db'}"
    return os.environ.get("MLFLOW_TRACKING_URI") or own


def experiment_id(client: Any, models: Path) -> str:
    """Find our experiment, or make it."""
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is not None:
        return str(experiment.experiment_id)
    is_own = not os.environ.get("MLFLOW_TRACKING_URI")
    place = (models.resolve() / "mlartifacts").as_uri() if is_own else None
    return str(client.create_experiment(EXPERIMENT, artifact_location=place))
