"""Does the gate let honest retrains pass, and nothing else?

``make bench-gate`` lives through the sample's history: at each of several moments a model of all
tickets so far serves, and models of all tickets three months later are judged on the month after.
Twenty honest ones differ by moment and seed; twenty sabotaged ones by what was done to them.
Prints a Markdown table.
"""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from training.fit import fit_model
from training.gate.judge import GateReport, judge
from training.history import read_history
from training.mapping import load_mapping
from training.pipeline import golden_of
from training.tickets import in_canonical_order
from triage.bundle import load_bundle, save_bundle
from triage.confidence import Calibration
from triage.engine import TriageEngine
from triage.knowledge import KnowledgeBase
from triage.model import TriageModel
from triage.recommender import ArticleRecommender
from triage.signing import field_key
from triage.taxonomy import data_folder, load_taxonomy

_MOMENTS = (0.45, 0.50, 0.55, 0.60, 0.65)
_SEEDS = (0, 1, 2, 3)
_LEARNED_SINCE = 0.15  # of the history: what a challenger knows beyond the champion
_JUDGED_BY = 0.15  # of the history: the newest tickets of all


@dataclass(frozen=True)
class Desk:
    """The sample's history, and a folder for bundles."""

    frame: pd.DataFrame
    folder: Path

    def part(self, begin: float, end: float) -> pd.DataFrame:
        n = len(self.frame)
        return self.frame.iloc[round(begin * n) : round(end * n)].reset_index(drop=True)

    def model(self, frame: pd.DataFrame, seed: int = 0) -> TriageModel:
        model = fit_model(
            in_canonical_order(frame),
            taxonomy=load_taxonomy(),
            target_precision=0.9,
            key=field_key(self.folder / "keys"),
            seed=seed,
            n_jobs=1,
        ).model
        facts = {
            "n_tickets": len(frame),
            "trained_until": frame["created_at"].max().isoformat(),
            "golden": golden_of(model),
        }
        return replace(model, facts=facts)

    def engine(self, model: TriageModel, version: str) -> TriageEngine:
        folder = save_bundle(model, self.folder, version, self.folder / "keys")
        loaded, manifest = load_bundle(folder, self.folder / "keys")
        return TriageEngine(version, manifest, loaded, ArticleRecommender(KnowledgeBase(())))


def main() -> None:
    """Judge forty challengers."""
    read = read_history([data_folder() / "sample" / "history.csv.gz"], load_mapping("sample"))
    frame = read.frame.sort_values("created_at", kind="stable").reset_index(drop=True)
    print("| challenger | passed | why not | tickets |\n|---|---|---|---|", flush=True)
    with TemporaryDirectory() as folder:
        desk = Desk(frame, Path(folder))
        honest = sum(_honest(desk))
        refused = sum(not passed for passed in _sabotaged(desk))
    print(f"\n{honest} of {len(_MOMENTS) * len(_SEEDS)} honest retrains pass; ", end="")
    print(f"{refused} of {len(HISTORIES) + len(MODELS) + 2} sabotaged ones are refused.")


def _honest(desk: Desk) -> list[bool]:
    passed = []
    for moment in _MOMENTS:
        until = moment + _LEARNED_SINCE
        champion = desk.engine(desk.model(desk.part(0, moment)), f"champion-{moment}")
        unseen = desk.part(until, until + _JUDGED_BY)
        for seed in _SEEDS:
            name = f"honest, {until:.0%} of the history, seed {seed}"
            model = desk.model(desk.part(0, until), seed)
            challenger = desk.engine(model, f"honest-{moment}-{seed}")
            passed.append(_told(name, judge(champion, challenger, unseen)))
    return passed


def _sabotaged(desk: Desk) -> list[bool]:
    until = 0.85
    champion = desk.engine(desk.model(desk.part(0, 0.7)), "champion-sabotage")
    learned, unseen = desk.part(0, until), desk.part(until, 1)
    sound = desk.engine(desk.model(learned), "sound")
    passed = []
    for name, spoil in HISTORIES.items():
        model = desk.model(spoil(learned.copy()))
        challenger = desk.engine(model, f"spoilt-{len(passed)}")
        passed.append(_told(name, judge(champion, challenger, unseen)))
    for name, damage in MODELS.items():
        challenger = replace(sound, model=damage(sound.model))
        passed.append(_told(name, judge(champion, challenger, unseen)))
    slow = _SlowEngine(sound.version, sound.manifest, sound.model, sound.recommender)
    huge = replace(sound, manifest={**sound.manifest, "files": {"weights.npy": {"bytes": 1 << 27}}})
    passed.append(_told("slow", judge(champion, slow, unseen)))
    passed.append(_told("huge", judge(champion, huge, unseen)))
    return passed


