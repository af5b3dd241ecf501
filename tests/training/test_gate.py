"""The gate on real small models: honest retrains pass, sabotaged ones do not."""

import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from training.fit import fit_model
from training.gate.judge import judge
from training.gate.verdicts import passed_against
from training.pipeline import golden_of
from triage.bundle import load_bundle, save_bundle
from triage.confidence import Calibration
from triage.engine import TriageEngine
from triage.errors import TriageError
from triage.golden import golden_faults
from triage.knowledge import KnowledgeBase
from triage.model import Head, TriageModel
from triage.policy import Verdicts
from triage.recommender import ArticleRecommender
from triage.signing import field_key
from triage.taxonomy import Taxonomy

UNSEEN = slice(140, 240)


@dataclass(frozen=True)
class Desk:
    """A history, the model that serves, and a way to make others."""

    history: pd.DataFrame
    taxonomy: Taxonomy
    keys: Path
    folder: Path

    @property
    def unseen(self) -> pd.DataFrame:
        return self.history.iloc[UNSEEN].reset_index(drop=True)

    def learned(self, frame: pd.DataFrame, seed: int = 0) -> TriageModel:
        frame = frame.reset_index(drop=True)
        model = fit_model(
            frame, taxonomy=self.taxonomy, key=field_key(self.keys), seed=seed, n_jobs=1
        ).model
        facts = {
            "n_tickets": len(frame),
            "trained_until": frame["created_at"].max().isoformat(),
            "golden": golden_of(model),
        }
        return replace(model, facts=facts)

    def engine(self, model: TriageModel, version: str) -> TriageEngine:
        folder = self.folder / version
        if not folder.exists():
            save_bundle(model, self.folder, version, self.keys)
        loaded, manifest = load_bundle(folder, self.keys)
        return TriageEngine(version, manifest, loaded, ArticleRecommender(KnowledgeBase(())))


