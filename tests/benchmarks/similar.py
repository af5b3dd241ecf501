"""Measure similar tickets: what is found, how fast and in how much memory, up to a million tickets.

Run by ``make bench-similar``; sizes may be named: ``python -m tests.benchmarks.similar 10000``. The
tickets of the first table are made by resampling pieces of real ones, as those of ``growth``; the
exact answer is the same cosine over all of them. The second table asks real tickets for the ones
before them: how often do those have the same label, by how alike they are.
"""

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from tests.benchmarks.datasets import GROUPS, SERVICES, data_root, load
from tests.benchmarks.growth import make_tickets, real_tickets
from training.history import read_history
from training.mapping import load_mapping
from training.tickets import iter_tickets
from triage.prepare import prepare
from triage.signature import read_signature, sign_ticket
from triage.similar import FLOOR, TicketIndex
from triage.taxonomy import data_folder
from triage.ticket import Ticket
from triage.topics import FLOOR as TOPIC_FLOOR

SIZES = (10_000, 100_000, 1_000_000)
N_QUERIES = 1_000
N_EXACT = 200
TOP = 10
BATCH = 20_000
STEPS = (0.0, 0.2, 0.35, 0.5, 0.65, 0.8, 1.01)
SEED = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """What queries took, in milliseconds, and how much of the exact answer they found."""

    p50_ms: float
    p99_ms: float
    recall: float


def signatures(n_tickets: int) -> Iterator[list[bytes]]:
    """Sign made-up tickets, in batches."""
    batch: list[bytes] = []
    for rows in make_tickets(real_tickets(), n_tickets):
        batch += [sign_ticket(Ticket(row[2], row[3])) for row in rows]
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def measure_size(size: int) -> None:
    """Print a row of the first table."""
    signed = [one for batch in signatures(size + N_QUERIES) for one in batch]
    chance = np.random.default_rng(SEED)
    held_out = set(chance.choice(len(signed), N_QUERIES, replace=False).tolist())
    queries = [signed[place] for place in sorted(held_out)]
    stored = [one for place, one in enumerate(signed) if place not in held_out]
    del signed
    began = time.perf_counter()
    index = TicketIndex()
    for begin in range(0, len(stored), BATCH):
        part = stored[begin : begin + BATCH]
        index.add(np.arange(begin, begin + len(part)), part)
    filled_s = time.perf_counter() - began
    exact = _Exact(stored)
    cells = []
    for floor in (TOPIC_FLOOR, FLOOR):
        asked = ask(index, exact, queries, floor)
        cells.append(f"{asked.p50_ms:.1f} / {asked.p99_ms:.1f} | {asked.recall:.3f}")
    one = np.arange(size, size + 1)
    began = time.perf_counter()
    for number, query in enumerate(queries):
        index.add(one + number, [query])
    added_ms = (time.perf_counter() - began) / len(queries) * 1e3
    print(
        f"| {size:,} | {filled_s:.1f} | {index.size_bytes / 2**20:,.0f} | {' | '.join(cells)} "
        f"| {added_ms:.2f} |",
        flush=True,
    )


def ask(index: TicketIndex, exact: "_Exact", queries: list[bytes], floor: float) -> Asked:
    """Time queries, and hold some of the answers against the exact ones."""
    times, found_of = [], []
    for query in queries:
        began = time.perf_counter()
        _, likeness = index.query(query, top=TOP, floor=floor)
        times.append((time.perf_counter() - began) * 1e3)
        found_of.append(likeness)
    recalls = []
    with ThreadPoolExecutor(1) as pool:
        best_of = pool.map(exact.best, queries[:N_EXACT])
        for found, best in zip(found_of[:N_EXACT], best_of, strict=True):
            wanted = best[best >= floor]
            if len(wanted):
                # Many tickets are equally like it: any of them will do.
                recalls.append((found[: len(wanted)] >= wanted[-1] - 0.01).sum() / len(wanted))
    return Asked(
        float(np.percentile(times, 50)), float(np.percentile(times, 99)), float(np.mean(recalls))
    )


