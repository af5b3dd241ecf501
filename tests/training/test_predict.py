"""Scoring files: the columns that were agreed on, in every format, whole or not at all."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from training.mapping import load_mapping
from training.predict import Scored, predict_file
from training.tickets import iter_tickets
from triage.engine import TriageEngine
from triage.errors import HistoryError

COLUMNS = [
    "id",
    "tier",
    "tier_confidence",
    "tier_decision",
    "category",
    "category_confidence",
    "category_decision",
]
FORMATS = ["out.csv", "out.jsonl", "out.parquet"]


@pytest.fixture
def export(history: pd.DataFrame, tmp_path: Path) -> Path:
    """New tickets: without labels, one without an id, one without any text."""
    frame = history.loc[:59, ["id", "subject", "description"]].copy()
    frame.loc[3, "id"] = None
    frame.loc[5, ["subject", "description"]] = ""
    path = tmp_path / "new.csv"
    frame.to_csv(path, index=False)
    return path


def score(engine: TriageEngine, source: Path, output: str) -> tuple[Path, Scored]:
    path = source.with_name(output)
    return path, predict_file(engine, source, load_mapping(), path)


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Read a scored file into rows of equal types, whatever its format."""
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    if path.suffix == ".parquet":
        return list(pq.read_table(path).to_pylist())
    with path.open(encoding="utf-8", newline="") as stream:
        return [
            {
                name: float(cell) if name.endswith("_confidence") else cell or None
                for name, cell in row.items()
            }
            for row in csv.DictReader(stream)
        ]


def with_labels(engine: TriageEngine, target: str, labels: list[str]) -> TriageEngine:
    """The same engine, its labels of a target called otherwise."""
    head = engine.model.heads[target]
    classifier = type(head.classifier)()
    classifier.__dict__.update(head.classifier.__dict__, classes_=np.array(labels, dtype=object))
    thresholds = dict(zip(labels, head.thresholds.values(), strict=True))
    renamed = replace(head, classifier=classifier, thresholds=thresholds)
    heads = {**engine.model.heads, target: renamed}
    return replace(engine, model=replace(engine.model, heads=heads))


@pytest.mark.parametrize("output", FORMATS)
def test_every_ticket_has_a_row_with_the_columns_agreed_on(
    loaded_engine: TriageEngine, export: Path, output: str, history: pd.DataFrame
) -> None:
    path, scored = score(loaded_engine, export, output)

    rows = rows_of(path)
    assert scored == Scored(rows=60, rejected=[])
    assert [list(row) for row in rows] == [COLUMNS] * 60
    assert [row["id"] for row in rows[:5]] == ["T0000", "T0001", "T0002", None, "T0004"]
    assert rows[5]["tier_decision"] == rows[5]["category_decision"] == "review"
    assert all(row["tier"] in "123" and 0 < row["tier_confidence"] <= 1 for row in rows)
    right = [row["tier"] == tier for row, tier in zip(rows, history["tier"], strict=False)]
    assert np.mean(right) > 0.8


def test_formats_hold_the_same(loaded_engine: TriageEngine, export: Path) -> None:
    as_csv, as_jsonl, as_parquet = (
        rows_of(score(loaded_engine, export, output)[0]) for output in FORMATS
    )

    assert as_csv == as_jsonl == as_parquet


def test_scores_are_those_of_the_engine(
    loaded_engine: TriageEngine, export: Path, history: pd.DataFrame
) -> None:
    rows = rows_of(score(loaded_engine, export, "out.jsonl")[0])

    tickets = [replace(ticket, fields={}) for ticket in iter_tickets(history.loc[:2])]
    for row, answer in zip(rows, loaded_engine.suggest(tickets), strict=False):
        for target, said in (("tier", answer.tier), ("category", answer.category)):
            assert said is not None
            assert row[target] == said.alternatives[0].label
            assert row[f"{target}_confidence"] == said.confidence
            assert row[f"{target}_decision"] == said.decision


def test_label_is_given_even_where_the_decision_is_review(
    loaded_engine: TriageEngine, tmp_path: Path
) -> None:
    source = tmp_path / "new.csv"
    source.write_text("id,subject\n1,qwv zxj krpl blorf\n")

    row = rows_of(score(loaded_engine, source, "out.csv")[0])[0]

    assert row["tier_decision"] == "review"
    assert row["tier"] in ("1", "2", "3")


def test_file_larger_than_a_batch_is_scored_in_its_order(
    loaded_engine: TriageEngine, tmp_path: Path
) -> None:
    source = tmp_path / "new.csv"
    lines = [f"{number},printer jam {number}" for number in range(5000)]
    source.write_text("\n".join(["id,subject", *lines]))
    told: list[int] = []

    scored = predict_file(
        loaded_engine, source, load_mapping(), tmp_path / "out.csv", on_progress=told.append
    )

    assert scored.rows == 5000
    ids = [row["id"] for row in rows_of(tmp_path / "out.csv")]
    assert ids == [str(number) for number in range(5000)]
    assert told == sorted(told) and told[-1] == 5000 and len(told) > 3


