"""Public data that nobody here wrote, through the real command, by the protocol of its README.

The whole comparison with peers is in tests/benchmarks; this keeps the way from an export to a
model that is better than a guess from breaking between two benchmark runs.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from tests.benchmarks.datasets import (
    CLINC,
    ENDAVA,
    MIN_CLASS,
    MULTILINGUAL,
    TIER,
    Dataset,
    data_root,
)
from triage.ticket import TEXT_COLUMNS

pytestmark = pytest.mark.slow

PRINTED = ("accuracy", "macro_f1", "ece", "coverage_at_90", "coverage_at_95", "n")


@dataclass(frozen=True)
class Part:
    """A part of a data set: one label in how many, one row in how many.

    Of many labels some are left out, lest a thousand rows be too few for each.
    """

    dataset: Dataset
    labels_in: int
    rows_in: int

    @property
    def label(self) -> str:
        """The column of the export that is learned."""
        column = self.dataset.columns("category")
        assert column is not None
        return column


PARTS = (Part(ENDAVA, 1, 5), Part(MULTILINGUAL, 1, 3), Part(CLINC, 3, 7))


@pytest.fixture(scope="module")
def datasets() -> Path:
    folder = data_root()
    if folder is None:
        pytest.skip("no public data sets here: name their folder in TRIAGE_DATASETS")
    return folder


def read(dataset: Dataset, folder: Path) -> pd.DataFrame:
    """Read a data set without the tickets whose words, but for punctuation, were there before."""
    table = pd.read_csv(folder / dataset.path, dtype=str, keep_default_na=False)
    if dataset.kept:
        column, values = dataset.kept
        table = table[table[column].isin(values)]
    text = [column for name in TEXT_COLUMNS if (column := dataset.columns(name))]
    words = table[text].agg(" ".join, axis=1).str.lower().str.findall(r"\w+").str.join(" ")
    return table[~words.duplicated() & (words != "")]


def split(table: pd.DataFrame, labels: pd.Series, folder: Path) -> tuple[Path, Path]:
    """Write four fifths to learn from and one to ask about, rare classes dropped."""
    kept = labels.map(labels.value_counts()) >= MIN_CLASS
    parts = train_test_split(table[kept], test_size=0.2, random_state=0, stratify=labels[kept])
    files = folder / "learn.csv", folder / "ask.csv"
    for part, file in zip(parts, files, strict=True):
        part.to_csv(file, index=False)
    return files


def measured(
    answer: Any, folder: Path, mapping: str, files: tuple[Path, Path], target: str
) -> dict[str, dict[str, Any]]:
    """Metrics on the part that was asked about, and those that the training found itself."""
    (folder / "mapping.toml").write_text(mapping, "utf-8")
    options = "--mapping", folder / "mapping.toml"
    trained = answer("train", files[0], *options, "--output", folder / "models")
    told = answer("evaluate", files[1], *options, "--model", folder / "models")
    metrics = {
        "held_out": told["targets"][target],
        "out_of_fold": trained["metrics"][target]["out_of_fold"],
    }
    for part, values in metrics.items():
        print(part, {name: round(values[name], 4) for name in PRINTED})
    return metrics


def test_real_incidents_are_all_read(datasets: Path, answer: Any, tmp_path: Path) -> None:
    export = datasets / TIER.path
    (tmp_path / "mapping.toml").write_text(TIER.mapping, "utf-8")

    checked = answer("data", "check", export, "--mapping", tmp_path / "mapping.toml")

    rows = len(pd.read_csv(export, dtype=str))
    assert checked["rows"] == {"read": rows, "kept": rows, "merged": 0, "rejected": 0}


def test_tier_of_real_incidents_is_told_well_and_honestly(
    datasets: Path, answer: Any, tmp_path: Path
) -> None:
    table = read(TIER, datasets)
    is_desk = table["Assignment group"].isin(["GRP_0", "GRP_8"])
    files = split(table, is_desk.map({True: "1", False: "3"}), tmp_path)

    metrics = measured(answer, tmp_path, TIER.mapping, files, "tier")

    assert metrics["held_out"]["n"] > 1100
    assert metrics["held_out"]["accuracy"] >= 0.83
    assert all(part["ece"] <= 0.03 for part in metrics.values())


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.dataset.path.split("/")[0])
def test_real_labels_are_learned_better_than_the_most_frequent_one(
    datasets: Path, answer: Any, tmp_path: Path, part: Part
) -> None:
    table = read(part.dataset, datasets)
    table = table[table[part.label].isin(sorted(set(table[part.label]))[:: part.labels_in])]
    table = table.iloc[:: part.rows_in]
    files = split(table, table[part.label], tmp_path)

    metrics = measured(answer, tmp_path, part.dataset.mapping, files, "category")

    asked = pd.read_csv(files[1], dtype=str)[part.label]
    most_frequent = asked.value_counts(normalize=True).iloc[0]
    assert metrics["held_out"]["n"] == len(asked)
    assert metrics["held_out"]["accuracy"] > most_frequent + 0.02
