"""Measure speed against scikit-learn's vectorisers, and what one answer costs stage by stage.

Run by ``make bench-speed``. Uses the sample history, so that it runs anywhere.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from training.history import read_history
from training.mapping import load_mapping
from training.pipeline import run_training
from training.tickets import iter_tickets
from triage.engine import load_engine
from triage.features import TicketFeatures
from triage.prepare import prepare
from triage.taxonomy import data_folder
from triage.ticket import Ticket

REPEATS = 5


def per_ticket_us(action: Callable[[], object], tickets: Sequence[Ticket]) -> float:
    """Time an action on all tickets: the best of a few runs, microseconds a ticket."""
    best = float("inf")
    for _ in range(REPEATS):
        started = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - started)
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
        f"features: ours {own_us:.0f} us a ticket, scikit-learn's pair {peer_us:.0f} us: ", end=""
    )
    print(f"{peer_us / own_us:.1f} times as fast")
    print(f"clean and redact: {per_ticket_us(lambda: list(map(prepare, tickets)), tickets):.0f} us")


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
        started = time.perf_counter()
        engine = load_engine(root / "models", keys=root / "keys")
        print(f"load and verify a bundle: {(time.perf_counter() - started) * 1000:.0f} ms")
    times = []
    for ticket in tickets[:500]:
        started = time.perf_counter()
        engine.suggest([ticket])
        times.append((time.perf_counter() - started) * 1000)
    p50, p99 = np.percentile(times, [50, 99])
    print(f"one whole answer: p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    batch_us = per_ticket_us(lambda: engine.classify(tickets), tickets)
    print(f"labels in one batch: {batch_us:.0f} us a ticket, {1e6 / batch_us:,.0f} a second")


def main() -> None:
    """Measure on the sample history."""
    read = read_history([data_folder() / "sample" / "history.csv.gz"], load_mapping("sample"))
    tickets = list(iter_tickets(read.frame))
    features_against_sklearn(tickets)
    whole_answers(tickets)


if __name__ == "__main__":
    main()
