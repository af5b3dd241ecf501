"""The same history and seed give the same model, whatever else differs between two runs."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pytest

Train = Callable[..., str]

N_ROWS = 150


@pytest.fixture
def train(tmp_path: Path, rows: list[dict[str, str]], write: Any, answer: Any) -> Train:
    """Train on a history of two targets and a form field; give the model's hash."""

    def hash_of(
        name: str,
        *options: object,
        order: int = 0,
        keys: str = "keys",
        change: dict[str, str] | None = None,
        **variables: str,
    ) -> str:
        folder = tmp_path / name
        folder.mkdir()
        told = [*rows[: N_ROWS - 1], rows[N_ROWS - 1] | (change or {})]
        Random(order).shuffle(told)
        # A models folder of its own: nothing may come out of the cache of another run.
        trained = answer(
            "train",
            write(folder / "history.csv", told),
            "--mapping",
            "sample",
            "--output",
            folder / "models",
            *options,
            TRIAGE_KEYS_DIR=str(tmp_path / keys),
            **variables,
        )
        return str(trained["model_hash"])

    return hash_of


@pytest.mark.slow
def test_model_depends_on_history_and_seed_alone(train: Train, rows: list[dict[str, str]]) -> None:
    last = rows[N_ROWS - 1]
    another_label = next(row["category"] for row in rows if row["category"] != last["category"])
    same = {
        f"same {number}": {
            "order": number,
            "keys": f"keys {number % 2}",
            "PYTHONHASHSEED": str(number),
            "OMP_NUM_THREADS": str(1 + number % 2),
        }
        for number in range(5)
    }

    with ThreadPoolExecutor(2) as two_at_a_time:
        running = {name: two_at_a_time.submit(train, name, **how) for name, how in same.items()}
        running["other seed"] = two_at_a_time.submit(train, "other seed", "--seed", 1)
        running["other label"] = two_at_a_time.submit(
            train, "other label", change={"category": another_label}
        )
    hashes = {name: run.result() for name, run in running.items()}

    assert len({hashes[name] for name in same}) == 1, hashes
    assert len({hashes["same 0"], hashes["other seed"], hashes["other label"]}) == 3, hashes
