"""The built wheel in an environment and a folder of its own: nothing of the checkout is there."""

import json
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")


@dataclass(frozen=True)
class Installed:
    """The archives that were built, and the environment that the wheel is installed in."""

    wheel: Path
    sdist: Path
    venv: Path
    environment: dict[str, str]

    def run(self, arguments: Sequence[object], folder: Path) -> subprocess.CompletedProcess[str]:
        program, *rest = map(str, arguments)
        return subprocess.run(
            [self.venv / "bin" / program, *rest],
            cwd=folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
        )


def uv(*arguments: object, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [UV, *map(str, arguments)], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Installed:
    folder = tmp_path_factory.mktemp("wheel")
    environment = environment | {
        "UV_OFFLINE": "1",
        "UV_CACHE_DIR": str(folder / "uv"),
        "TRIAGE_KEYS_DIR": str(folder / "keys"),
    }
    environment.pop("VIRTUAL_ENV", None)
    # First the sdist, then the wheel out of it: what both need is in the sdist.
    uv(
        *("build", ROOT, "--no-build-isolation", "--python", sys.executable),
        *("--out-dir", folder / "dist"),
        environment=environment,
    )
    (wheel,) = (folder / "dist").glob("*.whl")
    (sdist,) = (folder / "dist").glob("*.tar.gz")
    venv = folder / "venv"
    uv("venv", venv, "--python", sys.executable, environment=environment)
    uv("pip", "install", "--no-deps", "--python", venv, wheel, environment=environment)
    # The locked packages, but not the checkout: its .pth file counts in their own folder alone.
    (own,) = venv.glob("lib/python*/site-packages")
    (own / "locked.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Installed(wheel, sdist, venv, environment)


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A working directory with nothing in it, outside the checkout."""
    folder = tmp_path / "empty"
    folder.mkdir()
    assert not folder.is_relative_to(ROOT)
    return folder


def test_wheel_holds_what_runs_beside_the_code(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as archive:
        names = set(archive.namelist())

    assert {
        "triage/_data/taxonomy.toml",
        "triage/_data/sample/history.csv.gz",
        "triage/_data/kb/KB0001-unlock-a-locked-account.md",
        "training/templates/report.html",
    } <= names
    for folder, ending in (
        ("data/kb", "md"),
        ("training/mappings", "toml"),
        ("triage/store/migrations", "py"),
    ):
        here = {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob(f"*.{ending}")}
        assert here and {name.replace("data/", "triage/_data/", 1) for name in here} <= names


def test_wheel_holds_our_packages_alone(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}

    assert {name for name in tops if not name.endswith(".dist-info")} == {
        "api",
        "training",
        "triage",
    }


def test_sdist_holds_neither_models_nor_tests(installed: Installed) -> None:
    with tarfile.open(installed.sdist) as archive:
        tops = {name.split("/")[1] for name in archive.getnames() if "/" in name}

    assert {"triage", "training", "api", "data", "pyproject.toml", "LICENSE"} <= tops
    assert not tops & {"models", "tests", "docs", ".ci", ".venv"}


def test_installed_modules_are_those_of_the_wheel(installed: Installed, empty: Path) -> None:
    code = "import api, training, triage; print(api.__file__, training.__file__, triage.__file__)"

    told = installed.run(["python", "-c", code], empty)

    assert told.returncode == 0, told.stderr
    assert len(told.stdout.split()) == 3
    assert all(Path(file).is_relative_to(installed.venv) for file in told.stdout.split())


@pytest.mark.slow
def test_demo_runs_from_the_wheel_in_an_empty_folder(installed: Installed, empty: Path) -> None:
    shown = installed.run(["triage", "demo", "--once", "--json"], empty)

    assert (shown.returncode, shown.stderr) == (0, ""), shown.stderr
    suggestion = json.loads(shown.stdout)["suggestion"]
    assert suggestion["tier"]["label"] == "1"
    assert suggestion["articles"][0]["id"] == "KB0001"
    assert [path.name for path in empty.iterdir()] == ["models"]
    (report,) = (empty / "models" / "demo" / "reports").glob("*.html")
    assert "</html>" in report.read_text("utf-8")


def test_database_is_made_from_the_wheel(installed: Installed, empty: Path) -> None:
    told = installed.run(["triage", "db", "upgrade", "--json"], empty)

    assert (told.returncode, told.stderr) == (0, ""), told.stderr
    assert (empty / "models" / "triage.db").is_file()
