"""Measurements in processes of their own: made once, made anew when the data are others."""

from pathlib import Path

import pytest

from tests.benchmarks.datasets import WEBAPPS
from tests.benchmarks.runner import Task, run

WORDS = {"reset": "password forgotten locked", "sync": "folder upload conflict"}


@pytest.fixture
def questions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny data set in the place of a public one."""
    file = tmp_path / WEBAPPS.path
    file.parent.mkdir()
    lines = [
        f"WebApplicationsCorpus,{words} number{n},{intent}"
        for intent, words in WORDS.items()
        for n in range(15)
    ]
    file.write_text("\n".join(["corpus,text,intent", *lines]) + "\n", "utf-8")
    monkeypatch.setenv("TRIAGE_DATASETS", str(tmp_path))
    return file


def test_result_is_kept_until_the_data_change(questions: Path, tmp_path: Path) -> None:
    task = Task("compare", (WEBAPPS.name, "0", "majority"), "majority")
    folder = tmp_path / "results"

    first = run([task], [questions], folder)
    again = run([task], [questions], folder)
    questions.write_text(questions.read_text("utf-8").replace("number14", "other"), "utf-8")
    anew = run([task], [questions], folder)

    assert first[task]["accuracy"] == 0.5
    assert again == first  # its seconds too: nothing ran
    assert anew[task]["split"] != first[task]["split"]


def test_measurement_that_fails_is_told_of_and_left_out(
    questions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = Task("compare", (WEBAPPS.name, "0", "no such contender"), "no such contender")

    found = run([task], [questions], tmp_path / "results")

    assert found == {}
    assert "FAILED: KeyError: 'no such contender'" in capsys.readouterr().err
