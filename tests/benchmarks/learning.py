"""Measure learning against peers on the public data sets; write docs/benchmarks.md and its plots.

Run by ``make bench``, for some of the sets by ``make bench ONLY=endava``. The numbers go into
docs/benchmarks/learning.json, the tables and plots are made of those.
"""

import json
import platform
import re
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.benchmarks.compare import BY_TIME
from tests.benchmarks.contenders import OURS
from tests.benchmarks.datasets import (
    DATASETS,
    ENDAVA,
    GROUPS,
    MULTILINGUAL,
    SERVICES,
    TIER,
    Dataset,
    data_root,
)
from tests.benchmarks.page import render
from tests.benchmarks.peers import PEERS, is_installed
from tests.benchmarks.plots import draw
from tests.benchmarks.runner import ROOT, Task, run
from tests.benchmarks.summary import summarise

DOCS = ROOT / "docs"
BEGIN, END = "<!-- learning: begin -->", "<!-- learning: end -->"

_DATED = (TIER, GROUPS)
_PROMISED = (TIER, GROUPS, ENDAVA, SERVICES, MULTILINGUAL)  # enough tickets to promise anything
_SMALL = (TIER, GROUPS, ENDAVA)
_LIBRARIES = ("scikit-learn", "numpy", "scipy")


def contests(dataset: Dataset) -> dict[str, dict[str, list[Task]]]:
    """List split -> contender -> tasks, for the contenders that are installed."""
    splits = {"random": [str(seed) for seed in range(dataset.n_seeds)]}
    if dataset in _DATED:
        splits["time"] = [BY_TIME]
    return {
        split: {
            who: [Task("compare", (dataset.name, one, who), who) for one in ones]
            for who in (OURS, *PEERS)
            if is_installed(who)
        }
        for split, ones in splits.items()
    }


def small_contests(dataset: Dataset) -> dict[str, list[Task]]:
    """List contender -> tasks that learn from few tickets."""
    if dataset not in _SMALL:
        return {}
    return {
        who: [Task("small", (dataset.name, str(n), who), who) for n in range(dataset.n_seeds)]
        for who in (OURS, *PEERS)
        if is_installed(who)
    }


def promise_task(dataset: Dataset) -> Task:
    """Name the task that tests a set's promises."""
    return Task("guarantees", ("promise", dataset.name))


def foreign_tasks(datasets: Sequence[Dataset]) -> list[Task]:
    """List the tasks about text from elsewhere, which need the set with tiers."""
    return [Task("guarantees", ("foreign", str(n))) for n in range(TIER.n_seeds)] * (
        TIER in datasets
    )


def measure_sets(datasets: Sequence[Dataset], root: Path) -> tuple[dict[str, Any], list[str]]:
    """Run everything that is to be known about some data sets; name also what failed."""
    tasks = [
        *(
            task
            for one in datasets
            for split in contests(one).values()
            for who in split.values()
            for task in who
        ),
        *(promise_task(one) for one in datasets if one in _PROMISED),
        *(task for one in datasets for who in small_contests(one).values() for task in who),
        *foreign_tasks(datasets),
    ]
    # All of them whatever was asked for, so that a part measured before is known to a whole run.
    files = [root / path for path in sorted({one.path for one in DATASETS})]
    results = run(tasks, [file for file in files if file.is_file()])
    sets = {one.name: _collect(one, results) for one in datasets}
    found: dict[str, Any] = {"sets": {name: one for name, one in sets.items() if one}}
    if all(task in results for task in foreign_tasks(datasets)) and TIER in datasets:
        shares = [results[task] for task in foreign_tasks(datasets)]
        found["foreign"] = {kind: [share[kind] for share in shares] for kind in shares[0]}
    return found, [str(task) for task in tasks if task not in results]


def _collect(dataset: Dataset, results: dict[Task, Any]) -> dict[str, Any]:
    """Put a set's results together; contenders that lack one are left out of a split."""
    collected: dict[str, Any] = {}
    for split, tasks in contests(dataset).items():
        whole = {
            who: [results[task] for task in ones]
            for who, ones in tasks.items()
            if all(task in results for task in ones)
        }
        if OURS not in whole:
            return {}
        collected[split] = summarise(whole)
    collected["absent"] = {who: "not installed" for who in PEERS if not is_installed(who)}
    for who, ones in small_contests(dataset).items():
        runs = [results[task] for task in ones if task in results]
        if runs:
            collected.setdefault("small", {})[who] = {
                size: [run_[size] for run_ in runs] for size in runs[0]
            }
    if promise_task(dataset) in results:
        collected["promise"] = results[promise_task(dataset)]
    return collected


def write(found: dict[str, Any], docs: Path) -> None:
    """Merge new numbers into the known ones; write those, the tables and the plots."""
    file = docs / "benchmarks" / "learning.json"
    known = json.loads(file.read_text("utf-8")) if file.is_file() else {"sets": {}}
    sets = known["sets"] | found["sets"]
    ordered = {one.name: sets[one.name] for one in DATASETS if one.name in sets}
    merged = known | found | {"sets": ordered, "libraries": _libraries()}
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(merged, indent=1)
    lists = re.sub(r"\[[^][]*\]", lambda found: " ".join(found[0].split()), text)
    file.write_text(lists + "\n", "utf-8")
    draw(ordered, docs / "plots")
    page = docs / "benchmarks.md"
    before, rest = page.read_text("utf-8").split(BEGIN)
    page.write_text(f"{before}{BEGIN}\n{render(merged)}\n{END}{rest.split(END)[1]}", "utf-8")


def _libraries() -> str:
    names = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return f"Python {platform.python_version()}, {names}"


def main() -> None:
    """Measure the sets whose name holds the argument, or all; write what was found."""
    root = data_root()
    if root is None:
        sys.exit("no data sets: set TRIAGE_DATASETS to their folder")
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    datasets = [one for one in DATASETS if only in one.name]
    if not datasets:
        sys.exit(f"no data set is called {only}; there are {[one.name for one in DATASETS]}")
    for who in PEERS:
        if not is_installed(who):
            print(f"{who} is not installed; its rows will say so", file=sys.stderr)
    found, failed = measure_sets(datasets, root)
    if not found["sets"]:
        sys.exit("nothing could be measured; what failed is told above")
    write(found, DOCS)
    if failed:
        sys.exit("written without what failed: " + "; ".join(failed))


if __name__ == "__main__":
    main()
