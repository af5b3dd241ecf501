"""What ours promises, put to the test: precision of what is routed, and text from elsewhere.

Run by `make bench`; by hand ``python -m tests.benchmarks.guarantees promise SET`` or
``… foreign SEED``. Prints JSON.
"""

import json
import string
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tests.benchmarks.compare import named, parts_of
from tests.benchmarks.contenders import fit_ours
from tests.benchmarks.datasets import TIER, Dataset, data_root, load, utterances_of_no_intent
from training.evaluate import truth_of
from training.tickets import in_canonical_order, iter_tickets
from triage.bundle import save_bundle
from triage.confidence import label_thresholds, precision_threshold
from triage.engine import TriageEngine, load_engine
from triage.signing import field_key
from triage.ticket import Ticket

TARGETS = (0.9, 0.95)
RESAMPLES = 100

Rule = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""From predicted label, confidence and correctness of some tickets: the confidence that each
label needs to be routed, infinite where it never is."""


def promise(dataset: Dataset, root: Path) -> dict[str, object]:
    """Set thresholds on one random half of the tickets, look at what they route of the other.

    The confidences are those out of fold of one fit on all tickets: each from a model that had
    seen neither the ticket nor its near twins.
    """
    frame = in_canonical_order(load(dataset, root))
    learned = fit_ours(frame)
    probabilities, is_checked = learned.out_of_fold[dataset.target]
    labels = learned.model.heads[dataset.target].labels
    truth = truth_of(frame, dataset.target).astype(str)
    predicted = probabilities.argmax(axis=1)
    correct = np.array(labels, dtype=str)[predicted] == truth
    kept = predicted[is_checked], probabilities.max(axis=1)[is_checked], correct[is_checked]
    return {
        f"{target} {name}": resample(rule(labels, target), *kept)
        for target in TARGETS
        for name, rule in (("one threshold", one_threshold), ("one a label", one_a_label))
    }


def one_threshold(labels: Sequence[str], target: float) -> Rule:
    """One threshold for all labels."""

    def needed(_: np.ndarray, confidence: np.ndarray, correct: np.ndarray) -> np.ndarray:
        found = precision_threshold(confidence, correct, target)
        return np.full(len(labels), np.inf if found is None else found)

    return needed


def one_a_label(labels: Sequence[str], target: float) -> Rule:
    """A threshold for each label, as the engine has them."""

    def needed(predicted: np.ndarray, confidence: np.ndarray, correct: np.ndarray) -> np.ndarray:
        found = label_thresholds(labels, predicted, confidence, correct, target)
        values = [found[label] for label in labels]
        return np.array([np.inf if value is None else value for value in values])

    return needed


def resample(
    rule: Rule, predicted: np.ndarray, confidence: np.ndarray, correct: np.ndarray
) -> dict[str, object]:
    """Apply a rule to 100 random halves, and what it says to the other halves.

    Returns
    -------
    dict : for each resample the precision of what is routed (None where nothing is) and the
        share routed
    """
    chance = np.random.default_rng(0)
    precisions, shares = [], []
    for _ in range(RESAMPLES):
        order = chance.permutation(len(correct))
        seen, unseen = np.split(order, [len(order) // 2])
        needed = rule(predicted[seen], confidence[seen], correct[seen])
        routed = confidence[unseen] >= needed[predicted[unseen]]
        shares.append(float(routed.mean()))
        precisions.append(float(correct[unseen][routed].mean()) if routed.any() else None)
    return {"precision": precisions, "share": shares}


def foreign(root: Path, seed: int) -> dict[str, float]:
    """Learn the tiers of real incidents; count what is left to a person, of three kinds of text.

    The test tickets themselves; tickets made of utterances about anything; random keys. The made
    ones have the length and the form fields of the real ones: neither may give them away.
    """
    train, test = parts_of(load(TIER, root), TIER.target, str(seed))
    tickets = list(iter_tickets(test))
    words = endless_words(utterances_of_no_intent(root, "oos_test"), seed)
    with TemporaryDirectory() as folder:
        keys, models = Path(folder) / "keys", Path(folder) / "models"
        model = fit_ours(train, key=field_key(keys)).model
        engine = load_engine(save_bundle(model, models, "bench", keys), keys=keys)
        return {
            "real": left_to_a_person(engine, tickets),
            "foreign": left_to_a_person(engine, [as_long_as(one, words) for one in tickets]),
            "nonsense": left_to_a_person(engine, random_keys(tickets, seed)),
        }


def endless_words(utterances: Sequence[str], seed: int) -> Iterator[str]:
    """Yield the words of utterances drawn at random, one utterance after the other."""
    chance = np.random.default_rng(seed)
    while True:
        yield from utterances[int(chance.integers(len(utterances)))].split()


def as_long_as(ticket: Ticket, words: Iterator[str]) -> Ticket:
    """Make a ticket of other words: as many in the subject and in the description as it has.

    A description that repeats the subject does so in the made ticket as well.
    """
    subject = " ".join(next(words) for _ in ticket.subject.split())
    description = " ".join(next(words) for _ in ticket.description.split())
    repeats = ticket.description.split() == ticket.subject.split()
    return replace(ticket, subject=subject, description=subject if repeats else description)


def random_keys(tickets: Sequence[Ticket], seed: int) -> list[Ticket]:
    """Make each word of each ticket random letters, as many as it has."""
    chance = np.random.default_rng(seed)
    letters = np.array(list(string.ascii_lowercase))

    def struck(text: str) -> str:
        return " ".join("".join(chance.choice(letters, len(word))) for word in text.split())

    return [
        replace(ticket, subject=struck(ticket.subject), description=struck(ticket.description))
        for ticket in tickets
    ]


def left_to_a_person(engine: TriageEngine, tickets: Sequence[Ticket]) -> float:
    """Compute the share of tickets for which the engine suggests nothing."""
    answers = engine.suggest(tickets)
    return sum(answer.decision == "review" for answer in answers) / len(answers)


def main() -> None:
    """Measure what the arguments name."""
    root = data_root()
    if root is None:
        sys.exit("no data sets: set TRIAGE_DATASETS to their folder")
    what, of = sys.argv[1:]
    found = promise(named(of), root) if what == "promise" else foreign(root, int(of))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
