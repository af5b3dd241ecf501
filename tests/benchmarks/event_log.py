"""Measure `triage report --events` on the real audit log, and on the log repeated with new ids.

Run by ``python -m tests.benchmarks.event_log``. Tiers are made up from volume, because the log does
not tell them. Seconds are processor time of the whole command, memory is its highest.
"""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from tests.benchmarks.datasets import data_root

LOG = "incident_event_log/events.csv.gz"
REPEATS = (1, 8)
N_SECOND = 12
"""Groups of the second tier."""

PROBE = """
import atexit, pathlib, re, sys, time
from triage.cli import app

@atexit.register
def tell():
    status = pathlib.Path("/proc/self/status").read_text()
    print(time.process_time(), re.search(r"VmHWM:\\s+(\\d+)", status)[1], file=sys.stderr)

app()
"""
"""The command, telling what it used. Its parent's peak would be counted as its own otherwise."""


def tiers_by_volume(events: pd.DataFrame) -> dict[str, str]:
    """Give the group that held most tickets tier 1, the next `N_SECOND` tier 2, all others 3."""
    named = events[events.assignment_group != ""]
    volume = named.groupby("assignment_group").number.nunique().sort_values(ascending=False)
    return {
        str(group): "1" if rank == 0 else "2" if rank <= N_SECOND else "3"
        for rank, group in enumerate(volume.index)
    }


def tiers_file(tier_of: Mapping[str, str]) -> str:
    """Write the tiers of groups as a tiers file."""
    return "\n".join(["[tiers]", *(f'"{group}" = "{tier}"' for group, tier in tier_of.items())])


def main() -> None:
    """Print a row of the table in docs/benchmarks.md for each size."""
    root = data_root()
    if root is None:
        sys.exit("no public data sets here: name their folder in TRIAGE_DATASETS")
    events = pd.read_csv(root / LOG, dtype=str, keep_default_na=False)
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tiers.toml").write_text(tiers_file(tiers_by_volume(events)), "utf-8")
        for repeats in REPEATS:
            log = folder / f"events-{repeats}.csv"
            for number in range(repeats):
                part = events.assign(number=events.number + f"-{number}")
                part.to_csv(log, mode="a", header=not number, index=False)
            given = [
                "--events",
                log,
                "--tiers",
                folder / "tiers.toml",
                "--output",
                folder / "x.html",
            ]
            ran = subprocess.run(
                [sys.executable, "-c", PROBE, "report", *map(str, given), "--json"],
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            seconds, kilobytes = ran.stderr.split()
            n = repeats * len(events)
            print(
                f"| {n:,} | {repeats * events.number.nunique():,} "
                f"| {float(seconds):.1f} | {int(kilobytes) / 1024:.0f} |"
            )


if __name__ == "__main__":
    main()
