"""Labels that have nothing to do with the texts: what is learned from them must be worth nothing.

A model that scores above the majority there has seen its answers.
"""

import numpy as np
import pandas as pd
import pytest

from training.fit import Learned, fit_model
from training.history import read_history
from training.mapping import load_mapping
from training.tickets import in_canonical_order
from triage.taxonomy import data_folder, load_taxonomy

N_TICKETS = 1200


@pytest.fixture(scope="module")
def sample() -> pd.DataFrame:
    """The newest tickets of the sample, with their tiers alone."""
    file = data_folder() / "sample" / "history.csv.gz"
    frame = read_history([file], load_mapping("sample")).frame
    return in_canonical_order(frame.assign(category=None)).tail(N_TICKETS).reset_index(drop=True)


@pytest.fixture(scope="module")
def shuffled(sample: pd.DataFrame) -> Learned:
    tiers = np.random.default_rng(0).permutation(sample["tier"].to_numpy(dtype=object))
    mixed = sample.assign(tier=pd.array(tiers, dtype=sample["tier"].dtype))
    return fit_model(mixed, taxonomy=load_taxonomy(), n_jobs=1)


def majority_and_its_chance(sample: pd.DataFrame, n: int) -> tuple[float, float]:
    """Give the majority's share, and three standard errors of a share of ``n`` tickets."""
    share = float(sample["tier"].value_counts(normalize=True).iloc[0])
    return share, 3 * (share * (1 - share) / n) ** 0.5


@pytest.mark.parametrize("part", ["out_of_fold", "newest"])
def test_shuffled_labels_score_no_better_than_the_majority(
    sample: pd.DataFrame, shuffled: Learned, part: str
) -> None:
    metrics = shuffled.metrics["tier"][part]

    share, chance = majority_and_its_chance(sample, metrics["n"])
    assert metrics["accuracy"] <= share + chance


def test_true_labels_of_the_same_tickets_score_far_better(sample: pd.DataFrame) -> None:
    learned = fit_model(sample, taxonomy=load_taxonomy(), n_jobs=1)

    metrics = learned.metrics["tier"]["out_of_fold"]
    share, chance = majority_and_its_chance(sample, metrics["n"])
    assert metrics["accuracy"] > share + 2 * chance


def test_nothing_is_routed_on_shuffled_labels(shuffled: Learned) -> None:
    model = shuffled.model

    assert set(model.heads["tier"].thresholds.values()) == {None}
    assert model.joint is not None
    assert model.joint.threshold is None


def test_confidence_in_shuffled_labels_is_no_higher_than_their_shares(
    sample: pd.DataFrame, shuffled: Learned
) -> None:
    probabilities, is_checked = shuffled.out_of_fold["tier"]

    share, chance = majority_and_its_chance(sample, int(is_checked.sum()))
    assert probabilities.max(axis=1)[is_checked].mean() <= share + chance
