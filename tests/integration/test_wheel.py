"""The built wheel in an environment and a folder of its own: nothing of the checkout is there."""

import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A working directory with nothing in it, outside the checkout."""
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


def test_wheel_holds_what_runs_beside_the_code(installed: Any) -> None:
    with zipfile.ZipFile(installed.wheel) as archive:
        names = set(archive.namelist())

    assert {
        "triage/_data/taxonomy.toml",
        "triage/_data/sample/history.csv.gz",
        "triage/_data/kb/KB0001-unlock-a-locked-account.md",
        "training/templates/report.html",
        "triage/assets/bert-uncased-vocab.txt",
        "triage/assets/bert-uncased-vocab.LICENSE.txt",
    } <= names
    for folder, ending in (
        ("data/kb", "md"),
        ("training/mappings", "toml"),
        ("triage/store/migrations", "py"),
    ):
        here = {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob(f"*.{ending}")}
        assert here and {name.replace("data/", "triage/_data/", 1) for name in here} <= names


def test_wheel_holds_our_packages_alone(installed: Any) -> None:
    with zipfile.ZipFile(installed.wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}

    assert {name for name in tops if not name.endswith(".dist-info")} == {
        "api",
        "training",
        "triage",
    }


def test_sdist_holds_neither_models_nor_tests(installed: Any) -> None:
    with tarfile.open(installed.sdist) as archive:
        tops = {name.split("/")[1] for name in archive.getnames() if "/" in name}

    assert {"triage", "training", "api", "data", "pyproject.toml", "LICENSE"} <= tops
    assert not tops & {"models", "tests", "docs", ".ci", ".venv"}


def test_installed_modules_are_those_of_the_wheel(installed: Any, empty: Path) -> None:
    code = "import api, training, triage; print(api.__file__, training.__file__, triage.__file__)"

    told = installed.run("python", "-c", code, cwd=empty)

    assert told.returncode == 0, told.stderr
    assert len(told.stdout.split()) == 3
    assert all(Path(file).is_relative_to(installed.venv) for file in told.stdout.split())


@pytest.mark.slow
def test_demo_runs_from_the_wheel_in_an_empty_folder(demo: Path) -> None:
    suggestion = json.loads((demo / "demo.json").read_text("utf-8"))["suggestion"]

    assert suggestion["tier"]["label"] == "1"
    assert suggestion["articles"][0]["id"] == "KB0001"
    assert not demo.is_relative_to(ROOT)
    assert [path.name for path in (demo / "here").iterdir()] == ["models"]
    (report,) = (demo / "here" / "models" / "demo" / "reports").glob("*.html")
    assert "</html>" in report.read_text("utf-8")


def test_database_is_made_from_the_wheel(installed: Any, empty: Path) -> None:
    told = installed.run("triage", "db", "upgrade", "--json", cwd=empty)

    assert (told.returncode, told.stderr) == (0, ""), told.stderr
    assert (empty / "models" / "triage.db").is_file()