class _Exact:
    """The same likeness, reckoned for every ticket there is."""

    def __init__(self, signed: list[bytes]) -> None:
        entries = read_signature(b"".join(signed))
        self._stems, columns, counts = np.unique(
            entries["stem"], return_inverse=True, return_counts=True
        )
        self._rarity = np.log1p(len(signed) / (counts + 10.0))
        indptr = np.cumsum([0, *(len(one) // entries.itemsize for one in signed)])
        weights = (entries["weight"] * self._rarity[columns]).astype(np.float32)
        self._matrix = sp.csr_array((weights, columns.astype(np.int32), indptr))
        lengths = np.sqrt(self._matrix.multiply(self._matrix).sum(axis=1))
        self._lengths = np.where(lengths > 0, lengths, 1)

    def best(self, query: bytes) -> npt.NDArray[np.float64]:
        entries = read_signature(query)
        places = np.searchsorted(self._stems, entries["stem"]).clip(max=len(self._stems) - 1)
        known = self._stems[places] == entries["stem"]
        n_tickets = self._matrix.shape[0]
        rarity = np.where(known, self._rarity[places], np.log1p(n_tickets / 10.0))
        weights = entries["weight"] * rarity
        vector = np.zeros(len(self._stems), dtype=np.float32)
        vector[places[known]] = weights[known]
        likeness = (self._matrix @ vector) / self._lengths / np.linalg.norm(weights)
        return np.sort(np.partition(likeness, n_tickets - TOP)[-TOP:])[::-1]


def measure_labels(name: str, frame: pd.DataFrame) -> None:
    """Print a row of the second table: the newer half of the tickets asks for the ones before."""
    if frame["created_at"].notna().all():
        frame = frame.sort_values("created_at", kind="stable")
    labels = frame["category"].astype(object).to_numpy()
    signed = [sign_ticket(prepare(ticket)) for ticket in iter_tickets(frame)]
    half = len(signed) // 2
    index = TicketIndex()
    index.add(np.arange(half), signed[:half])
    likeness_of, is_same, has_shown = [], [], []
    for place in range(half, len(signed)):
        numbers, likeness = index.query(signed[place], top=5, floor=0.01)
        likeness_of.append(likeness)
        is_same.append(labels[numbers] == labels[place])
        has_shown.append(bool((likeness >= FLOOR).any()))
        index.add([place], [signed[place]])
    likeness, same = np.concatenate(likeness_of), np.concatenate(is_same)
    cells = [
        f"{same[inside].mean():.0%} ({inside.sum():,})"
        for low, high in pairwise(STEPS)
        if (inside := (likeness >= low) & (likeness < high)).any()
    ]
    chance = sum((pd.Series(labels).value_counts(normalize=True) ** 2).tolist())
    print(f"| {name} | {chance:.0%} | {' | '.join(cells)} | {np.mean(has_shown):.0%} |", flush=True)


def main() -> None:
    """Print both tables."""
    sizes = [int(size) for size in sys.argv[1:]] or list(SIZES)
    print(
        "| tickets | index filled, s | memory, MB "
        f"| p50 / p99 ms from {TOPIC_FLOOR} | recall@{TOP} "
        f"| p50 / p99 ms from {FLOOR} | recall@{TOP} | one added, ms |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for size in sizes:
        measure_size(size)
    print()
    steps = [f"{low:.2f} to {min(high, 1):.2f}" for low, high in pairwise(STEPS)]
    print(f"| data set | by chance | {' | '.join(steps)} | tickets with one from {FLOOR} |")
    print("|---|---|---|---|---|---|---|---|---|")
    root = data_root()
    sample = read_history([data_folder() / "sample" / "history.csv.gz"], load_mapping("sample"))
    measure_labels("the sample, category", sample.frame)
    for dataset in (GROUPS, SERVICES) if root else ():
        measure_labels(dataset.name, load(dataset, root))


if __name__ == "__main__":
    main()
