"""Long histories, learned part by part: the same kind of model, judged as honestly."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from training.fit import Learned, fit_model
from training.split import newest
from training.study import study_learning
from training.tickets import in_canonical_order, iter_tickets
from triage.bundle import load_bundle, save_bundle
from triage.signing import field_key
from triage.taxonomy import Taxonomy

FEW = 100
"""Tickets above which these tests learn by parts; the history has 240."""


@pytest.fixture(scope="module")
def by_parts(history: pd.DataFrame, taxonomy: Taxonomy, keys: Path) -> Learned:
    return fit_model(history, taxonomy=taxonomy, key=field_key(keys), n_jobs=1, by_parts_above=FEW)


def test_newest_are_answered_about_as_well_as_by_the_whole_matrix(
    by_parts: Learned, learned: Learned
) -> None:
    for target, parts in learned.metrics.items():
        assert by_parts.evidence.matrix is None
        found = by_parts.metrics[target]["newest"]
        assert found["n"] == parts["newest"]["n"]
        assert found["accuracy"] >= parts["newest"]["accuracy"] - 0.1


def test_calibration_is_of_the_newest_and_of_no_twin_of_an_older_one(
    by_parts: Learned, history: pd.DataFrame
) -> None:
    is_newest = newest(history["created_at"], 0.2)
    clusters = by_parts.evidence.clusters

    for target, head in by_parts.model.heads.items():
        checked = np.flatnonzero(head.classifier.is_checked_)  # every ticket is labelled
        assert checked.tolist() == by_parts.evidence.newest[target].test.tolist()
        assert is_newest[checked].all()
        assert not set(clusters[checked]) & set(clusters[~is_newest])


def test_newest_are_learned_too_in_the_end(history: pd.DataFrame, taxonomy: Taxonomy) -> None:
    changed = history.copy()
    new = np.flatnonzero(newest(history["created_at"], 0.2))[::2]
    changed.loc[new, "category"] = "telephony"
    changed.loc[new, "subject"] = "desk phone has no dial tone"

    learned = fit_model(changed, taxonomy=taxonomy, n_jobs=1, by_parts_above=FEW)

    matrix = learned.model.features.transform(list(iter_tickets(changed.iloc[new])))
    predicted = learned.model.heads["category"].classifier.predict(matrix)
    assert (predicted == "telephony").mean() > 0.9


def test_order_of_rows_and_number_of_threads_change_nothing(
    by_parts: Learned, history: pd.DataFrame, taxonomy: Taxonomy, keys: Path
) -> None:
    shuffled = in_canonical_order(history.sample(frac=1, random_state=3))

    again = fit_model(
        shuffled, taxonomy=taxonomy, key=field_key(keys), n_jobs=2, by_parts_above=FEW
    )

    assert again.model.canonical_hash() == by_parts.model.canonical_hash()


def test_undated_history_keeps_a_random_part_back(
    history: pd.DataFrame, taxonomy: Taxonomy
) -> None:
    twice = pd.concat([history, history], ignore_index=True)
    twice["id"] = [f"T{number}" for number in range(len(twice))]
    twice["created_at"] = pd.Series(pd.NaT, index=twice.index, dtype=history["created_at"].dtype)

    learned = fit_model(twice, taxonomy=taxonomy, n_jobs=1, by_parts_above=FEW)

    assert not learned.is_split_by_time
    checked = learned.model.heads["tier"].classifier.is_checked_
    clusters = learned.evidence.clusters
    assert 0 < checked.sum() < len(twice) / 2
    assert not set(clusters[checked]) & set(clusters[~checked])


def test_history_of_one_ticket_again_and_again_is_learned_all_the_same(
    as_history: Callable[..., pd.DataFrame], taxonomy: Taxonomy
) -> None:
    n = FEW + 20
    history = as_history(
        {
            "id": [f"T{number}" for number in range(n)],
            "subject": ["printer jam"] * n,
            "description": ["the printer says paper jam in tray two"] * n,
            "category": ["printing", "hardware"] * (n // 2),
        }
    )

    learned = fit_model(history, taxonomy=taxonomy, n_jobs=1, by_parts_above=FEW)

    confidence = learned.out_of_fold["category"][0].max()
    assert confidence < 0.7  # nothing tells the two apart


def test_target_that_only_the_newest_have_is_learned(
    history: pd.DataFrame, taxonomy: Taxonomy
) -> None:
    changed = history.copy()
    changed.loc[~newest(history["created_at"], 0.2), "category"] = None

    learned = fit_model(changed, taxonomy=taxonomy, n_jobs=1, by_parts_above=FEW)

    labelled = changed[changed["category"].notna()]
    matrix = learned.model.features.transform(list(iter_tickets(labelled)))
    predicted = learned.model.heads["category"].classifier.predict(matrix)
    assert (predicted == labelled["category"]).mean() > 0.9
    assert learned.out_of_fold["category"][0].max() < 0.5  # nobody could be asked


def test_ticket_without_a_label_is_asked_about_other_targets_only(
    history: pd.DataFrame, taxonomy: Taxonomy
) -> None:
    changed = history.copy()
    changed.loc[::3, "tier"] = None

    learned = fit_model(changed, taxonomy=taxonomy, n_jobs=1, by_parts_above=FEW)

    unlabelled = set(range(0, len(changed), 3))
    assert not set(learned.evidence.newest["tier"].test.tolist()) & unlabelled
    assert set(learned.evidence.newest["category"].test.tolist()) & unlabelled


def test_bundle_answers_as_the_model_does(
    by_parts: Learned, history: pd.DataFrame, keys: Path, tmp_path: Path
) -> None:
    folder = save_bundle(by_parts.model, tmp_path, "20250301-120000-parts", keys)
    tickets = list(iter_tickets(history))

    restored, _ = load_bundle(folder, keys)

    matrix = by_parts.model.features.transform(tickets)
    for target, head in by_parts.model.heads.items():
        np.testing.assert_array_equal(
            restored.heads[target].classifier.predict_proba(restored.features.transform(tickets)),
            head.classifier.predict_proba(matrix),
        )


def test_study_tells_that_nothing_was_learned_again(
    by_parts: Learned, history: pd.DataFrame
) -> None:
    study = study_learning(by_parts, history, n_jobs=1)

    for target in study.targets.values():
        assert target.refits is None
        assert "longer than it is worth" in target.left_out


def test_steps_are_told_from_none_to_all(history: pd.DataFrame, taxonomy: Taxonomy) -> None:
    told: dict[str, list[tuple[int, int]]] = {}

    def on_step(name: str, done: int, total: int) -> None:
        told.setdefault(name, []).append((done, total))

    fit_model(history, taxonomy=taxonomy, n_jobs=1, on_step=on_step, by_parts_above=FEW)

    assert len(told) >= 4
    for steps in told.values():
        total: Any = steps[0][1]
        assert steps[0] == (0, total)
        assert steps[-1] == (total, total)
