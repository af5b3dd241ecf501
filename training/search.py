"""Search for better settings of a head within a time budget, inside the history it learns from."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.metrics import f1_score

from triage.classifier import MIN_TICKETS, deal_folds, score_held_out
from triage.features import BLOCKS, TicketFeatures
from triage.linear import LinearSettings
from triage.ngrams import FIRST_WORD_BUCKET, N_BUCKETS

IndexArray = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float32]
OnStep = Callable[[str, int, int], None]

_CHOICES: dict[str, tuple[float, ...]] = {
    "C": (0.3, 1.0, 3.0),
    "balance": (0.0, 0.25, 0.5, 0.75),
    "characters": (0.0, 0.7, 1.0, 1.4),
    "words": (0.0, 0.7, 1.0, 1.4),
    "subject": (0.7, 1.0, 1.5),
    "description": (0.7, 1.0, 1.5),
    "whole": (0.0, 1.0, 1.5),
    "fields": (0.5, 1.0, 2.0),
}
_SHARES = (0.25, 0.5, 1.0)  # of the tickets, rung by rung; a third of the settings goes on
_FOLDS = 3
_MOST = 81
_RESAMPLES = 200


@dataclass(frozen=True, slots=True)
class Search:
    """What a search found for one target.

    ``gain`` is what the best settings found add to the mean of accuracy and macro-F1, on other
    folds than those they were chosen on, and ``chance`` the standard error of that; they replace
    the defaults when the gain is beyond chance (twice the error). The tickets are the same, only
    dealt anew, so that the gain, and what is cross-validated with these settings, still flatters
    the winner of many; what is asked of the newest tickets does not.
    """

    best: LinearSettings
    gain: float
    chance: float
    n_tried: int
    seconds: float

    @property
    def is_used(self) -> bool:
        return self.gain > 2 * self.chance

    @property
    def settings(self) -> LinearSettings:
        """Give the settings to learn with."""
        return self.best if self.is_used else LinearSettings()

    def sentence(self, target: str) -> str:
        """Say it in one line."""
        decided = "the best are used" if self.is_used else "the defaults stay, for that is chance"
        return (
            f"{target}: {self.n_tried} settings tried in {self.seconds:.0f} s; {decided}: "
            f"{100 * self.gain:+.1f} points of accuracy and macro-F1 (standard error "
            f"{100 * self.chance:.1f})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Turn it into plain data, ready for JSON."""
        return {
            "is_used": self.is_used,
            "best": asdict(self.best),
            "gain": self.gain,
            "standard_error": self.chance,
            "tried": self.n_tried,
            "seconds": round(self.seconds, 1),
        }


