"""Ours and the peers behind one function: learn from a frame, give probabilities of another."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from tests.benchmarks.datasets import texts_of
from tests.benchmarks.peers import PEERS, Fitted
from training.evaluate import truth_of
from training.fit import Learned, fit_model
from training.tickets import in_canonical_order, iter_tickets
from triage.prepare import prepare_all
from triage.taxonomy import load_taxonomy

OURS = "ours"

Contender = tuple[list[str], Callable[[pd.DataFrame], np.ndarray]]
"""Labels, and a function from a frame to probabilities of shape (n_tickets, n_labels)."""


def fit_ours(frame: pd.DataFrame, *, key: bytes = b"") -> Learned:
    """Learn as ``triage train`` does, in one process like the peers."""
    return fit_model(in_canonical_order(frame), taxonomy=load_taxonomy(), key=key, n_jobs=1)


def contend(who: str, train: pd.DataFrame, target: str) -> Contender:
    """Fit a contender by its name."""
    return CONTENDERS[who](train, target)


def _ours(train: pd.DataFrame, target: str) -> Contender:
    model = fit_ours(train).model
    head = model.heads[target]

    def probabilities(frame: pd.DataFrame) -> np.ndarray:
        prepared = prepare_all(list(iter_tickets(frame)))
        return head.classifier.predict_proba(model.features.transform(prepared))

    return head.labels, probabilities


def _peer(fit: Callable[..., Fitted], train: pd.DataFrame, target: str) -> Contender:
    labels, probabilities = fit(texts_of(train), truth_of(train, target).astype(str))
    return [str(label) for label in labels], lambda frame: probabilities(texts_of(frame))


CONTENDERS: dict[str, Callable[[pd.DataFrame, str], Contender]] = {
    OURS: _ours,
    **{name: partial(_peer, fit) for name, fit in PEERS.items()},
}
