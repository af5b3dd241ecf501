"""What MLflow has not got yet: a folder a training in ``models/unsent``, whole or not at all.

A run is written here before it is sent and removed when it is there, so that neither a server that
is down nor a training that is killed loses one. It holds numbers, names and hashes.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path

import joblib

from training.pipelines import pipelines_of
from triage.errors import ConfigurationError
from triage.model import TriageModel

_RUN, _PIPELINES, _VERDICT = "run.json", "pipeline.joblib", "verdict.json"


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One training as MLflow is to know it.

    ``artifacts`` names files and folders below the models folder, by their place in the run.
    """

    version: str
    parameters: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    artifacts: Mapping[str, str]


def keep(models: Path, run: TrainingRun, model: TriageModel) -> None:
    """Write a run down, with the pipelines that belong to it.

    Raises
    ------
    ConfigurationError : the models folder cannot be written
    """
    temporary = _folder(models) / f".{run.version}.partial"
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        joblib.dump(pipelines_of(model), temporary / _PIPELINES)
        (temporary / _RUN).write_text(json.dumps(asdict(run), ensure_ascii=False), "utf-8")
        temporary.rename(_folder(models) / run.version)
    except OSError as error:
        raise ConfigurationError(
            f"the model is trained and saved, but {models.name}/unsent cannot be written: "
            f"{error.strerror}"
        ) from error


def keep_verdict(models: Path, version: str, run_id: str) -> None:
    """Write down that the gate's verdict on a bundle is missing from a run that was sent."""
    folder = _folder(models) / version
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _VERDICT).write_text(json.dumps({"run_id": run_id}), "utf-8")


def unsent(models: Path) -> list[str]:
    """Name the bundles of which MLflow lacks something, the oldest first."""
    folder = _folder(models)
    if not folder.is_dir():
        return []
    names = (_RUN, _VERDICT)
    found = (path for path in folder.iterdir() if not path.name.startswith("."))
    return sorted(path.name for path in found if any((path / name).exists() for name in names))


def kept_run(models: Path, version: str) -> TrainingRun | None:
    """Read a run that waits; None when only its verdict does."""
    path = _folder(models) / version / _RUN
    return TrainingRun(**json.loads(path.read_text("utf-8"))) if path.exists() else None


def kept_pipelines(models: Path, version: str) -> Path:
    """Name the file of the pipelines of a run that waits."""
    return _folder(models) / version / _PIPELINES


def kept_verdict(models: Path, version: str) -> str | None:
    """Give the run that lacks the gate's verdict on a bundle, if one does."""
    path = _folder(models) / version / _VERDICT
    return str(json.loads(path.read_text("utf-8"))["run_id"]) if path.exists() else None


def forget(models: Path, version: str) -> None:
    """Remove what was sent."""
    shutil.rmtree(_folder(models) / version, ignore_errors=True)


@contextmanager
def sending(models: Path) -> Iterator[None]:
    """Let one process send at a time: two would make two runs of one training."""
    folder = _folder(models)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        yield


def _folder(models: Path) -> Path:
    return models / "unsent"