@pytest.fixture(scope="module")
def desk(
    history: pd.DataFrame,
    taxonomy: Taxonomy,
    keys: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Desk:
    return Desk(history, taxonomy, keys, tmp_path_factory.mktemp("gate"))


@pytest.fixture(scope="module")
def champion(desk: Desk) -> TriageEngine:
    return desk.engine(desk.learned(desk.history.iloc[:110]), "champion")


@pytest.fixture(scope="module")
def honest(desk: Desk) -> TriageModel:
    return desk.learned(desk.history.iloc[:140])


def failed(champion: TriageEngine, challenger: TriageEngine, desk: Desk) -> list[str]:
    return [check.name for check in judge(champion, challenger, desk.unseen).failed]


def test_honest_retrain_passes_and_tells_what_it_changes(
    desk: Desk, champion: TriageEngine, honest: TriageModel
) -> None:
    report = judge(champion, desk.engine(honest, "honest"), desk.unseen)

    assert [check.told for check in report.failed] == []
    assert report.passed and report.n_tickets == 100
    flips = report.to_dict()["flips"]
    assert all(flip["champion"] != flip["challenger"] for flip in flips)
    counted = sum(row[who] for row in report.flips_by_label() for who in ("challenger", "champion"))
    assert counted <= len(flips)


def relabelled(change: Callable[[pd.Series], Any]) -> Callable[[Desk], pd.DataFrame]:
    def make(desk: Desk) -> pd.DataFrame:
        frame = desk.history.iloc[:140].copy()
        for target in ("tier", "category"):
            frame[target] = pd.array(change(frame[target]), dtype=frame[target].dtype)
        return frame

    return make


HISTORIES: dict[str, tuple[Callable[[Desk], pd.DataFrame], set[str]]] = {
    "shuffled labels": (
        relabelled(lambda labels: labels.sample(frac=1, random_state=1).to_numpy()),
        {"accuracy_tier", "accuracy_category"},
    ),
    "labels moved on by one": (
        relabelled(
            lambda labels: labels.map(
                dict(zip(sorted(labels.unique()), np.roll(sorted(labels.unique()), 1), strict=True))
            ).to_numpy()
        ),
        {"accuracy_tier"},
    ),
    "a class gone": (
        lambda desk: desk.history.iloc[:140].query("category != 'vpn'"),
        {"class_recall_category"},
    ),
    "a tenth of the data": (lambda desk: desk.history.iloc[126:140], {"experience"}),
    "stale": (lambda desk: desk.history.iloc[:90], {"experience"}),
    "one tier for all of a category": (
        lambda desk: desk.history.iloc[:140].assign(
            tier=lambda frame: frame["tier"].where(frame["category"] != "email", "1")
        ),
        {"class_recall_tier", "accuracy_tier"},
    ),
    "texts of other tickets": (
        lambda desk: desk.history.iloc[:140].assign(
            subject=lambda f: f["subject"].sample(frac=1, random_state=2).array,
            description=lambda f: f["description"].sample(frac=1, random_state=3).array,
        ),
        {"accuracy_tier", "accuracy_category"},
    ),
    "a target gone": (
        lambda desk: desk.history.iloc[:140].assign(
            category=lambda f: pd.array([None] * len(f), dtype=f["category"].dtype)
        ),
        {"targets"},
    ),
    "poisoned by a fifth": (
        lambda desk: desk.history.iloc[:140].assign(
            tier=lambda f: f["tier"].where((np.arange(len(f)) % 2 == 0) | (f["tier"] != "2"), "1")
        ),
        {"class_recall_tier", "accuracy_tier", "macro_f1_tier", "ece_tier"},
    ),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_model_of_a_spoilt_history_is_refused(
    desk: Desk, champion: TriageEngine, name: str
) -> None:
    make, expected = HISTORIES[name]

    found = failed(champion, desk.engine(desk.learned(make(desk)), name.replace(" ", "-")), desk)

    assert expected & set(found), found


def with_head(model: TriageModel, **changes: Any) -> TriageModel:
    """Change every head's classifier or promises."""
    heads: dict[str, Head] = {}
    for target, head in model.heads.items():
        classifier = copy.copy(head.classifier)
        for name, change in changes.items():
            if hasattr(classifier, name):
                setattr(classifier, name, change(getattr(classifier, name)))
        heads[target] = replace(
            head,
            classifier=classifier,
            thresholds=changes.get("thresholds", dict)(head.thresholds),
        )
    return replace(model, heads=heads)


def first_nan(values: np.ndarray) -> np.ndarray:
    changed = values.copy()
    changed[0, :] = np.nan
    return changed


def overconfident(calibration: Calibration) -> Calibration:
    return Calibration(calibration.temperature / 10, noise=0.0)


MODELS: dict[str, tuple[Callable[[TriageModel], TriageModel], set[str]]] = {
    "NaN weights": (lambda m: with_head(m, coef_=first_nan), {"answers"}),
    "infinite weights": (
        lambda m: with_head(m, coef_=lambda c: np.full_like(c, np.inf)),
        {"answers"},
    ),
    "swapped label order": (
        lambda m: with_head(m, classes_=lambda labels: labels[::-1].copy()),
        {"accuracy_tier"},
    ),
    "signs turned": (lambda m: with_head(m, coef_=lambda c: -c), {"accuracy_tier"}),
    "no weights": (lambda m: with_head(m, coef_=np.zeros_like), {"accuracy_tier"}),
    "weights of other words": (
        lambda m: with_head(m, coef_=lambda c: np.ascontiguousarray(np.roll(c, 999, axis=0))),
        {"accuracy_tier"},
    ),
    "too sure of itself": (lambda m: with_head(m, calibration_=overconfident), {"ece_category"}),
}


@pytest.mark.parametrize("name", MODELS)
def test_damaged_model_is_refused(
    desk: Desk, champion: TriageEngine, honest: TriageModel, name: str
) -> None:
    damage, expected = MODELS[name]
    sound = desk.engine(honest, "honest")

    found = failed(champion, replace(sound, model=damage(sound.model), version=name), desk)

    assert expected & set(found), found


class SlowEngine(TriageEngine):
    """Takes its time."""

    def classify(self, tickets: Any) -> dict[str, Verdicts]:
        time.sleep(0.02)
        return super().classify(tickets)


def test_slow_huge_and_altered_models_are_refused(
    desk: Desk, champion: TriageEngine, honest: TriageModel
) -> None:
    sound = desk.engine(honest, "honest")
    files: Mapping[str, Any] = {"weights.npy": {"bytes": 65 * 1024 * 1024}}
    slow = SlowEngine(sound.version, sound.manifest, sound.model, sound.recommender)
    huge = replace(sound, manifest={**sound.manifest, "files": files})
    altered = replace(sound, model=with_head(sound.model, intercept_=lambda b: b[::-1].copy()))

    assert failed(champion, slow, desk) == ["latency"]
    assert failed(champion, huge, desk) == ["size"]
    assert golden_faults(altered) and not golden_faults(sound)
    assert "golden_set" in failed(champion, altered, desk)


def test_too_few_unseen_tickets_judge_nobody(desk: Desk, champion: TriageEngine) -> None:
    with pytest.raises(TriageError, match="100 are needed"):
        judge(champion, champion, desk.unseen.iloc[:99])


def test_promotion_needs_a_verdict_against_the_model_that_serves(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    report = tmp_path / "reports" / "v2-gate.json"

    with pytest.raises(TriageError, match="never compared"):
        passed_against(tmp_path, "v2", "v1")
    report.write_text('{"champion": "v0", "passed": true}')
    with pytest.raises(TriageError, match="v1 serves now"):
        passed_against(tmp_path, "v2", "v1")
    refused = '{"champion": "v1", "passed": false, "checks": [{"passed": false, "told": "slow"}]}'
    report.write_text(refused)
    with pytest.raises(TriageError, match="refused: slow"):
        passed_against(tmp_path, "v2", "v1")
    report.write_text('{"champion": "v1", "passed": true}')
    passed_against(tmp_path, "v2", "v1")
