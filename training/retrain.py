"""Retrain: history, outcomes and corrections in; a judged challenger out, perhaps a champion."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from training.accounting import Accounting, FileAccounting
from training.canonical import completed
from training.fit import UNKNOWN, OnStep
from training.gate.judge import LEAST_TICKETS, GateReport, judge
from training.history import History, read_history
from training.mapping import load_mapping
from training.people import BY_ONE, Merged, merge_store
from training.pipeline import Recipe, Trained, train_on
from training.registry import follow_promotion, note_gate
from triage.bundle import champion, load_bundle
from triage.engine import TriageEngine, load_engine
from triage.errors import HistoryError, TriageError
from triage.knowledge import load_knowledge
from triage.promotions import promote
from triage.store import Store

MOST_KEPT_BACK = 2_000
"""Newest tickets that no model learns from; more of them would tell little more."""

_SHARE_KEPT_BACK = 0.5  # of what is newer than the champion: the rest is what is new to learn


@dataclass(frozen=True, slots=True)
class Retrained:
    """A challenger, what it learned from, and what the gate said.

    ``warning`` says what MLflow does not know of it yet, and why.
    """

    trained: Trained
    merged: Merged
    gate: GateReport
    report: Path
    is_promoted: bool
    warning: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Turn it into plain data, ready for JSON."""
        return {
            "version": self.trained.version,
            "promoted": self.is_promoted,
            "merged": self.merged.to_dict(),
            "gate": self.gate.to_dict(),
            "gate_report": str(self.report),
            "mlflow_warning": self.warning,
            "training": self.trained.to_dict(),
        }


def retrain(
    history: Sequence[Path],
    store: Store,
    *,
    output: Path,
    keys: Path,
    mapping: str | None = None,
    kb: Path | None = None,
    seed: int = 0,
    n_jobs: int = -1,
    on_step: OnStep | None = None,
) -> Retrained:
    """Train a challenger like the champion, on all there is by now, and promote it if it is better.

    The newest tickets are kept back from it, to judge both on what neither has seen.

    Parameters
    ----------
    history : exports, perhaps newer than the champion's; none where the store holds all there is
    kb : folder of articles to ship with it; those of the champion by default

    Raises
    ------
    TriageError : nothing can be learned from, too little is new, or the folders cannot be used
    """
    report_step = on_step or (lambda name, done, total: None)
    read = _read(history, mapping, report_step)
    frame, merged = merge_store(read.frame, store)
    name = champion(output)
    if name is None:
        raise TriageError(
            f"no model of {output} serves yet; make the first one with: triage train HISTORY"
        )
    serving = load_engine(output, keys=keys)
    learn, unseen = keep_back(frame, serving)
    recipe = _recipe_of(serving, mapping, kb, seed, n_jobs, output / name, keys)
    trained = train_on(
        History(learn, read.accounting, read.rejected),
        recipe,
        output=output,
        keys=keys,
        on_step=on_step,
    )
    report_step("comparing it with the champion", 0, 1)
    gate = judge(serving, load_engine(trained.folder, keys=keys), unseen)
    report = output / "reports" / f"{trained.version}-gate.json"
    report.write_text(json.dumps(gate.to_dict(), indent=2, ensure_ascii=False), "utf-8")
    if gate.passed:
        promote(output, trained.version, kind="gate", reason=f"judged on {gate.n_tickets} tickets")
    return Retrained(trained, merged, gate, report, gate.passed, _tell_mlflow(output, trained))


def _tell_mlflow(output: Path, trained: Trained) -> str | None:
    """Note the verdict and who serves; a run that waits takes both along when it is sent."""
    if trained.run_id is None:
        return trained.warning
    return note_gate(output, trained.version, trained.run_id) or follow_promotion(output)


def keep_back(frame: pd.DataFrame, serving: TriageEngine) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part a history into what a challenger may learn and the newest, which neither model sees.

    What rests on one person's word alone may be learned from, but judges nobody.

    Raises
    ------
    HistoryError : too few labelled tickets are newer than those the champion learned from
    """
    until = serving.manifest.get("trained_until")
    created = frame["created_at"]
    if until is None or created.isna().all():
        raise HistoryError(
            "the champion's history or this one has no dates, so that nobody can tell which "
            "tickets it has not seen; train again from an export that tells when tickets came in"
        )
    is_new = (created > pd.Timestamp(until)).to_numpy(dtype=bool)
    may_judge = np.flatnonzero(is_new & ~frame[BY_ONE].to_numpy(dtype=bool))
    if len(may_judge) < 2 * LEAST_TICKETS:
        raise HistoryError(
            f"only {len(may_judge)} labelled tickets are newer than those the champion learned "
            f"from; {2 * LEAST_TICKETS} are needed, half of them to judge by"
        )
    n_kept = min(int(len(may_judge) * _SHARE_KEPT_BACK), MOST_KEPT_BACK)
    order = np.argsort(created.iloc[may_judge].to_numpy(), kind="stable")
    kept = may_judge[order[-n_kept:]]
    first = created.iloc[kept].min()
    # Whatever came in later than the first of them would tell the challenger of their time.
    is_later = (created >= first).to_numpy(dtype=bool)
    return (
        frame[~is_later].drop(columns=BY_ONE).reset_index(drop=True),
        frame.iloc[kept].drop(columns=BY_ONE).reset_index(drop=True),
    )


def _read(history: Sequence[Path], mapping: str | None, report: OnStep) -> History:
    if history:
        return read_history(
            history,
            load_mapping(mapping),
            on_progress=lambda rows: report("reading the history", rows, UNKNOWN),
        )
    empty = completed(pd.DataFrame({"subject": [], "description": []}))
    account = FileAccounting("store", "store", None, None, {}, False, 0, 0, 0, 0)
    return History(empty, Accounting((account,)), [])


def _recipe_of(
    serving: TriageEngine,
    mapping: str | None,
    kb: Path | None,
    seed: int,
    n_jobs: int,
    folder: Path,
    keys: Path,
) -> Recipe:
    model = load_bundle(folder, keys)[0]
    return Recipe(
        model.taxonomy,
        load_knowledge(kb).articles if kb else model.articles,
        model.target_precision,
        seed,
        n_jobs,
        semantic=model.reads_meaning,
        settings={target: head.classifier.settings for target, head in model.heads.items()},
        mapping=mapping or "auto",
    )
