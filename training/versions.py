"""What is known of the bundles in a models folder, and how two of them compare."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from training.gate.answers import ask
from training.gate.checks import Check, paired_checks
from training.gate.judge import LEAST_TICKETS
from triage.bundle import champion, verify_bundle
from triage.engine import TriageEngine, load_engine
from triage.errors import BundleError, TriageError
from triage.promotions import promotions

_FACTS = (
    "trained_at",
    "trained_until",
    "n_tickets",
    "seed",
    "target_precision",
    "data_hash",
    "model_hash",
    "key_id",
    "training_s",
)
FIGURES = ("accuracy", "macro_f1", "ece", "coverage_at_90", "coverage_at_95", "n")


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """A bundle: what it was made of, how good it was, what the gate said, and when it served.

    ``metrics`` is target -> part -> figures. ``gate`` is the whole report of `training.gate`, None
    where it was never compared. ``served`` are the promotions it took part in, the oldest first.
    """

    version: str
    is_champion: bool
    size_bytes: int
    facts: Mapping[str, Any]
    metrics: Mapping[str, Mapping[str, Mapping[str, float]]]
    gate: Mapping[str, Any] | None
    served: list[dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """Turn it into plain data, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two bundles beside one another; ``checks`` are of the second against the first.

    ``n_tickets`` is how many tickets they were asked about, ``n_older`` how many of those are not
    newer than what one of them learned from, so that it may know them.
    """

    first: VersionFacts
    second: VersionFacts
    checks: list[Check]
    n_tickets: int = 0
    n_older: int = 0

    def rows(self) -> list[tuple[str, str, str, float | None, float | None]]:
        """Put the figures side by side: target, part, figure, and the value of each bundle."""
        one, other = self.first.metrics, self.second.metrics
        places = {
            (target, part): None
            for metrics in (one, other)
            for target, parts in metrics.items()
            for part in parts
        }
        found = [
            (*place, figure, _figure(one, *place, figure), _figure(other, *place, figure))
            for place in places
            for figure in FIGURES
        ]
        return [row for row in found if row[3] is not None or row[4] is not None]

    def to_dict(self) -> dict[str, Any]:
        """Turn it into plain data, ready for JSON."""
        names = ("target", "part", "figure", "first", "second")
        return {
            "first": self.first.version,
            "second": self.second.version,
            "metrics": [dict(zip(names, row, strict=True)) for row in self.rows()],
            "checks": [check.to_dict() for check in self.checks],
            "n_tickets": self.n_tickets,
            "n_older": self.n_older,
        }


def show_version(models: Path, version: str, keys: Path) -> VersionFacts:
    """Collect what is known of a bundle.

    Raises
    ------
    BundleError : there is no such bundle, or it is not as its trusted signer left it
    """
    manifest, files = verify_bundle(_folder(models, version), keys)
    served = [asdict(one) for one in promotions(models) if version in (one.version, one.previous)]
    return VersionFacts(
        version,
        champion(models) == version,
        sum(map(len, files.values())),
        {name: manifest[name] for name in _FACTS if name in manifest},
        manifest.get("metrics", {}),
        _gate_of(models, version),
        served,
    )


def compare_versions(
    models: Path, first: str, second: str, keys: Path, history: pd.DataFrame | None = None
) -> Comparison:
    """Put two bundles side by side; on a history also by the gate's paired checks.

    Parameters
    ----------
    history : canonical frame of labelled tickets, best of all such that neither has learned from

    Raises
    ------
    BundleError : one of the bundles is not there, or not as its trusted signer left it
    TriageError : the history has too few tickets to tell anything
    """
    both = show_version(models, first, keys), show_version(models, second, keys)
    if history is None:
        return Comparison(*both, [])
    if len(history) < LEAST_TICKETS:
        raise TriageError(
            f"the history has {len(history)} labelled tickets; {LEAST_TICKETS} are needed to "
            "compare two models"
        )
    engines = [load_engine(_folder(models, name), keys=keys) for name in (first, second)]
    before, after = (ask(engine, history) for engine in engines)
    checks = paired_checks(before, after, engines[1].model.target_precision)
    return Comparison(*both, checks, len(history), _n_older(engines, history))


def _folder(models: Path, version: str) -> Path:
    folder = models / version
    if not (folder / "manifest.json").exists():
        raise BundleError(f"{models} holds no bundle {version}; `triage models list` shows them")
    return folder


def _gate_of(models: Path, version: str) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = json.loads(
            (models / "reports" / f"{version}-gate.json").read_text("utf-8")
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise BundleError(f"the gate's report on {version} cannot be read") from error
    return found


def _figure(
    metrics: Mapping[str, Mapping[str, Mapping[str, float]]], target: str, part: str, figure: str
) -> float | None:
    return metrics.get(target, {}).get(part, {}).get(figure)


def _n_older(engines: list[TriageEngine], history: pd.DataFrame) -> int:
    ends = [engine.manifest.get("trained_until") for engine in engines]
    known = [pd.Timestamp(end) for end in ends if end]
    # A ticket without a date may be of any time.
    is_newer = history["created_at"] > max(known) if len(known) == len(ends) else None
    return len(history) if is_newer is None else int((~is_newer).sum())
