"""Public data that nobody here wrote, through the real command, by the protocol of its README.

The whole comparison with peers is in tests/benchmarks; this keeps the way from an export to a
model that is better than a guess from breaking between two benchmark runs.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

pytestmark = pytest.mark.slow

BESIDE = Path(__file__).parents[3] / "shared" / "datasets"
MIN_TICKETS = 10
PRINTED = ("accuracy", "macro_f1", "ece", "coverage_at_90", "coverage_at_95", "n")

ASSIGNMENT_GROUPS = """
[columns]
id = "number"
created_at = "Opened (approximate)"
subject = "Short description"
description = "Description"
assignment_group = "Assignment group"

[fields]
caller = "Caller"

[tiers]
GRP_0 = "1"
GRP_8 = "1"
"*" = "3"
"""


@dataclass(frozen=True)
class Source:
    """A data set: its file, the columns with its text, its label; one label, one row in how many.

    Of many labels some are left out, lest a thousand rows be too few for each.
    """

    file: str
    text: tuple[str, ...]
    label: str
    labels_in: int
    rows_in: int

    @property
    def mapping(self) -> str:
        names = zip(("subject", "description"), self.text, strict=False)
        columns = [*names, ("category", self.label)]
        return "[columns]\n" + "\n".join(f'{name} = "{column}"' for name, column in columns)


SOURCES = (
    Source("endava/tickets.csv", ("title", "body"), "category", 1, 5),
    Source("multilingual/tickets.csv", ("subject", "body"), "queue", 1, 3),
    Source("clinc_oos/utterances.csv", ("text",), "intent", 3, 7),
)


@pytest.fixture(scope="module")
def datasets() -> Path:
    folder = Path(os.environ.get("TRIAGE_DATASETS", BESIDE))
    if not folder.is_dir():
        pytest.skip("no public data sets here: name their folder in TRIAGE_DATASETS")
    return folder


def read(file: Path, text: Sequence[str]) -> pd.DataFrame:
    """Read a data set without the tickets whose words, but for punctuation, were there before."""
    table = pd.read_csv(file, dtype=str, keep_default_na=False)
    words = table[list(text)].agg(" ".join, axis=1).str.lower().str.findall(r"\w+").str.join(" ")
    return table[~words.duplicated() & (words != "")]


def split(table: pd.DataFrame, labels: pd.Series, folder: Path) -> tuple[Path, Path]:
    """Write four fifths to learn from and one to ask about, rare classes dropped."""
    kept = labels.map(labels.value_counts()) >= MIN_TICKETS
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
    export = datasets / "assignment_groups" / "incidents.csv"
    (tmp_path / "mapping.toml").write_text(ASSIGNMENT_GROUPS, "utf-8")

    checked = answer("data", "check", export, "--mapping", tmp_path / "mapping.toml")

    rows = len(pd.read_csv(export, dtype=str))
    assert checked["rows"] == {"read": rows, "kept": rows, "merged": 0, "rejected": 0}


def test_tier_of_real_incidents_is_told_well_and_honestly(
    datasets: Path, answer: Any, tmp_path: Path
) -> None:
    table = read(
        datasets / "assignment_groups" / "incidents.csv", ("Short description", "Description")
    )
    is_desk = table["Assignment group"].isin(["GRP_0", "GRP_8"])
    files = split(table, is_desk.map({True: "1", False: "3"}), tmp_path)

    metrics = measured(answer, tmp_path, ASSIGNMENT_GROUPS, files, "tier")

    assert metrics["held_out"]["n"] > 1100
    assert metrics["held_out"]["accuracy"] >= 0.83
    assert all(part["ece"] <= 0.03 for part in metrics.values())


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.file.split("/")[0])
def test_real_labels_are_learned_better_than_the_most_frequent_one(
    datasets: Path, answer: Any, tmp_path: Path, source: Source
) -> None:
    table = read(datasets / source.file, source.text)
    table = table[table[source.label].isin(sorted(set(table[source.label]))[:: source.labels_in])]
    table = table.iloc[:: source.rows_in]
    files = split(table, table[source.label], tmp_path)

    metrics = measured(answer, tmp_path, source.mapping, files, "category")

    asked = pd.read_csv(files[1], dtype=str)[source.label]
    most_frequent = asked.value_counts(normalize=True).iloc[0]
    assert metrics["held_out"]["n"] == len(asked)
    assert metrics["held_out"]["accuracy"] > most_frequent + 0.02
