"""The public data sets as canonical frames, under the protocol of their README."""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from training.history import read_history
from training.mapping import parse_mapping

MIN_CLASS = 10


@dataclass(frozen=True, slots=True)
class Dataset:
    """One target of one data set: where it lies and how its columns are called."""

    name: str
    path: str
    target: str
    mapping: str


DATASETS = (
    Dataset(
        "assignment_groups, tier",
        "assignment_groups/incidents.csv",
        "tier",
        """
        [columns]
        id = "number"
        created_at = "Opened (approximate)"
        subject = "Short description"
        description = "Description"
        assignment_group = "Assignment group"
        [fields]
        caller = "Caller"
        [tiers]
        GRP_0 = "1"
        GRP_8 = "1"
        "*" = "3"
        """,
    ),
    Dataset(
        "endava, category",
        "endava/tickets.csv",
        "category",
        """
        [columns]
        subject = "title"
        description = "body"
        category = "category"
        """,
    ),
    Dataset(
        "multilingual, queue",
        "multilingual/tickets.csv",
        "category",
        """
        [columns]
        subject = "subject"
        description = "body"
        category = "queue"
        """,
    ),
)


def data_root() -> Path | None:
    """Find the data sets: TRIAGE_DATASETS, or shared/datasets beside the repository."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "datasets"
    root = Path(os.environ.get("TRIAGE_DATASETS", beside))
    return root if root.is_dir() else None


def load(dataset: Dataset, root: Path) -> pd.DataFrame:
    """Read a data set; drop duplicate texts and classes of fewer than ten tickets."""
    mapping = parse_mapping(_dedent(dataset.mapping), dataset.name)
    frame = read_history([root / dataset.path], mapping).frame
    text = (frame["subject"] + " " + frame["description"]).str.lower()
    key = text.str.replace(r"[^\w]+", " ", regex=True).str.strip()
    frame = frame[~key.duplicated() & (key != "")]
    counts = frame[dataset.target].value_counts()
    kept = frame[dataset.target].isin(counts[counts >= MIN_CLASS].index)
    return frame[kept].reset_index(drop=True)


def random_split(frame: pd.DataFrame, target: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split 80/20, stratified by the target."""
    rows = np.arange(len(frame))
    train, test = train_test_split(rows, test_size=0.2, random_state=seed, stratify=frame[target])
    return train, test


def time_split(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Split into the older 75% and the newer 25%."""
    order = np.argsort(frame["created_at"].to_numpy(), kind="stable")
    cut = round(len(order) * 0.75)
    return order[:cut], order[cut:]


def _dedent(text: str) -> str:
    dedented = "\n".join(line.strip() for line in text.splitlines())
    tomllib.loads(dedented)
    return dedented