def test_cells_that_begin_like_a_formula_are_neutralised_in_csv(
    loaded_engine: TriageEngine, tmp_path: Path
) -> None:
    source = tmp_path / "new.csv"
    ids = ["=1+1", "+49", "-2", "@SUM(A1)"]
    source.write_text("id,subject\n" + "".join(f'"{id}",printer\n' for id in ids))
    engine = with_labels(loaded_engine, "category", ["=cmd|A1", "@b", "+c", "-d"])

    as_csv = rows_of(score(engine, source, "out.csv")[0])
    as_jsonl = rows_of(score(engine, source, "out.jsonl")[0])

    assert [row["id"] for row in as_csv] == [f"'{id}" for id in ids]
    assert {row["category"][0] for row in as_csv} == {"'"}
    assert [row["id"] for row in as_jsonl] == ids
    assert as_jsonl[0]["category"] == as_csv[0]["category"].removeprefix("'")


@pytest.mark.parametrize("output", FORMATS)
def test_ids_and_labels_in_any_script_are_written_as_they_are(
    loaded_engine: TriageEngine, tmp_path: Path, output: str
) -> None:
    source = tmp_path / "new.csv"
    source.write_text('id,subject\nZürich-支持,printer jam\n"a,""b",printer\n', "utf-8")
    engine = with_labels(loaded_engine, "category", ["Zugang", "Büro", 'Druck, "alles"', "网络"])

    rows = rows_of(score(engine, source, output)[0])

    assert [row["id"] for row in rows] == ["Zürich-支持", 'a,"b']
    assert rows[0]["category"] == 'Druck, "alles"'


def test_rejected_rows_are_listed_beside_the_output(
    loaded_engine: TriageEngine, tmp_path: Path
) -> None:
    source = tmp_path / "new.csv"
    source.write_text("id,subject,description\n1,vpn,down\n2,a,b,c,d,e\n3,printer,jam\n")

    path, scored = score(loaded_engine, source, "out.csv")

    assert [row["id"] for row in rows_of(path)] == ["1", "3"]
    assert scored.rows == 2
    assert [(row.file, row.line) for row in scored.rejected] == [("new.csv", 3)]
    with (tmp_path / "out-rejected.csv").open(encoding="utf-8", newline="") as stream:
        listed = list(csv.DictReader(stream))
    assert listed == [{"file": "new.csv", "line": "3", "reason": scored.rejected[0].reason}]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["new.csv", "out-rejected.csv", "out.csv"]


def test_nothing_is_listed_when_nothing_was_rejected(
    loaded_engine: TriageEngine, export: Path
) -> None:
    score(loaded_engine, export, "out.csv")

    assert sorted(path.name for path in export.parent.iterdir()) == ["new.csv", "out.csv"]


@pytest.mark.parametrize("output", FORMATS)
@pytest.mark.parametrize("content", ["id,subject\n", "color,size\nred,3\n", ""])
def test_failure_leaves_the_old_output_and_no_partial_file(
    loaded_engine: TriageEngine, tmp_path: Path, output: str, content: str
) -> None:
    source = tmp_path / "new.csv"
    source.write_text(content)
    (tmp_path / output).write_text("from last week")

    with pytest.raises(HistoryError) as refused:
        score(loaded_engine, source, output)

    assert "\n" not in str(refused.value) and "new.csv" in str(refused.value)
    assert (tmp_path / output).read_text() == "from last week"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["new.csv", output])


@pytest.mark.parametrize("output", FORMATS)
def test_interruption_leaves_no_partial_file(
    loaded_engine: TriageEngine, export: Path, output: str
) -> None:
    def interrupt(rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict_file(
            loaded_engine,
            export,
            load_mapping(),
            export.with_name(output),
            on_progress=interrupt,
        )

    assert [path.name for path in export.parent.iterdir()] == ["new.csv"]


@pytest.mark.parametrize("output", ["out.xlsx", "out.txt", "out", "out.csv.gz", ".csv"])
def test_other_endings_are_refused_in_one_line(
    loaded_engine: TriageEngine, export: Path, output: str
) -> None:
    with pytest.raises(HistoryError) as refused:
        score(loaded_engine, export, output)

    assert str(refused.value) == (
        f"{output}: cannot write this kind of file; end its name in .csv, .jsonl or .parquet"
    )
    assert [path.name for path in export.parent.iterdir()] == ["new.csv"]


def test_ending_in_capitals_is_taken(loaded_engine: TriageEngine, export: Path) -> None:
    path, _ = score(loaded_engine, export, "OUT.CSV")

    assert len(path.read_text("utf-8").splitlines()) == 61


@pytest.mark.parametrize("output", FORMATS[:2])
def test_output_in_a_folder_that_is_not_there_is_refused_in_one_line(
    loaded_engine: TriageEngine, export: Path, output: str
) -> None:
    with pytest.raises(HistoryError, match=f"{output} cannot be written: No such file") as refused:
        predict_file(loaded_engine, export, load_mapping(), export.parent / "missing" / output)

    assert str(export.parent) not in str(refused.value)


def test_missing_input_is_refused_in_one_line(loaded_engine: TriageEngine, tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match=r"gone\.csv") as refused:
        score(loaded_engine, tmp_path / "gone.csv", "out.csv")

    assert "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []
