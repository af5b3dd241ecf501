"""The training pipeline: a history in, a signed bundle, a report and an MLflow run out."""

import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version as library_version
from pathlib import Path
from typing import Any

import pandas as pd

from training.accounting import Accounting
from training.drift_profile import profile_of
from training.evaluate import headline
from training.fit import UNKNOWN, Learned, OnStep, fit_model
from training.history import History, ensure_learnable, read_history
from training.mapping import load_mapping
from training.meaning import MeaningChoice
from training.model_card import render_model_card
from training.registry import flat_metrics, log_run
from training.report import render_report
from training.search import Search
from training.study import Study, study_learning
from training.tickets import data_hash, in_canonical_order
from training.unsent import TrainingRun
from triage.article import Article
from triage.article_vectors import MAX_PARTED, encode_articles
from triage.bundle import (
    champion,
    list_bundles,
    load_bundle,
    resolve_model,
    save_bundle,
    set_champion,
)
from triage.engine import TriageEngine
from triage.errors import ConfigurationError, HistoryError
from triage.golden import golden_answers
from triage.knowledge import KnowledgeBase, load_knowledge
from triage.linear import LinearSettings
from triage.model import TriageModel
from triage.recommender import ArticleRecommender
from triage.semantic import is_available, load_encoder
from triage.signing import field_key, signing_key
from triage.taxonomy import Taxonomy, load_taxonomy

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "pandas")


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training made; ``run_id`` is None, and ``warning`` says why, while MLflow lacks it."""

    version: str
    folder: Path
    report: Path
    model_card: Path
    run_id: str | None
    warning: str | None
    is_champion: bool
    accounting: Accounting
    learned: Learned
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Turn it into plain data, ready for JSON."""
        return {
            "version": self.version,
            "folder": str(self.folder),
            "report": str(self.report),
            "model_card": str(self.model_card),
            "mlflow_run": self.run_id,
            "mlflow_warning": self.warning,
            "champion": self.is_champion,
            "model_hash": self.learned.model.canonical_hash(),
            "seconds": round(self.seconds, 1),
            **self.accounting.to_dict(),
            "skipped": self.learned.skipped,
            "meaning": _packed(self.learned.meaning),
            "searches": _packed(self.learned.searches),
            "too_few": {
                target: head.classifier.too_few_
                for target, head in self.learned.model.heads.items()
            },
            "metrics": self.learned.metrics,
        }


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a history is learned from.

    ``settings`` are those of each target's head, defaults for the others; the other parts are as
    in `training.fit.fit_model`. ``mapping`` is the name it was read with, for the run.
    """

    taxonomy: Taxonomy
    articles: Sequence[Article] = ()
    target_precision: float = 0.95
    seed: int = 0
    n_jobs: int = -1
    semantic: bool = False
    budget_s: float = 0.0
    settings: Mapping[str, LinearSettings] = field(default_factory=dict)
    mapping: str = "auto"


def run_training(
    history: Sequence[Path],
    *,
    output: Path,
    keys: Path,
    mapping: str | None = None,
    kb: Path | None = None,
    taxonomy: Path | None = None,
    target_precision: float = 0.95,
    seed: int = 0,
    n_jobs: int = -1,
    semantic: bool = False,
    budget_s: float = 0.0,
    settings_of: Path | None = None,
    on_step: OnStep | None = None,
) -> Trained:
    """Train on one or more exports and put the signed bundle into a models folder.

    The first bundle of a folder becomes its champion; a later one waits for a promotion.

    Parameters
    ----------
    output : models folder
    keys : key folder, see `triage.signing`
    mapping : name of a built-in mapping, path to a mapping file, or None to guess
    kb : folder of knowledge articles to ship with the model
    taxonomy : taxonomy file, None for the one that comes with the package
    semantic, budget_s : see `training.fit.fit_model`
    settings_of : bundle, or models folder, whose heads' settings to learn with

    Raises
    ------
    TriageError : what is wrong with the history, the mapping, the articles or the folders
    """
    if not 0.5 < target_precision < 1:
        raise ConfigurationError(
            f"the target precision must lie between 0.5 and 1, got {target_precision}"
        )
    # These fail now rather than after an hour's training.
    signing_key(keys)
    champion(output)
    if semantic:
        load_encoder()
    if settings_of and budget_s:
        raise ConfigurationError(
            "settings are either searched for (--budget-s) or taken from a bundle (--settings-of)"
        )
    earlier = load_bundle(resolve_model(settings_of), keys)[0].heads if settings_of else {}
    recipe = Recipe(
        load_taxonomy(taxonomy),
        load_knowledge(kb).articles if kb else (),
        target_precision,
        seed,
        n_jobs,
        semantic,
        budget_s,
        {target: head.classifier.settings for target, head in earlier.items()},
        mapping or "auto",
    )
    report_step = on_step or (lambda name, done, total: None)
    read = read_history(
        history,
        load_mapping(mapping),
        on_progress=lambda rows: report_step("reading the history", rows, UNKNOWN),
    )
    return train_on(read, recipe, output=output, keys=keys, on_step=on_step)


def train_on(
    read: History, recipe: Recipe, *, output: Path, keys: Path, on_step: OnStep | None = None
) -> Trained:
    """Train on a history that was read, as `run_training` does.

    Raises
    ------
    TriageError : what is wrong with the history or the folders
    """
    began = time.monotonic()
    report_step = on_step or (lambda name, done, total: None)
    reports = output / "reports"
    version = _new_version(output, read.frame)
    if read.rejected:
        _make_folder(reports)
        read.write_rejected(reports / f"{version}-rejected.csv")
    ensure_learnable(read)
    frame = in_canonical_order(read.frame)
    _make_folder(reports)
    learned = fit_model(
        frame,
        taxonomy=recipe.taxonomy,
        articles=recipe.articles,
        target_precision=recipe.target_precision,
        seed=recipe.seed,
        key=field_key(keys),
        cache=output / "cache",
        n_jobs=recipe.n_jobs,
        on_step=on_step,
        semantic=recipe.semantic,
        budget_s=recipe.budget_s,
        settings=recipe.settings,
    )
    study = study_learning(learned, frame, seed=recipe.seed, n_jobs=recipe.n_jobs, on_step=on_step)
    facts = _facts(learned, study, frame, read.accounting, recipe.seed, time.monotonic() - began)
    model = replace(learned.model, facts={**facts, "golden": golden_of(learned.model)})
    folder = save_bundle(model, output, version, keys)
    if is_available() and len(recipe.articles) <= MAX_PARTED:
        report_step("reading the articles", 0, 1)
        # Now, rather than when it is to serve.
        encode_articles(recipe.articles, output / "cache")
    told = {**facts, "model_hash": model.canonical_hash()}
    report, card = reports / f"{version}.html", reports / f"{version}.md"
    for path, render in ((report, render_report), (card, render_model_card)):
        page = render(learned, study, version=version, facts=told, accounting=read.accounting)
        path.write_text(page, "utf-8")
    is_first = not _serves(output)
    if is_first:
        set_champion(output, version)
    run = TrainingRun(
        version,
        parameters=_parameters(recipe, model),
        metrics=flat_metrics(learned.metrics, facts["rows"]),
        tags={"data_hash": facts["data_hash"], "model_hash": model.canonical_hash()},
        artifacts={
            place: str(path.relative_to(output))
            for place, path in (("bundle", folder), ("report", report), ("model_card", card))
        },
    )
    sent = log_run(output, run, model, keys)
    seconds = time.monotonic() - began
    return Trained(
        version,
        folder,
        report,
        card,
        sent.runs.get(version),
        sent.warning,
        is_first,
        read.accounting,
        learned,
        seconds,
    )


def _serves(output: Path) -> bool:
    name = champion(output)
    return name is not None and name in list_bundles(output)


def _new_version(output: Path, frame: pd.DataFrame) -> str:
    """Name a bundle by its time and its data, so that names sort by age."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    name = f"{stamp}-{data_hash(frame)[:8]}"
    serial = 2
    while (output / name).exists():
        name = f"{stamp}-{data_hash(frame)[:8]}-{serial}"
        serial += 1
    return name


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HistoryError(
            f"the output folder {folder.parent.name}/ cannot be written: {error.strerror}; "
            "name another with --output"
        ) from error


def _facts(
    learned: Learned,
    study: Study,
    frame: pd.DataFrame,
    accounting: Accounting,
    seed: int,
    seconds: float,
) -> dict[str, Any]:
    return {
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "training_s": round(seconds, 1),
        "n_tickets": len(frame),
        "trained_until": _newest_moment(frame),
        "data_hash": data_hash(frame),
        "seed": seed,
        "rows": accounting.to_dict()["rows"],
        "skipped": learned.skipped,
        "meaning": _packed(learned.meaning),
        "searches": _packed(learned.searches),
        "is_split_by_time": learned.is_split_by_time,
        "metrics": {
            target: {part: headline(values) for part, values in parts.items()}
            for target, parts in learned.metrics.items()
        },
        "promises": study.promises.packed(),
        "drift": profile_of(learned, frame, seed=seed).packed(),
        "libraries": {
            "python": platform.python_version(),
            **{name: library_version(name) for name in ("ticket-triage", *_LIBRARIES)},
        },
    }


def golden_of(model: TriageModel) -> dict[str, list[list[Any]]]:
    """Answer the made-up tickets that tell, when the bundle is loaded, whether it is the same."""
    unnamed = TriageEngine("", {}, model, ArticleRecommender(KnowledgeBase(())))
    return golden_answers(unnamed)


def _newest_moment(frame: pd.DataFrame) -> str | None:
    """Tell up to when the model knows tickets; later ones it has not seen."""
    newest = frame["created_at"].max()
    return None if pd.isna(newest) else newest.isoformat()


def _packed(outcomes: Mapping[str, MeaningChoice | Search]) -> dict[str, dict[str, Any]]:
    return {target: outcome.to_dict() for target, outcome in outcomes.items()}


def _parameters(recipe: Recipe, model: TriageModel) -> dict[str, str]:
    parameters = {
        "seed": recipe.seed,
        "target_precision": recipe.target_precision,
        "mapping": recipe.mapping,
        **{
            f"{name}_{target}": value
            for target, head in model.heads.items()
            for name, value in asdict(head.classifier.settings).items()
        },
    }
    return {name: str(value) for name, value in parameters.items()}
