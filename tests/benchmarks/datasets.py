"""The public data sets as canonical frames, under the protocol of their README."""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from training.canonical import FIELD
from training.history import read_history
from training.mapping import parse_mapping

MIN_CLASS = 10

_INCIDENTS = """
[columns]
id = "number"
created_at = "Opened (approximate)"
subject = "Short description"
description = "Description"
"""
_CALLER = """
[fields]
caller = "Caller"
"""


@dataclass(frozen=True, slots=True)
class Dataset:
    """One target of one data set: where it lies and how its columns are called.

    ``kept`` names a column, mapped as a field of that name, and the values whose tickets are
    taken: it tells parts of the data set apart and is no feature.
    """

    name: str
    path: str
    target: str
    mapping: str
    n_seeds: int = 5
    kept: tuple[str, tuple[str, ...]] | None = None

    def columns(self, canonical: str) -> str | None:
        """Name the column of the export that a canonical one is read from."""
        found = tomllib.loads(self.mapping)["columns"].get(canonical)
        return None if found is None else str(found)


def _texts_only(subject: str, description: str | None, label: str, part: str = "") -> str:
    """Write the mapping of an export that has texts and one label, and maybe a column of parts."""
    lines = ["[columns]", f'subject = "{subject}"', f'category = "{label}"']
    if description:
        lines.insert(2, f'description = "{description}"')
    return "\n".join([*lines, *(["[fields]", f'{part} = "{part}"'] if part else [])])


TIER = Dataset(
    "assignment_groups, tier",
    "assignment_groups/incidents.csv",
    "tier",
    f'{_INCIDENTS}assignment_group = "Assignment group"\n{_CALLER}'
    '[tiers]\nGRP_0 = "1"\nGRP_8 = "1"\n"*" = "3"\n',
)
GROUPS = Dataset(
    "assignment_groups, groups",
    "assignment_groups/incidents.csv",
    "category",
    f'{_INCIDENTS}category = "Assignment group"\n{_CALLER}',
)
ENDAVA = Dataset(
    "endava, category",
    "endava/tickets.csv",
    "category",
    _texts_only("title", "body", "category"),
)
SERVICES = Dataset(
    "endava, business service",
    "endava/tickets.csv",
    "category",
    _texts_only("title", "body", "business_service"),
)
MULTILINGUAL = Dataset(
    "multilingual, queue",
    "multilingual/tickets.csv",
    "category",
    _texts_only("subject", "body", "queue"),
)
CLINC = Dataset(
    "clinc_oos, intent",
    "clinc_oos/utterances.csv",
    "category",
    _texts_only("text", None, "intent", part="split"),
    kept=("split", ("train", "val", "test")),
)
ASKUBUNTU = Dataset(
    "askubuntu_intents, ubuntu",
    "askubuntu_intents/questions.csv",
    "category",
    _texts_only("text", None, "intent", part="corpus"),
    n_seeds=10,  # of so few tickets, five test parts tell next to nothing
    kept=("corpus", ("AskUbuntuCorpus",)),
)
WEBAPPS = Dataset(
    "askubuntu_intents, web applications",
    "askubuntu_intents/questions.csv",
    "category",
    _texts_only("text", None, "intent", part="corpus"),
    n_seeds=10,  # of so few tickets, five test parts tell next to nothing
    kept=("corpus", ("WebApplicationsCorpus",)),
)
DATASETS = (TIER, GROUPS, ENDAVA, SERVICES, MULTILINGUAL, CLINC, ASKUBUNTU, WEBAPPS)
"""The sets with texts and labels, in the order of the tables."""


def data_root() -> Path | None:
    """Find the data sets: TRIAGE_DATASETS, or shared/datasets beside the repository."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "datasets"
    root = Path(os.environ.get("TRIAGE_DATASETS", beside))
    return root if root.is_dir() else None


def load(dataset: Dataset, root: Path) -> pd.DataFrame:
    """Read a data set; drop duplicate texts and classes of fewer than ten tickets."""
    mapping = parse_mapping(dataset.mapping, dataset.name)
    frame = read_history([root / dataset.path], mapping).frame
    if dataset.kept:
        column, values = f"{FIELD}{dataset.kept[0]}", dataset.kept[1]
        frame = frame[frame[column].isin(values)].drop(columns=column)
    text = (frame["subject"].fillna("") + " " + frame["description"].fillna("")).str.lower()
    key = text.str.replace(r"[^\w]+", " ", regex=True).str.strip()
    frame = frame[~key.duplicated() & (key != "")]
    counts = frame[dataset.target].value_counts()
    kept = frame[dataset.target].isin(counts[counts >= MIN_CLASS].index)
    return frame[kept].reset_index(drop=True)


def utterances_of_no_intent(root: Path, split: str = "oos_") -> list[str]:
    """Read the utterances that lie outside every intent of clinc_oos: text about anything.

    Parameters
    ----------
    split : how the name of their part begins; ways to tell foreign text were chosen by
        ``oos_train`` and ``oos_val``
    """
    table = pd.read_csv(root / CLINC.path, dtype=str, keep_default_na=False)
    return table.loc[table["split"].str.startswith(split), "text"].tolist()


def texts_of(frame: pd.DataFrame) -> list[str]:
    """Join subject and description, raw as they were written."""
    joined = frame["subject"].fillna("") + "\n" + frame["description"].fillna("")
    return [text.strip() for text in joined]


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
