"""Which model serves, since when, and the way back."""

from pathlib import Path

import pytest

from triage.bundle import champion
from triage.errors import BundleError
from triage.promotions import promote, promotions, roll_back


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Three bundles, as far as their names go."""
    for version in ("v1", "v2", "v3"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "manifest.json").write_text("{}")
    return tmp_path


def test_promotion_is_noted_with_who_and_why(models: Path) -> None:
    promote(models, "v1", kind="first")
    promote(models, "v2", kind="forced", by="ada", reason="the gate had no tickets")

    assert champion(models) == "v2"
    last = promotions(models)[-1]
    assert (last.version, last.previous, last.kind, last.by) == ("v2", "v1", "forced", "ada")
    assert last.reason == "the gate had no tickets"


def test_each_rollback_goes_one_step_further_back(models: Path) -> None:
    for version in ("v1", "v2", "v3"):
        promote(models, version, kind="gate")

    assert roll_back(models).version == "v2"
    assert roll_back(models).version == "v1"
    assert champion(models) == "v1"
    with pytest.raises(BundleError, match="before v1"):
        roll_back(models)


def test_bundle_that_is_not_there_is_not_promoted(models: Path) -> None:
    with pytest.raises(BundleError, match="models list"):
        promote(models, "v9", kind="forced")

    assert champion(models) is None and promotions(models) == []


def test_line_that_was_cut_off_is_no_promotion(models: Path) -> None:
    promote(models, "v1", kind="first")
    log = models / "promotions.jsonl"
    log.write_text(log.read_text() + '{"at": "2026-11-')

    promote(models, "v2", kind="gate")

    assert [one.version for one in promotions(models)] == ["v1", "v2"]
