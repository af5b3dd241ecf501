"""Measure how training grows with the history: seconds and memory, from 10,000 tickets up.

Run by ``make bench-growth``; sizes may be named: ``python -m tests.benchmarks.growth 10000``. The
tickets are made by resampling pieces of real ones (assignment_groups where the data sets are, else
the sample history), so that lengths and words are those of a desk; no quality is read from them.
"""

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tests.benchmarks.datasets import GROUPS, data_root, load
from training.history import read_history
from training.mapping import load_mapping
from triage.taxonomy import data_folder

SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
N_LABELS = 40
SEED = 0
PIECE_WORDS = 3
BLOCK = 10_000
POLL_S = 0.2
PLOT = Path(__file__).parents[2] / "docs" / "plots" / "growth.png"
BARS = {300_000: 6 * 60, 1_000_000: 25 * 60}
MAPPING = """
[columns]
id = "number"
created_at = "opened"
subject = "subject"
description = "description"
category = "category"
[fields]
caller = "caller"
"""


@dataclass(frozen=True, slots=True)
class Source:
    """What tickets are made from: the words of each label's real tickets, and their lengths."""

    words: dict[str, np.ndarray]
    lengths: dict[str, np.ndarray]
    shares: pd.Series


@dataclass(frozen=True, slots=True)
class Training:
    """What one training took."""

    n_tickets: int
    seconds: float
    peak_mb: float
    bundle_mb: float


def real_tickets() -> Source:
    """Read what is resampled."""
    root = data_root()
    if root is not None:
        frame = load(GROUPS, root)
    else:
        path = data_folder() / "sample" / "history.csv.gz"
        frame = read_history([path], load_mapping("sample")).frame
    frame = frame[frame["category"].notna()]
    counts = frame["category"].value_counts()[:N_LABELS]
    words, lengths = {}, {}
    for label in counts.index:
        own = frame[frame["category"] == label]
        texts = own["subject"] + " " + own["description"]
        words[label] = np.array(" ".join(texts).split(), dtype=object)
        sizes = [[len(str(text).split()) for text in own[c]] for c in ("subject", "description")]
        lengths[label] = np.maximum(np.array(sizes).T, 1)
    return Source(words, lengths, counts / counts.sum())


def make_tickets(source: Source, n_tickets: int) -> Iterator[list[list[str]]]:
    """Make tickets in blocks: number, opened, subject, description, category, caller."""
    generator = np.random.default_rng(SEED)
    labels = np.array(source.shares.index, dtype=object)
    first = np.datetime64("2023-01-02T08:00:00")
    span_s = 2 * 365 * 86_400
    for begin in range(0, n_tickets, BLOCK):
        chosen = generator.choice(labels, min(BLOCK, n_tickets - begin), p=source.shares.to_numpy())
        rows = []
        for number, label in enumerate(chosen, begin):
            sizes = source.lengths[label]
            n_subject, n_description = sizes[generator.integers(len(sizes))]
            opened = first + np.timedelta64(int(span_s * number / n_tickets), "s")
            caller = f"caller {generator.integers(max(n_tickets // 50, 10))}"
            rows.append(
                [
                    f"T{number:08}",
                    str(opened).replace("T", " "),
                    _resampled(source.words[label], n_subject, generator),
                    _resampled(source.words[label], n_description, generator),
                    label,
                    caller,
                ]
            )
        yield rows


def _resampled(words: np.ndarray, n_words: int, generator: np.random.Generator) -> str:
    pieces = -(-n_words // PIECE_WORDS)
    starts = generator.integers(0, max(len(words) - PIECE_WORDS, 1), pieces)
    places = (starts[:, np.newaxis] + np.arange(PIECE_WORDS)).ravel()[:n_words]
    return " ".join(words[np.minimum(places, len(words) - 1)])


def write_history(source: Source, n_tickets: int, folder: Path) -> Path:
    """Stream a history into a CSV file."""
    path = folder / f"history-{n_tickets}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["number", "opened", "subject", "description", "category", "caller"])
        for rows in make_tickets(source, n_tickets):
            writer.writerows(rows)
    return path


def measure_training(history: Path, n_tickets: int, folder: Path) -> Training:
    """Train in a process of its own; the memory is that of all its processes together."""
    mapping = folder / "mapping.toml"
    mapping.write_text(MAPPING, "utf-8")
    output = folder / f"models-{n_tickets}"
    command = [
        *(str(Path(sys.executable).with_name("triage")), "train", str(history)),
        *("--mapping", str(mapping), "--output", str(output), "--json"),
    ]
    environment = {**os.environ, "TRIAGE_KEYS_DIR": str(folder / "keys")}
    began = time.monotonic()
    with (folder / "stdout").open("w+") as told:
        child = subprocess.Popen(command, stdout=told, env=environment, start_new_session=True)
        peak_kb = 0
        while child.poll() is None:
            peak_kb = max(peak_kb, _memory_kb(child.pid))
            time.sleep(POLL_S)
        seconds = time.monotonic() - began
        if child.returncode:
            raise SystemExit(f"training on {n_tickets} tickets failed: exit {child.returncode}")
        told.seek(0)
        bundle = Path(json.load(told)["folder"])
    size = sum(path.stat().st_size for path in bundle.iterdir())
    return Training(n_tickets, seconds, peak_kb / 1024, size / 2**20)


def _memory_kb(session: int) -> int:
    """Add up the memory of all processes of a session; pages they share count once."""
    total = 0
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal():
            continue
        try:
            # The name in brackets may hold blanks; the session is the fourth number behind it.
            if int((process / "stat").read_text().rpartition(")")[2].split()[3]) != session:
                continue
            lines = (process / "smaps_rollup").read_text().splitlines()
        except (OSError, ValueError, IndexError):
            continue  # it has ended meanwhile
        total += next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
    return total


def draw(trainings: list[Training]) -> None:
    """Draw seconds and memory against tickets, with the bars."""
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    of_time, of_memory = figure.subplots(1, 2)
    sizes = [training.n_tickets for training in trainings]
    of_time.plot(sizes, [training.seconds for training in trainings], marker="o")
    bars = {size: bar for size, bar in BARS.items() if size <= max(sizes)}
    of_time.plot(list(bars), list(bars.values()), "v", color="tab:red", label="bar")
    of_memory.plot(sizes, [training.peak_mb / 1024 for training in trainings], marker="o")
    of_time.set(xscale="log", yscale="log", xlabel="tickets", ylabel="seconds")
    of_memory.set(xscale="log", xlabel="tickets", ylabel="peak memory, GiB", ylim=(0, None))
    if bars:
        of_time.legend()
    for axes in (of_time, of_memory):
        axes.grid(alpha=0.3)
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PLOT, dpi=120, metadata={"Software": None})


def main() -> None:
    """Measure each size and print a table."""
    sizes = [int(size) for size in sys.argv[1:]] or list(SIZES)
    source = real_tickets()
    trainings: list[Training] = []
    print("| tickets | seconds | microseconds a ticket | peak memory, MB | bundle, MB |")
    print("|---|---|---|---|---|", flush=True)
    for size in sizes:
        with TemporaryDirectory() as name:
            folder = Path(name)
            history = write_history(source, size, folder)
            one = measure_training(history, size, folder)
        print(
            f"| {size:,} | {one.seconds:.0f} | {one.seconds / size * 1e6:,.0f} "
            f"| {one.peak_mb:,.0f} | {one.bundle_mb:.1f} |",
            flush=True,
        )
        trainings.append(one)
    draw(trainings)


if __name__ == "__main__":
    main()