def _told(name: str, report: GateReport) -> bool:
    why = ", ".join(check.name for check in report.failed)
    print(
        f"| {name} | {'yes' if report.passed else 'no'} | {why} | {report.n_tickets} |", flush=True
    )
    return report.passed


def _shuffled(frame: pd.DataFrame, share: float, seed: int = 1) -> pd.DataFrame:
    """Deal the labels of a share of the tickets anew."""
    rows = frame.sample(frac=share, random_state=seed).index
    for target in ("tier", "category"):
        frame.loc[rows, target] = frame.loc[rows, target].sample(frac=1, random_state=seed).array
    return frame


def _renamed(frame: pd.DataFrame, target: str) -> pd.DataFrame:
    labels = sorted(frame[target].dropna().unique())
    moved = dict(zip(labels, [*labels[1:], labels[0]], strict=True))
    return frame.assign(**{target: frame[target].map(moved).astype(frame[target].dtype)})


def _flipped(frame: pd.DataFrame, target: str, one: str, other: str, share: float) -> pd.DataFrame:
    rows = frame[frame[target] == one].sample(frac=share, random_state=1).index
    frame.loc[rows, target] = other
    return frame


HISTORIES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "labels shuffled": lambda frame: _shuffled(frame, 1.0),
    "a third of the labels shuffled": lambda frame: _shuffled(frame, 0.33),
    "a category gone": lambda frame: frame[frame["category"] != "vpn"],
    "a tier gone": lambda frame: frame[frame["tier"] != "3"],
    "categories renamed in a circle": lambda frame: _renamed(frame, "category"),
    "tiers renamed in a circle": lambda frame: _renamed(frame, "tier"),
    "a tenth of the data": lambda frame: frame.tail(len(frame) // 10),
    "stale": lambda frame: frame.head(len(frame) // 2),
    "no categories": lambda frame: frame.assign(
        category=pd.Series(None, index=frame.index, dtype=frame["category"].dtype)
    ),
    "poisoned: tier 2 called tier 1": lambda frame: _flipped(frame, "tier", "2", "1", 0.5),
    "poisoned: hardware called printing": lambda frame: _flipped(
        frame, "category", "hardware", "printing", 0.6
    ),
    "texts of other tickets": lambda frame: frame.assign(
        subject=frame["subject"].sample(frac=1, random_state=2).array,
        description=frame["description"].sample(frac=1, random_state=3).array,
    ),
}


def _with_heads(model: TriageModel, **changes: Callable[[Any], Any]) -> TriageModel:
    heads = {}
    for target, head in model.heads.items():
        classifier = copy.copy(head.classifier)
        for name, change in changes.items():
            setattr(classifier, name, change(getattr(classifier, name)))
        heads[target] = replace(head, classifier=classifier)
    return replace(model, heads=heads)


def _overconfident(calibration: Calibration) -> Calibration:
    return Calibration(calibration.temperature / 10, noise=0.0)


MODELS: dict[str, Callable[[TriageModel], TriageModel]] = {
    "NaN weights": lambda model: _with_heads(model, coef_=lambda c: np.full_like(c, np.nan)),
    "label order swapped": lambda model: _with_heads(model, classes_=lambda c: c[::-1].copy()),
    "signs turned": lambda model: _with_heads(model, coef_=lambda c: -c),
    "weights of other words": lambda model: _with_heads(
        model, coef_=lambda c: np.ascontiguousarray(np.roll(c, 999, axis=0))
    ),
    "noise on the weights": lambda model: _with_heads(
        model,
        coef_=lambda c: (
            c + np.random.default_rng(0).normal(0, 2 * c.std(), c.shape).astype(np.float32)
        ),
    ),
    "too sure of itself": lambda model: _with_heads(model, calibration_=_overconfident),
}


class _SlowEngine(TriageEngine):
    def classify(self, tickets: Any) -> Any:
        time.sleep(0.05)
        return super().classify(tickets)


if __name__ == "__main__":
    main()
