"""The tutorial runs as it is written, from an empty folder."""

import re
from pathlib import Path
from typing import Any

import pytest

from triage.bundle import list_bundles

# MLflow's own, of the libraries it uses.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"
)

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"


def test_every_block_of_the_tutorial_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", TUTORIAL.read_text("utf-8"), re.M | re.S)
    monkeypatch.chdir(tmp_path)
    # Set, so that it is put back: MLflow sets it too when it is told its store.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    monkeypatch.setenv("TRIAGE_KEYS_DIR", "of the tutorial's own")
    names: dict[str, Any] = {"__name__": "tutorial"}

    for number, block in enumerate(blocks):
        exec(compile(block, f"tutorial.md, block {number}", "exec"), names)

    told = capsys.readouterr().out
    assert len(blocks) == 8
    assert len(list_bundles(tmp_path / "models")) == 2
    assert names["measured"]["tier"]["n"] == len(names["unseen"]) == len(names["answers"]) > 100
    assert names["comparison"].n_older == 0
    assert "400" in told.splitlines()[0]
