"""`triage train --semantic` as a user calls it: the choice is said, and the model answers."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from triage.semantic import is_available

NEEDS_EXTRA = pytest.mark.skipif(not is_available(), reason="the extra 'semantic' is not installed")


@pytest.fixture(scope="module")
def export(paraphrased: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("paraphrased") / "history.csv"
    paraphrased[["id", "subject", "category"]].to_csv(file, index=False)
    return file


@NEEDS_EXTRA
@pytest.mark.slow
def test_choice_is_said_recorded_and_served(export: Path, run: Any, answer: Any) -> None:
    models = export.parent / "models"
    told = run("train", export, "--output", models, "--semantic")
    again = answer("train", export, "--output", models, "--semantic")

    scored = export.parent / "scored.csv"
    answer("predict", export, "--model", models, "--output", scored)

    assert (told.returncode, told.stderr) == (0, "")
    assert "category: what texts mean is read" in " ".join(told.stdout.split())
    assert again["meaning"]["category"]["is_used"] is True
    manifest = json.loads((Path(again["folder"]) / "manifest.json").read_text("utf-8"))
    assert manifest["meaning"] == again["meaning"]
    assert "also reads what a text means" in Path(again["report"]).read_text("utf-8")
    assert "small language model" in Path(again["model_card"]).read_text("utf-8")
    right = pd.read_csv(scored).merge(pd.read_csv(export)[["id", "category"]], on="id")
    assert (right["category_x"] == right["category_y"]).mean() > 0.9


def test_missing_extra_is_said_in_one_line_before_anything_is_read(
    export: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    code = "import sys; sys.modules['onnxruntime'] = None; from triage.cli import app; app()"

    told = subprocess.run(
        [sys.executable, "-c", code, "train", str(export), "--semantic", "--output", "models"],
        cwd=tmp_path,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert (told.returncode, told.stdout) == (2, "")
    (line,) = told.stderr.splitlines()
    assert "pip install 'ticket-triage[semantic]'" in line
    assert not (tmp_path / "models").exists()
