"""The search for settings: what it finds, what it leaves alone, and that it ends in time."""

import time
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from training.search import Search, column_weights, search_settings
from triage.classifier import TicketClassifier
from triage.features import TicketFeatures
from triage.linear import LinearSettings
from triage.ngrams import FIRST_WORD_BUCKET
from triage.ticket import Ticket

N_TICKETS = 400
N_WORDS = 20


def tickets_told_by_subject() -> tuple[list[Ticket], npt.NDArray[np.object_]]:
    """Labels that the subject tells, under descriptions full of other labels' words."""
    chance = np.random.default_rng(0)
    letters = chance.choice(list("abcdefghijklmnopqrstuvwxyz"), size=(4 * N_WORDS, 6))
    words = np.array(["".join(word) for word in letters])
    labels = np.arange(N_TICKETS) % 4
    tickets = []
    for label in labels:
        subject = words[label * N_WORDS + chance.integers(N_WORDS)]
        noise = " ".join(chance.choice(words, size=60))
        tickets.append(Ticket(subject=str(subject), description=noise))
    return tickets, np.array([f"label {label}" for label in labels], dtype=object)


def searched(budget_s: float, labels: npt.NDArray[np.object_] | None = None) -> Search:
    tickets, truth = tickets_told_by_subject()
    features = TicketFeatures()
    matrix = features.fit_transform(tickets)
    return search_settings(
        matrix,
        truth if labels is None else labels,
        np.arange(len(tickets)),
        features,
        budget_s=budget_s,
        seed=0,
        n_jobs=1,
        on_step=lambda done, total: None,
    )


def test_labels_that_mean_nothing_keep_the_defaults() -> None:
    labels = np.random.default_rng(3).permutation(np.arange(N_TICKETS) % 4).astype(str)

    found = searched(4.0, labels.astype(object))

    assert not found.is_used
    assert found.settings == LinearSettings()


def test_gain_within_chance_keeps_the_defaults() -> None:
    better = LinearSettings(C=3.0)

    assert Search(better, 0.01, 0.006, 9, 1.0).settings == LinearSettings()
    assert Search(better, 0.01, 0.004, 9, 1.0).settings == better


def test_search_ends_about_when_its_budget_does() -> None:
    started = time.monotonic()

    found = searched(3.0)

    # One trial and the last comparison may be under way when the time is up.
    assert time.monotonic() - started < 3.0 + 20
    assert found.n_tried >= 2


def test_progress_ends_with_the_last_trial() -> None:
    tickets, truth = tickets_told_by_subject()
    features = TicketFeatures()
    matrix = features.fit_transform(tickets)
    steps: list[tuple[int, int]] = []

    search_settings(
        matrix,
        truth,
        np.arange(len(tickets)),
        features,
        budget_s=2.0,
        seed=0,
        n_jobs=1,
        on_step=lambda done, total: steps.append((done, total)),
    )

    assert steps[-1][0] == steps[-1][1]
    assert all(done <= total for done, total in steps)


def test_defaults_weigh_no_column() -> None:
    features = TicketFeatures().fit(tickets_told_by_subject()[0])

    assert column_weights(features, LinearSettings(), features.n_features_out_) is None


@pytest.mark.parametrize("name", ["characters", "words", "fields"])
def test_each_kind_of_column_has_its_weight(name: str) -> None:
    tickets, _ = tickets_told_by_subject()
    named = [replace(one, fields={"site": f"s{i % 3}"}) for i, one in enumerate(tickets)]
    features = TicketFeatures(("site",)).fit(named)
    n_text = len(features.buckets_)

    weights = column_weights(features, LinearSettings(**{name: 2.0}), features.n_features_out_ + 1)

    assert weights is not None
    is_word = features.buckets_ & FIRST_WORD_BUCKET > 0
    of_kind = {"characters": ~is_word, "words": is_word, "fields": np.zeros(n_text, bool)}[name]
    np.testing.assert_array_equal(weights[:n_text] == 2, of_kind)
    assert (weights[n_text:-1] == (2 if name == "fields" else 1)).all()
    assert weights[-1] == 1  # not of the features


def test_weight_on_what_tells_the_label_makes_a_better_head() -> None:
    tickets, truth = tickets_told_by_subject()
    features = TicketFeatures()
    matrix = features.fit_transform(tickets[:150])
    settings = LinearSettings(subject=3.0, whole=0.0)
    weights = column_weights(features, settings, matrix.shape[1])
    new = features.transform(tickets[150:])

    plain = TicketClassifier().fit(matrix, truth[:150])
    weighed = TicketClassifier(settings=settings).fit(matrix, truth[:150], column_weights=weights)

    shares = [float((one.predict(new) == truth[150:]).mean()) for one in (plain, weighed)]
    assert shares[1] > shares[0] + 0.02
