"""Run measurements in processes of their own, two at a time, and keep what they found.

A run that was interrupted goes on where it stopped: results lie in ``.bench/`` under a name that
ends in a hash of the data and of the code that decides them.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.contenders import OURS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".bench"

_WORKERS = min(2, os.cpu_count() or 1)
# What decides a result beside the learner itself; how it is shown does not.
_MEASURING = ("compare", "contenders", "datasets", "guarantees", "peers", "small")
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True, slots=True)
class Task:
    """One measurement: a module of this folder, its arguments, and whom it measures."""

    module: str
    arguments: tuple[str, ...]
    who: str = OURS

    def __str__(self) -> str:
        return f"{self.module} {', '.join(self.arguments)}"


def run(
    tasks: Sequence[Task], data: Sequence[Path], folder: Path = FOLDER
) -> dict[Task, dict[str, Any]]:
    """Run the tasks that have no result yet; a task that fails is told of and left out.

    Parameters
    ----------
    data : the files the tasks read
    folder : where results are kept
    """
    folder.mkdir(exist_ok=True)
    hashes = {is_ours: _hash_of(data, is_ours) for is_ours in (True, False)}
    files = {task: folder / f"{_slug(task)}-{hashes[task.who == OURS]}.json" for task in tasks}
    missing = [task for task in tasks if not files[task].is_file()]
    _say(f"{len(tasks)} measurements, {len(tasks) - len(missing)} of them made before")
    with ThreadPoolExecutor(_WORKERS) as pool:
        running = {pool.submit(_measure, task, files[task]): task for task in missing}
        for done, future in enumerate(as_completed(running), 1):
            _say(f"[{done}/{len(missing)}] {running[future]}: {future.result()}")
    return {
        task: json.loads(file.read_text("utf-8")) for task, file in files.items() if file.is_file()
    }


def _measure(task: Task, file: Path) -> str:
    started = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-m", f"tests.benchmarks.{task.module}", *task.arguments],
        cwd=ROOT,
        env={**os.environ, **_ONE_THREAD},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        lines = ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"]
        return f"FAILED: {lines[-1]}"
    partial = file.with_suffix(".partial")
    partial.write_text(ended.stdout, "utf-8")
    partial.replace(file)
    return f"{time.perf_counter() - started:.0f} s"


def _hash_of(data: Sequence[Path], is_ours: bool) -> str:
    """Hash what decides a result: data and measuring, and for ours the learner too."""
    sources = [Path(__file__).with_name(f"{name}.py") for name in _MEASURING]
    if is_ours:
        sources += [*ROOT.glob("triage/*.py"), *ROOT.glob("training/**/*.py")]
    return _digest(path.read_bytes() for path in (*sorted(sources), *data))


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()[:12]


def _slug(task: Task) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in str(task))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
