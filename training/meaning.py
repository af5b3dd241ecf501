"""Whether reading what texts mean pays: a history's vectors, and the choice for each target."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from training.tickets import iter_tickets
from triage.classifier import TicketClassifier
from triage.errors import HistoryError
from triage.meaning import MEANING_TOKENS, as_block, meaning_text
from triage.prepare import prepare_all
from triage.semantic import DIMENSIONS, MODEL_SHA256, load_encoder

OnStep = Callable[[str, int, int], None]

Vector = npt.NDArray[np.float32]

_RESAMPLES = 200
_KEY_BYTES = 16
_ROW = np.dtype([("key", f"V{_KEY_BYTES}"), ("vector", np.float32, (DIMENSIONS,))])
_PART = 64  # texts; about a second's work


@dataclass(frozen=True, slots=True)
class MeaningChoice:
    """Whether a head reads what texts mean, and why.

    Of ``n`` tickets that neither model had seen, on the same folds and one of near twins alone:
    ``accuracy`` is the accuracy with it less that without it, ``macro_f1`` the same of macro-F1,
    and ``chance`` the standard error of the mean of both.
    """

    accuracy: float
    macro_f1: float
    chance: float
    n: int

    @property
    def gain(self) -> float:
        """Give what it adds to the mean of accuracy and macro-F1, as `training.search` does."""
        return (self.accuracy + self.macro_f1) / 2

    @property
    def is_used(self) -> bool:
        """Tell whether the gain is beyond chance: each answer will take milliseconds longer."""
        return self.gain > 2 * self.chance

    def sentence(self, target: str) -> str:
        """Say it in one line."""
        decided = "is read" if self.is_used else "is not read, for the gain may be chance"
        return (
            f"{target}: what texts mean {decided}: {100 * self.accuracy:+.1f} points of accuracy, "
            f"{100 * self.macro_f1:+.1f} of macro-F1 (standard error of their mean "
            f"{100 * self.chance:.1f}; {self.n:,} tickets, cross-validated)"
        )

    def to_dict(self) -> dict[str, Any]:
        """Turn it into plain data, ready for JSON."""
        return {
            "is_used": self.is_used,
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "standard_error": self.chance,
            "n": self.n,
        }


def choose_meaning(
    without: TicketClassifier,
    reading: TicketClassifier,
    truth: npt.NDArray[np.object_],
    clusters: npt.NDArray[np.int64],
    seed: int,
) -> MeaningChoice:
    """Compare two classifiers of the same tickets, folds and seed, out of fold.

    Parameters
    ----------
    without, reading : fitted without and with the meaning of the texts
    truth : label of each ticket
    clusters : cluster of near twins of each ticket
    seed : of the resamples that tell what chance can do
    """
    _, first = np.unique(clusters, return_index=True)
    asked = first[without.is_checked_[first] & reading.is_checked_[first]]
    labels, right = np.unique(truth[asked].astype(str), return_inverse=True)
    before, after = (
        pd.Index(labels).get_indexer(one.classes_[one.out_of_fold_[asked].argmax(axis=1)])
        for one in (without, reading)
    )
    gain = _quality(right, after) - _quality(right, before)
    chance = np.random.default_rng(seed)
    gains = []
    for _ in range(_RESAMPLES):
        drawn = chance.integers(len(asked), size=len(asked))
        found = _quality(right[drawn], after[drawn]) - _quality(right[drawn], before[drawn])
        gains.append(found.mean())
    return MeaningChoice(float(gain[0]), float(gain[1]), float(np.std(gains)), len(asked))


def _quality(
    right: npt.NDArray[np.int64], answered: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Give accuracy and macro-F1 of labels by number; -1 is one that none of the tickets has."""
    hits = right == answered
    n_labels = int(right.max()) + 1
    found = np.bincount(right[hits], minlength=n_labels)
    size = np.bincount(right, minlength=n_labels)
    told = np.bincount(answered[(answered >= 0) & (answered < n_labels)], minlength=n_labels)
    f1 = 2 * found / np.maximum(size + told, 1)
    return np.array([hits.mean(), f1[size > 0].mean()])


def read_meaning(
    frame: pd.DataFrame, cache: Path | None, n_jobs: int, report: OnStep
) -> sp.csr_matrix:
    """Read what the texts of a history mean, those of an earlier training from the cache.

    Parameters
    ----------
    frame : canonical history
    cache : folder for vectors; it holds those of this history's texts alone, as erasing wants it
    n_jobs : threads, -1 for one a core; the result is the same for any number

    Returns
    -------
    csr_matrix of shape (n_tickets, DIMENSIONS), see `triage.meaning.as_block`

    Raises
    ------
    ConfigurationError : the extra is missing, or its files are not those this was made for
    HistoryError : the cache cannot be used
    """
    report("cleaning the texts", 0, 1)
    texts = [meaning_text(ticket) for ticket in prepare_all(list(iter_tickets(frame)))]
    distinct = list(dict.fromkeys(texts))
    known = _load(cache)
    missing = [text for text in distinct if _key(text) not in known]
    known |= zip(map(_key, missing), _encode(missing, n_jobs, report), strict=True)
    vector_of = {text: known[_key(text)] for text in distinct}
    _save(cache, {_key(text): vector for text, vector in vector_of.items()})
    return as_block(np.array([vector_of[text] for text in texts], dtype=np.float32))


def _encode(texts: Sequence[str], n_jobs: int, report: OnStep) -> npt.NDArray[np.float32]:
    """Encode texts in threads, and tell how far it is."""
    encoder, encoded, done = load_encoder(), [np.empty((0, DIMENSIONS), dtype=np.float32)], 0
    parts = [texts[begin : begin + _PART] for begin in range(0, len(texts), _PART)]
    run = joblib.Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
    report("reading what they mean", done, len(texts))
    for vectors in run(joblib.delayed(encoder.encode)(part, MEANING_TOKENS) for part in parts):
        encoded.append(vectors)
        done += len(vectors)
        report("reading what they mean", done, len(texts))
    return np.concatenate(encoded)


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=_KEY_BYTES).digest()


def _file(cache: Path) -> Path:
    """Name the file of vectors by all that decides them beside the text."""
    return cache / f"meaning-{MODEL_SHA256[:12]}-{MEANING_TOKENS}.npy"


def _load(cache: Path | None) -> dict[bytes, Vector]:
    if cache is None or not _file(cache).exists():
        return {}
    try:
        rows = np.load(_file(cache), allow_pickle=False)
        return dict(zip(rows["key"].tolist(), rows["vector"], strict=True))
    except (OSError, ValueError, IndexError, EOFError) as error:
        raise HistoryError(
            f"the cache {cache.parent.name}/{cache.name} is damaged; delete it"
        ) from error


def _save(cache: Path | None, vectors: Mapping[bytes, Vector]) -> None:
    if cache is None:
        return
    rows = np.array(list(vectors.items()), dtype=_ROW)
    partial = _file(cache).with_suffix(f".{os.getpid()}.partial")
    try:
        cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        with partial.open("wb") as file:
            np.save(file, rows, allow_pickle=False)
        partial.replace(_file(cache))
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise HistoryError(
            f"the cache {cache.parent.name}/{cache.name} cannot be used: {error.strerror}; "
            "delete it or make room"
        ) from error