def search_settings(
    X: sp.csr_matrix,
    truth: npt.NDArray[np.object_],
    clusters: IndexArray,
    features: TicketFeatures,
    *,
    budget_s: float,
    seed: int,
    n_jobs: int,
    on_step: Callable[[int, int], None],
) -> Search:
    """Look for better settings by successive halving, for about ``budget_s`` seconds.

    Random settings are tried on a quarter of the tickets; the better third goes on to half of
    them, and a third of those to all. Only what the head learns from is looked at.

    Parameters
    ----------
    X : csr_matrix of shape (n_tickets, n_features)
    truth : ndarray of shape (n_tickets,), str
    clusters : cluster of near twins of each ticket; none is split between folds
    on_step : told how many of how many trials are done

    Notes
    -----
    Jamieson & Talwalkar, Non-stochastic Best Arm Identification, 2016. The number of settings
    follows from how long the defaults take, so that the outcome depends on the machine: it is kept
    in the bundle, and ``triage train --settings-of`` learns with it again.
    """
    began = time.monotonic()
    labels, counts = np.unique(truth.astype(str), return_counts=True)
    known = np.flatnonzero(np.isin(truth.astype(str), labels[counts >= MIN_TICKETS]))
    _, index = np.unique(truth[known].astype(str), return_inverse=True)
    desk = _Desk(X[known], index, clusters[known], features, n_jobs)

    chance = np.random.default_rng(seed)
    everyone: list[LinearSettings] = [LinearSettings()]
    rung = desk.sample(_SHARES[0], seed)
    started = time.monotonic()
    quality = {everyone[0]: desk.quality(everyone[0], rung, seed)}
    one_s = max(time.monotonic() - started, 1e-3)
    # A rung costs as much as the one before, for a third of the settings on twice the tickets
    # costs two thirds; the last check costs two fits of the whole.
    n_first = int(np.clip((budget_s - 10 * one_s) / (2.1 * one_s), 2, _MOST))
    everyone += [_draw(chance) for _ in range(n_first - 1)]
    n_steps = sum(max(n_first // 3**level, 1) for level in range(len(_SHARES)))
    done, n_tried = 1, 1
    for level, share in enumerate(_SHARES):
        if level:
            rung = desk.sample(share, seed)
            quality = {}
        for settings in everyone:
            if settings in quality:
                continue
            if time.monotonic() - began > budget_s and quality:
                break
            quality[settings] = desk.quality(settings, rung, seed)
            done, n_tried = done + 1, n_tried + (level == 0)
            on_step(min(done, n_steps), n_steps)
        ranked = sorted(quality, key=lambda one: -quality[one])
        everyone = ranked[: max(len(ranked) // 3, 1)]
    best = everyone[0]
    on_step(n_steps, n_steps)
    if best == LinearSettings():
        return Search(best, 0.0, 0.0, n_tried, time.monotonic() - began)
    gain, error = desk.compare(best, LinearSettings(), (seed + 1) % 2**32)
    return Search(best, gain, error, n_tried, time.monotonic() - began)


def column_weights(
    features: TicketFeatures, settings: LinearSettings, n_columns: int
) -> Weights | None:
    """Turn the settings' weights of kinds of columns into one for each; None when all are 1.

    Columns that the features do not make (beyond ``features.n_features_out_``) keep weight 1.
    """
    by_block = np.array([getattr(settings, name) for name in BLOCKS])
    blocks, rest = np.divmod(features.buckets_.astype(np.int64), N_BUCKETS)
    kinds = np.where(rest >= FIRST_WORD_BUCKET, settings.words, settings.characters)
    weights = np.ones(n_columns, dtype=np.float32)
    n_text = len(blocks)
    weights[:n_text] = by_block[blocks] * kinds
    weights[n_text : features.n_features_out_] = settings.fields
    return None if (weights == 1).all() else weights


def _draw(chance: np.random.Generator) -> LinearSettings:
    """Change about a third of the defaults at random."""
    drawn = {
        name: float(chance.choice(values))
        for name, values in _CHOICES.items()
        if chance.random() < 1 / 3
    }
    settings = replace(LinearSettings(), **drawn)
    is_empty = settings.words == 0 and settings.characters == 0
    return replace(settings, words=1.0) if is_empty else settings


@dataclass(frozen=True, slots=True)
class _Desk:
    """The tickets a search may look at."""

    X: sp.csr_matrix
    truth: IndexArray
    clusters: IndexArray
    features: TicketFeatures
    n_jobs: int

    def sample(self, share: float, seed: int) -> IndexArray:
        """Draw whole clusters of twins, each label in proportion."""
        parts = round(1 / share)
        dealt = deal_folds(self.truth, self.clusters, parts, seed)
        return np.flatnonzero(dealt == 0) if parts > 1 else np.arange(len(self.truth))

    def quality(self, settings: LinearSettings, rows: IndexArray, seed: int) -> float:
        predicted = self._predict(settings, rows, seed)
        return _quality(self.truth[rows], predicted)

    def compare(
        self, settings: LinearSettings, other: LinearSettings, seed: int
    ) -> tuple[float, float]:
        """Compare two settings on all tickets: the gain of the first, and its standard error."""
        rows = np.arange(len(self.truth))
        first, second = (self._predict(one, rows, seed) for one in (settings, other))
        chance = np.random.default_rng(seed)
        gains = []
        _, member_of = np.unique(self.clusters, return_inverse=True)
        members = np.split(np.argsort(member_of, kind="stable"), np.cumsum(np.bincount(member_of)))
        n_clusters = len(members) - 1
        for _ in range(_RESAMPLES):
            # Whole clusters of twins: they are right or wrong together.
            chosen = chance.integers(n_clusters, size=n_clusters)
            drawn = np.concatenate([members[cluster] for cluster in chosen])
            truth = self.truth[drawn]
            gains.append(_quality(truth, first[drawn]) - _quality(truth, second[drawn]))
        gain = _quality(self.truth, first) - _quality(self.truth, second)
        return gain, float(np.std(gains))

    def _predict(self, settings: LinearSettings, rows: IndexArray, seed: int) -> IndexArray:
        X, truth = self.X[rows], self.truth[rows]
        weights = column_weights(self.features, settings, X.shape[1])
        folds = deal_folds(truth, self.clusters[rows], _FOLDS, seed)
        n_labels = int(self.truth.max()) + 1
        scores: Sequence[npt.NDArray[np.float64]] = joblib.Parallel(n_jobs=self.n_jobs)(
            joblib.delayed(score_held_out)(
                X, truth, folds == fold, n_labels, settings, seed, weights
            )
            for fold in range(_FOLDS)
        )
        predicted = np.empty(len(rows), dtype=np.int64)
        for fold, found in enumerate(scores):
            predicted[folds == fold] = found.argmax(axis=1)
        return predicted


def _quality(truth: IndexArray, predicted: IndexArray) -> float:
    macro_f1 = f1_score(truth, predicted, average="macro", zero_division=0.0)
    return float(np.mean(truth == predicted) + macro_f1) / 2
