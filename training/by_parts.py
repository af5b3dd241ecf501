"""Learn a long history part by part: its matrix would not fit into memory.

Texts are cleaned and redacted once. Everything after that reads them part by part, makes the
part's rows of the matrix, uses them and lets them go: counting n-grams is cheap enough to be done
again on every pass.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from training.canonical import FIELD
from training.evidence import Asked
from training.meaning import MeaningChoice
from training.split import Split, split
from training.tickets import field_names, iter_tickets
from triage.averaged import AveragedLearner
from triage.classifier import TicketClassifier
from triage.domain import languages, least_familiarity
from triage.features import TicketFeatures
from triage.language import UNDETERMINED
from triage.prepare import prepare_all
from triage.ticket import Ticket
from triage.twins import cluster_signatures, sign

IndexArray = npt.NDArray[np.int64]
OnStep = Callable[[str, int, int], None]

_PART = 16_384  # tickets; a part's rows take about 130 MB
_PASSES = 3  # ten gain half a point at most, for three times the time (docs/benchmarks.md)


@dataclass(frozen=True, slots=True)
class Fitted:
    """Features and heads of a history, and what was answered about its newest tickets.

    ``matrix`` is None where it was never whole; ``meaning`` where the texts' meaning was not read.
    ``choices`` tell for each target whether its head reads it.
    """

    features: TicketFeatures
    matrix: sp.csr_matrix | None
    min_familiarity: dict[str, float]
    clusters: IndexArray
    parts: Split
    classifiers: dict[str, TicketClassifier]
    asked: dict[str, Asked]
    meaning: sp.csr_matrix | None = None
    choices: Mapping[str, MeaningChoice] = field(default_factory=dict)


def learn_by_parts(
    frame: pd.DataFrame,
    truths: Mapping[str, npt.NDArray[np.object_]],
    *,
    key: bytes,
    seed: int,
    n_jobs: int,
    report: OnStep,
) -> Fitted:
    """Learn the heads of a long history.

    Two models are learned side by side: the one that will serve, from all tickets, and an earlier
    one that is asked about the newest (a random part where there are no dates), twins of older
    ones left out. The answers of the second calibrate the first.

    Parameters
    ----------
    frame : canonical history, in canonical order
    truths : target -> labels of shape (n_tickets,), None where a ticket has none
    key : secret that hashes form fields
    n_jobs : threads; the result is the same for any number
    """
    features = TicketFeatures(field_names(frame), key=key)
    texts = _Texts(frame)
    features.fit_parts(texts.prepare(report))
    clusters = cluster_signatures(texts.signatures)
    parts = split(frame["created_at"], next(iter(truths.values())), clusters, seed=seed)
    everything = np.arange(len(frame))
    final, earlier = (
        {
            target: AveragedLearner(
                truth, learned, features.n_features_out_, random_state=seed, n_jobs=n_jobs
            )
            for target, truth in truths.items()
        }
        for learned in (everything, parts.train)
    )
    is_earlier = np.zeros(len(frame), dtype=bool)
    is_earlier[parts.train] = True

    familiarity = np.zeros(len(frame))
    spoken = np.full(len(frame), UNDETERMINED, dtype=object)
    generator = np.random.default_rng(seed)
    for number in range(1, _PASSES + 1):
        order = generator.permutation(everything)
        for rows in _counted(f"learning, pass {number} of {_PASSES}", order, report):
            tickets = texts.tickets(rows)
            if number == 1:
                matrix, familiarity[rows] = features.analyse(tickets, as_if_unseen=True)
                spoken[rows] = languages(tickets)
            else:
                matrix = features.transform(tickets)
            own = np.flatnonzero(is_earlier[rows])
            for target in truths:
                final[target].learn(matrix, rows)
                earlier[target].learn(matrix[own], rows[own])

    checked = _checked(parts, truths)
    scores = {target: [np.empty((0, len(final[target].classes)))] for target in truths}
    for rows in _counted("asking about the newest", _union(checked.values()), report):
        matrix = features.transform(texts.tickets(rows))
        for target, own_rows in checked.items():
            scores[target].append(earlier[target].scores(matrix[np.isin(rows, own_rows)]))

    classifiers, asked = {}, {}
    for target, truth in truths.items():
        test = checked[target]
        fitted = final[target].classifier(earlier[target], test, np.concatenate(scores[target]))
        labelled = pd.notna(truth)
        answers = fitted.out_of_fold_[np.searchsorted(np.flatnonzero(labelled), test)]
        labels = [str(label) for label in fitted.classes_]
        asked[target] = Asked(parts.train[labelled[parts.train]], test, labels, answers)
        classifiers[target] = fitted
    least = least_familiarity(familiarity, spoken.tolist())
    return Fitted(features, None, least, clusters, parts, classifiers, asked)


class _Texts:
    """The tickets of a history as columns of cleaned and redacted text, in little memory."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._raw = frame
        fields = [column for column in frame.columns if column.startswith(FIELD)]
        self._prepared = frame[["id", *fields]]
        self.signatures = np.empty((0, 0), dtype=np.int32)

    def prepare(self, report: OnStep) -> Iterator[list[Ticket]]:
        """Clean and redact the tickets part by part, and keep what comes out."""
        subjects: list[str] = []
        descriptions: list[str] = []
        signatures = []
        for rows in _counted("reading the texts", np.arange(len(self._raw)), report):
            part = prepare_all(list(iter_tickets(self._raw.iloc[rows[0] : rows[-1] + 1])))
            subjects += [ticket.subject for ticket in part]
            descriptions += [ticket.description for ticket in part]
            signatures.append(sign(part))
            yield part
        self._prepared = self._prepared.assign(
            subject=pd.array(subjects, dtype="str"),
            description=pd.array(descriptions, dtype="str"),
        )
        self.signatures = np.concatenate(signatures)

    def tickets(self, rows: IndexArray) -> list[Ticket]:
        """Take prepared tickets."""
        return list(iter_tickets(self._prepared.iloc[rows]))


def _counted(name: str, rows: IndexArray, report: OnStep) -> Iterator[IndexArray]:
    """Cut rows into parts, and tell how far they are."""
    for begin in range(0, len(rows), _PART):
        report(name, begin, len(rows))
        yield rows[begin : begin + _PART]
    report(name, len(rows), len(rows))


def _union(rows: Iterable[IndexArray]) -> IndexArray:
    return np.unique(np.concatenate(list(rows)))


def _checked(parts: Split, truths: Mapping[str, npt.NDArray[np.object_]]) -> dict[str, IndexArray]:
    """Choose each target's labelled tickets to calibrate on: those kept back, if there are any."""
    checked = {}
    for target, truth in truths.items():
        labelled = pd.notna(truth)
        own = parts.test[labelled[parts.test]]
        checked[target] = own if len(own) else np.flatnonzero(labelled)[-_PART:]
    return checked
