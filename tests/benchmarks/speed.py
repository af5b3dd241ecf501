"""Measure speed against scikit-learn's vectorisers, and what one answer costs stage by stage.

Run by ``make bench-speed``, on the sample history and, where the data sets are, on real tickets of
assignment_groups. Everything runs on one core and is measured in processor time, so that other
work on the machine counts as little as can be.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from threadpoolctl import threadpool_limits

from tests.benchmarks.datasets import TIER, data_root, load
from training.history import read_history
from training.mapping import load_mapping
from training.pipeline import run_training
from training.tickets import iter_tickets
from triage.classifier import TicketClassifier
from triage.engine import load_engine
from triage.features import TicketFeatures
from triage.prepare import prepare
from triage.taxonomy import data_folder
from triage.ticket import Ticket

REPEATS = 5
N_LABELS = 42
BATCH = 1024


def per_ticket_us(action: Callable[[], object], tickets: Sequence[Ticket]) -> float:
    """Time an action on all tickets: the best of a few runs, processor microseconds a ticket."""
    best = float("inf")
    for _ in range(REPEATS):
        started = time.process_time()
        action()
        best = min(best, time.process_time() - started)
    return best / len(tickets) * 1e6


def features_against_sklearn(tickets: Sequence[Ticket]) -> None:
    """Our features of subject, description and both, against two vectorisers of one text."""
    prepared = [prepare(ticket) for ticket in tickets]
    texts = [f"{ticket.subject}\n{ticket.description}" for ticket in prepared]
    ours = TicketFeatures().fit(prepared)
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True).fit(texts)
    letters = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 5), min_df=2, sublinear_tf=True
    ).fit(texts)
    own_us = per_ticket_us(lambda: ours.transform(prepared), tickets)
    peer_us = per_ticket_us(lambda: (words.transform(texts), letters.transform(texts)), tickets)
    print(
        f"  features: ours {own_us:.0f} us a ticket, scikit-learn's pair {peer_us:.0f} us: "
        f"{peer_us / own_us:.1f} times as fast"
    )


def labels_in_a_batch(tickets: Sequence[Ticket], labels: np.ndarray) -> None:
    """From the text as it arrived to calibrated probabilities of many labels, in batches."""
    prepared = [prepare(ticket) for ticket in tickets]
    features = TicketFeatures()
    matrix = features.fit_transform(prepared)
    model = TicketClassifier(n_folds=2).fit(matrix, labels)
    batches = [slice(begin, begin + BATCH) for begin in range(0, len(tickets), BATCH)]

    def score() -> None:
        for batch in batches:
            ready = [prepare(ticket) for ticket in tickets[batch]]
            model.predict_proba(features.analyse(ready)[0])

    whole_us = per_ticket_us(score, tickets)
    print(f"  {len(model.classes_)} labels, end to end: {whole_us:.0f} us a ticket, ", end="")
    print(f"{1e6 / whole_us:,.0f} a second")
    stages = {
        "clean and redact": lambda: [prepare(ticket) for ticket in tickets],
        "features": lambda: [features.analyse(prepared[batch]) for batch in batches],
        "probabilities": lambda: [model.predict_proba(matrix[batch]) for batch in batches],
    }
    for name, stage in stages.items():
        print(f"    {name}: {per_ticket_us(stage, tickets):.0f} us")


def whole_answers(tickets: Sequence[Ticket]) -> None:
    """Answers of the engine: one by one, and bare labels in batches."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        run_training(
            [data_folder() / "sample" / "history.csv.gz"],
            output=root / "models",
            keys=root / "keys",
            mapping="sample",
            kb=data_folder() / "kb",
        )
        started = time.process_time()
        engine = load_engine(root / "models", keys=root / "keys")
        print(f"  load and verify a bundle: {(time.process_time() - started) * 1000:.0f} ms")
    times = []
    for ticket in tickets[:500]:
        started = time.perf_counter()
        engine.suggest([ticket])
        times.append((time.perf_counter() - started) * 1000)
    p50, p99 = np.percentile(times, [50, 99])
    print(f"  one whole answer: p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    batch_us = per_ticket_us(lambda: engine.classify(tickets), tickets)
    print(f"  labels and decisions in one batch: {batch_us:.0f} us, {1e6 / batch_us:,.0f} a second")


def made_up_labels(tickets: Sequence[Ticket]) -> np.ndarray:
    """Label tickets so that there are many labels; what they mean costs no time."""
    return np.array([f"label {len(t.subject) % N_LABELS}" for t in tickets], dtype=object)


def commonest(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Keep the tickets of the commonest labels."""
    counts = frame[column].value_counts()
    return frame[frame[column].isin(counts.index[:N_LABELS])]


def main() -> None:
    """Measure on the sample history, then on real tickets where there are any."""
    read = read_history([data_folder() / "sample" / "history.csv.gz"], load_mapping("sample"))
    tickets = list(iter_tickets(read.frame))
    with threadpool_limits(1):
        print("sample history")
        features_against_sklearn(tickets)
        labels_in_a_batch(tickets, made_up_labels(tickets))
        whole_answers(tickets)
        root = data_root()
        if root is None:
            print("assignment_groups: not measured, set TRIAGE_DATASETS to the data sets' folder")
            return
        print("assignment_groups")
        frame = commonest(load(TIER, root), "assignment_group")
        tickets = list(iter_tickets(frame))
        features_against_sklearn(tickets)
        labels_in_a_batch(tickets, frame["assignment_group"].to_numpy(dtype=object))


if __name__ == "__main__":
    main()
