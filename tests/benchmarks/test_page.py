"""Tables and plots, from numbers of two contenders that are made up."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.benchmarks import learning
from tests.benchmarks.datasets import DATASETS, ENDAVA, TIER
from tests.benchmarks.page import render
from tests.benchmarks.summary import best_peer, reliability, summarise

PEER = "TF-IDF + logistic regression"


def run(accuracy: float, split: str = "same") -> dict[str, Any]:
    """Make up what one process found on one split of ten tickets."""
    right = round(10 * accuracy)
    return {
        "n": 10,
        "n_train": 40,
        "n_labels": 2,
        "accuracy": accuracy,
        "macro_f1": accuracy,
        "ece": 0.03,
        "ece_by_chance": 0.1,
        "coverage_at_90": 0.5,
        "coverage_at_95": 0.4,
        "accuracy_without_twin": accuracy,
        "twin_share": 0.2,
        "fit_s": 8 * accuracy,
        "tickets_per_s": 1000.0,
        "before_mb": 200.0,
        "peak_mb": 300.0,
        "coverage": [0.5] * 30,
        "confidence": [accuracy] * 10,
        "correct": [1] * right + [0] * (10 - right),
        "split": split,
    }


@pytest.fixture
def found() -> dict[str, Any]:
    """Ours at 0.8 and 0.9, the peer at 0.7 and 0.8; other peers absent."""
    one = {
        "random": summarise({"ours": [run(0.8), run(0.9)], PEER: [run(0.7), run(0.8)]}),
        "time": summarise({"ours": [run(0.8)], PEER: [run(0.7)]}),
        "absent": {"fastText": "not installed"},
        "promise": {"0.9 one threshold": {"precision": [0.92, 0.88, None], "share": [0.4, 0.5, 0]}},
        "small": {"ours": {"50": [0.5, 0.6], "100": [None, 0.7]}},
    }
    return {"libraries": "numpy 2", "sets": {ENDAVA.name: one}, "foreign": {"real": [0.1]}}


def cells(page: str, *begin: str) -> list[str]:
    """Find the one row that begins with these cells."""
    (line,) = [line for line in page.splitlines() if line.startswith(f"| {' | '.join(begin)} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_contenders_stand_side_by_side_and_who_is_missing_is_told(found: dict[str, Any]) -> None:
    page = render(found)

    assert cells(page, "random", "ours")[2].startswith("0.850 ± ")
    assert cells(page, "older to newer", "ours")[2] == "0.800"
    assert cells(page, "random", "fastText")[2] == "not installed"
    assert cells(page, "random", "majority")[2] == "failed"


def test_lead_is_told_with_its_costs(found: dict[str, Any]) -> None:
    random = cells(render(found), ENDAVA.name, "random")
    by_time = cells(render(found), ENDAVA.name, "older to newer")

    assert random[2:4] == [PEER, "+0.100 ± 0.000"]
    assert random[5:7] == ["1.1×", "1.1×"]
    assert by_time[3].startswith("+0.100 ± 0.1")


def test_promise_counts_what_kept_it_and_what_was_not_made(found: dict[str, Any]) -> None:
    row = cells(render(found), ENDAVA.name, "0.9 one threshold")

    assert row[2:] == ["2", "1", "0.900", "0.880", "30.0%"]


def test_size_that_once_could_not_be_learned_says_so(found: dict[str, Any]) -> None:
    row = cells(render(found), ENDAVA.name, "ours", "0.550 ± 0.635")

    assert row[-1] == "cannot learn"


def test_contenders_of_different_splits_are_not_compared() -> None:
    with pytest.raises(ValueError, match="different splits"):
        summarise({"ours": [run(0.8)], PEER: [run(0.7, split="other")]})


def test_majority_is_never_the_best_peer() -> None:
    contenders = {name: {"accuracy": [value]} for name, value in (("majority", 0.9), (PEER, 0.7))}

    assert best_peer(contenders, "accuracy") == PEER
    assert best_peer({"majority": {"accuracy": [0.9]}}, "accuracy") is None


def test_bin_of_few_tickets_is_no_point_of_the_curve() -> None:
    confidence = np.array([0.95] * 40 + [0.3] * 5)

    points = reliability(confidence, np.arange(45) % 2 == 0)

    assert points == [[0.95, 0.5, 40]]


def test_sets_that_were_not_measured_again_are_kept(found: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "benchmarks.md").write_text(f"before {learning.BEGIN} old {learning.END} after")
    learning.write(found, tmp_path)

    learning.write({"sets": {TIER.name: found["sets"][ENDAVA.name]}}, tmp_path)

    page = (tmp_path / "benchmarks.md").read_text("utf-8")
    assert page.startswith("before ") and page.endswith(" after") and " old " not in page
    assert page.index(f"### {TIER.name}") < page.index(f"### {ENDAVA.name}")
    numbers = json.loads((tmp_path / "benchmarks" / "learning.json").read_text("utf-8"))
    assert list(numbers["sets"]) == [TIER.name, ENDAVA.name]
    assert numbers["foreign"] == {"real": [0.1]}
    sizes = [file.stat().st_size for file in (tmp_path / "plots").iterdir()]
    assert len(sizes) == 3 and max(sizes) < 80_000


def test_every_split_of_every_set_has_ours_and_the_installed_peers() -> None:
    for dataset in DATASETS:
        for tasks in learning.contests(dataset).values():
            assert list(tasks)[:4] == ["ours", "majority", PEER, "TF-IDF + linear SVM"]
            assert len({len(ones) for ones in tasks.values()}) == 1
