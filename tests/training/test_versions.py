"""What is known of a bundle, and two of them side by side."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from training.versions import compare_versions, show_version
from triage.bundle import save_bundle, set_champion
from triage.errors import BundleError, TriageError
from triage.model import TriageModel
from triage.promotions import promote

FIRST, SECOND = "20250301-120000-made", "20250401-120000-made"


@pytest.fixture(scope="module")
def models(
    model: TriageModel, history: pd.DataFrame, keys: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Two bundles of one model; the second, refused by the gate, was promoted all the same."""
    folder = tmp_path_factory.mktemp("two")
    newest = history["created_at"]
    for version, until, accuracy in ((FIRST, newest[99], 0.75), (SECOND, newest[149], 0.5)):
        facts = {
            "trained_until": until.isoformat(),
            "n_tickets": 100,
            "metrics": {"tier": {"newest": {"accuracy": accuracy, "n": 20}, "out_of_fold": {}}},
        }
        save_bundle(replace(model, facts=facts), folder, version, keys)
    set_champion(folder, FIRST)
    (folder / "reports").mkdir()
    verdict = {"passed": False, "champion": FIRST, "checks": []}
    (folder / "reports" / f"{SECOND}-gate.json").write_text(json.dumps(verdict), "utf-8")
    promote(folder, SECOND, kind="forced", by="ann", reason="a test")
    return folder


def test_bundle_is_shown_with_all_that_became_of_it(models: Path, keys: Path) -> None:
    shown = show_version(models, SECOND, keys)

    assert shown.is_champion and shown.size_bytes > 10_000
    assert shown.facts["n_tickets"] == 100 and "golden" not in shown.facts
    assert shown.metrics["tier"]["newest"]["accuracy"] == 0.5
    assert shown.gate is not None and not shown.gate["passed"]
    [promotion] = shown.served
    assert (promotion["previous"], promotion["by"], promotion["kind"]) == (FIRST, "ann", "forced")


def test_bundle_that_was_never_compared_has_no_verdict(models: Path, keys: Path) -> None:
    shown = show_version(models, FIRST, keys)

    assert shown.gate is None and not shown.is_champion


@pytest.mark.parametrize("name", ["20990101-000000-none", "reports"])
def test_bundle_that_is_not_there_is_named(models: Path, keys: Path, name: str) -> None:
    with pytest.raises(BundleError, match=name):
        show_version(models, name, keys)


def test_figures_stand_side_by_side(models: Path, keys: Path) -> None:
    compared = compare_versions(models, FIRST, SECOND, keys)

    assert compared.checks == []
    assert compared.rows() == [
        ("tier", "newest", "accuracy", 0.75, 0.5),
        ("tier", "newest", "n", 20, 20),
    ]


def test_models_are_checked_on_a_history_and_tickets_they_may_know_are_counted(
    models: Path, keys: Path, history: pd.DataFrame
) -> None:
    compared = compare_versions(models, FIRST, SECOND, keys, history)

    assert {"accuracy_tier", "macro_f1_category", "coverage"} <= {
        check.name for check in compared.checks
    }
    assert all(check.passed for check in compared.checks if check.name != "promise")
    assert (compared.n_tickets, compared.n_older) == (240, 150)


def test_too_few_tickets_compare_nothing(models: Path, keys: Path, history: pd.DataFrame) -> None:
    with pytest.raises(TriageError, match="99 labelled tickets"):
        compare_versions(models, FIRST, SECOND, keys, history.head(99))
