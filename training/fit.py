"""Fit a triage model: features, one calibrated head a target, thresholds, domain."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

import triage
from training.by_parts import Fitted, learn_by_parts
from training.canonical import TARGET, WEIGHT
from training.detail_weights import learn_weights
from training.evaluate import measure_target, truth_of
from training.evidence import Asked, Evidence
from training.experience import learn_experience
from training.history import label_columns
from training.meaning import MeaningChoice, choose_meaning, read_meaning
from training.promise_heads import never_routed, newest_block, promise_head, promise_joint
from training.search import Search, column_weights, search_settings
from training.split import Split, split
from training.tickets import data_hash, field_names, iter_tickets
from triage.article import Article
from triage.classifier import MIN_TICKETS, TicketClassifier
from triage.domain import languages, least_familiarity
from triage.errors import HistoryError
from triage.features import TicketFeatures
from triage.hierarchy import fold_rare
from triage.knowledge import KnowledgeBase
from triage.linear import LinearSettings
from triage.meaning import beside
from triage.model import TriageModel
from triage.prepare import prepare_all
from triage.signing import fingerprint
from triage.taxonomy import Taxonomy
from triage.ticket import Ticket
from triage.twins import twin_clusters

OnStep = Callable[[str, int, int], None]
"""Told what is being done, how many steps of it are done, and how many there are."""

UNKNOWN = 0
"""Number of steps where nobody can tell before the end."""

BY_PARTS_ABOVE = 50_000
"""Tickets beyond which the matrix of a history takes more memory than a desk's machine has."""

Analysis = tuple[TicketFeatures, sp.csr_matrix, dict[str, float], npt.NDArray[np.int64]]
"""Fitted features, matrix, least familiarity of a text that is not foreign, clusters of twins."""

_WORTH_PROCESSES = 20_000_000  # matrix entries x labels; about three seconds of fitting
_CACHE_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Learned:
    """A fitted model, and what is known about its quality.

    ``metrics`` holds for each target "out_of_fold" (each ticket asked of a model that saw neither
    it nor its near twins; tickets whose label only their twins have are left out) and "newest"
    (learned on the older 80%, asked about the newer 20%; a
    random part where the history has no dates). ``skipped`` tells why a target has no head, and
    ``meaning`` whether each head reads what texts mean, and ``searches`` which settings were found,
    where that was asked for.
    """

    model: TriageModel
    metrics: dict[str, dict[str, dict[str, Any]]]
    out_of_fold: dict[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]]
    is_split_by_time: bool
    skipped: dict[str, str]
    evidence: Evidence
    meaning: Mapping[str, MeaningChoice] = field(default_factory=dict)
    searches: Mapping[str, Search] = field(default_factory=dict)


def fit_model(
    frame: pd.DataFrame,
    *,
    taxonomy: Taxonomy,
    articles: Sequence[Article] = (),
    target_precision: float = 0.95,
    seed: int = 0,
    key: bytes = b"",
    cache: Path | None = None,
    n_jobs: int = -1,
    on_step: OnStep | None = None,
    by_parts_above: int = BY_PARTS_ABOVE,
    semantic: bool = False,
    budget_s: float = 0.0,
    settings: Mapping[str, LinearSettings] | None = None,
) -> Learned:
    """Learn from a history in canonical order.

    Parameters
    ----------
    frame : canonical history, see `training.tickets.in_canonical_order`; a column `WEIGHT` says
        how much each ticket counts in learning
    target_precision : precision promised of what is routed unseen
    key : secret that hashes form fields
    cache : folder for prepared features; holds ticket data
    n_jobs : processes, -1 for one a core
    by_parts_above : tickets; a longer history is learned part by part, see `training.by_parts`
    semantic : let each head read what texts mean where that makes it better, see `training.meaning`
    budget_s : seconds to spend on looking for better settings, see `training.search`
    settings : of each target, such as an earlier search found; defaults for the others

    Raises
    ------
    HistoryError : no target has two labels with enough tickets, or the history is too long for
        ``semantic``
    ConfigurationError : ``semantic`` without the extra for it
    """
    report = on_step or (lambda name, done, total: None)
    targets = [column.removeprefix(TARGET) for column in label_columns(frame)]
    # Learned with rare leaves folded; measured against what was written: a step is not the leaf.
    written = {target: truth_of(frame, target) for target in targets}
    labels = {target: fold_rare(truth, MIN_TICKETS) for target, truth in written.items()}
    learnable = {target: truth for target, truth in labels.items() if _is_learnable(truth)}
    skipped = {
        target: f"fewer than two labels with {MIN_TICKETS} tickets each"
        for target in labels
        if target not in learnable
    }
    if not learnable:
        raise HistoryError(
            f"no target can be learned: {', '.join(labels)} need two labels with "
            f"{MIN_TICKETS} tickets each; export more tickets or map another column"
        )
    if taxonomy.costs and "tier" in learnable:
        counts = pd.Series(learnable["tier"]).value_counts()
        taxonomy.costs.matrix([str(tier) for tier in counts.index[counts >= MIN_TICKETS]])
    if len(frame) > by_parts_above and (semantic or budget_s or settings):
        asked = "what texts mean is read" if semantic else "settings are chosen"
        raise HistoryError(
            f"{asked} with at most {by_parts_above:,} tickets, this history has {len(frame):,}; "
            "train without it, or on fewer tickets"
        )
    searches: dict[str, Search] = {}
    # One thread for linear algebra: sums in another order would give another model.
    with threadpool_limits(1):
        if len(frame) > by_parts_above:
            fitted = learn_by_parts(
                frame, learnable, key=key, seed=seed, n_jobs=n_jobs, report=report
            )
        else:
            analysis = _cached_analysis(frame, key, cache, report)
            first = next(iter(learnable.values()))
            parts = split(frame["created_at"], first, analysis[3], seed=seed)
            searches = _search(analysis, learnable, parts, budget_s, seed, n_jobs, report)
            found = {target: search.settings for target, search in searches.items()}
            fitted = _learn_at_once(
                frame,
                learnable,
                analysis,
                parts,
                {**(settings or {}), **found},
                cache,
                seed,
                n_jobs,
                report,
                semantic,
            )
        classifiers = fitted.classifiers
        block = newest_block(frame["created_at"])
        heads = {
            target: promise_head(
                classifier,
                learnable[target],
                written[target],
                block,
                target_precision,
                never_routed(target, learnable[target], written[target], taxonomy),
            )
            for target, classifier in classifiers.items()
        }
        joint = promise_joint(classifiers, written, block, target_precision)
    reading = frozenset(target for target, choice in fitted.choices.items() if choice.is_used)
    heads = {
        target: replace(head, reads_meaning=target in reading) for target, head in heads.items()
    }
    metrics = {
        target: {
            "out_of_fold": _out_of_fold_metrics(target, classifier, written[target], taxonomy),
            "newest": _newest_metrics(target, fitted.asked.get(target), written[target], taxonomy),
        }
        for target, classifier in classifiers.items()
    }
    model = TriageModel(
        features=fitted.features,
        heads=heads,
        joint=joint,
        min_familiarity=fitted.min_familiarity,
        target_precision=target_precision,
        taxonomy=taxonomy,
        articles=tuple(articles),
        experience=learn_experience(frame, fitted.features, KnowledgeBase(articles), taxonomy),
        detail_weights=learn_weights(frame, taxonomy),
    )
    out_of_fold = {
        target: (classifier.out_of_fold_, classifier.is_checked_)
        for target, classifier in classifiers.items()
    }
    evidence = Evidence(
        fitted.matrix,
        learnable,
        fitted.clusters,
        fitted.parts,
        block,
        fitted.asked,
        fitted.meaning,
        reading,
    )
    return Learned(
        model,
        metrics,
        out_of_fold,
        fitted.parts.is_by_time,
        skipped,
        evidence,
        fitted.choices,
        searches,
    )


def _is_learnable(truth: npt.NDArray[np.object_]) -> bool:
    return bool((pd.Series(truth).value_counts() >= MIN_TICKETS).sum() >= 2)


def _search(
    analysis: Analysis,
    learnable: dict[str, npt.NDArray[np.object_]],
    parts: Split,
    budget_s: float,
    seed: int,
    n_jobs: int,
    report: OnStep,
) -> dict[str, Search]:
    """Look for better settings of each head, where what the newest tickets ask is not seen."""
    if not budget_s:
        return {}
    features, matrix, _, clusters = analysis
    searches = {}
    for target, truth in learnable.items():
        rows = parts.train[pd.notna(truth[parts.train])]
        if not _is_learnable(truth[rows]):
            continue
        searches[target] = search_settings(
            matrix[rows],
            truth[rows],
            clusters[rows],
            features,
            budget_s=budget_s / len(learnable),
            seed=seed,
            n_jobs=processes(matrix, truth, n_jobs),
            on_step=partial(report, f"trying settings of {target}"),
        )
    return searches


def _learn_at_once(
    frame: pd.DataFrame,
    learnable: dict[str, npt.NDArray[np.object_]],
    analysis: Analysis,
    parts: Split,
    settings: Mapping[str, LinearSettings],
    cache: Path | None,
    seed: int,
    n_jobs: int,
    report: OnStep,
    semantic: bool,
) -> Fitted:
    """Learn a history whose whole matrix fits into memory, cross-fitted."""
    features, matrix, min_familiarity, clusters = analysis

    weights = frame[WEIGHT].to_numpy(dtype=float) if WEIGHT in frame else None

    def fit(target: str, matrix: sp.csr_matrix, name: str) -> TicketClassifier:
        unfitted = TicketClassifier(
            settings=settings.get(target, LinearSettings()),
            random_state=seed,
            n_jobs=processes(matrix, learnable[target], n_jobs),
        )
        rows = np.flatnonzero(pd.notna(learnable[target]))
        return _fit_head(
            unfitted, name, features, matrix, learnable[target], clusters, rows, report, weights
        )

    classifiers = {target: fit(target, matrix, f"learning {target}") for target in learnable}
    matrices = dict.fromkeys(learnable, matrix)
    meaning = read_meaning(frame, cache, n_jobs, report) if semantic else None
    choices = {}
    if meaning is not None:
        wide = beside(matrix, meaning)
        for target, truth in learnable.items():
            reading = fit(target, wide, f"learning {target} with meaning")
            rows = np.flatnonzero(pd.notna(truth))
            choices[target] = choose_meaning(
                classifiers[target], reading, truth[rows], clusters[rows], seed
            )
            if choices[target].is_used:
                classifiers[target], matrices[target] = reading, wide
    asked = {
        target: _ask_newest(
            target,
            features,
            matrices[target],
            learnable[target],
            clusters,
            classifier,
            parts,
            n_jobs,
            report,
            weights,
        )
        for target, classifier in classifiers.items()
    }
    answered = {target: answer for target, answer in asked.items() if answer}
    return Fitted(
        features, matrix, min_familiarity, clusters, parts, classifiers, answered, meaning, choices
    )


def _cached_analysis(
    frame: pd.DataFrame, key: bytes, cache: Path | None, report: OnStep
) -> Analysis:
    """Analyse the tickets, or take the analysis of the same tickets, key and code from before."""
    report("reading the texts", 0, 1)
    tickets = list(iter_tickets(frame))
    names = field_names(frame)
    if cache is None:
        return _analyse(tickets, key, names=names, data="", secret="", code="")
    try:
        cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        memory = joblib.Memory(cache, verbose=0)
        analysis: Analysis = memory.cache(_analyse, ignore=["tickets", "key"])(
            tickets,
            key,
            names=names,
            data=data_hash(frame),
            secret=fingerprint(key),
            code=_code_hash(),
        )
        memory.reduce_size(bytes_limit=_CACHE_BYTES)
    except OSError as error:
        raise HistoryError(
            f"the cache {cache.parent.name}/{cache.name} cannot be used: {error.strerror}; "
            "delete it or make room"
        ) from error
    analysis[0].key = key
    return analysis


def _analyse(
    tickets: list[Ticket],
    key: bytes,
    *,
    names: tuple[str, ...],
    data: str,
    secret: str,
    code: str,
) -> Analysis:
    """Prepare the texts and build the matrix.

    Cached by ``data``, ``secret`` and ``code``, fingerprints of everything that decides the
    result; the key itself is never written.
    """
    prepared = prepare_all(tickets)
    features = TicketFeatures(names, key=key).fit(prepared)
    matrix, familiarity = features.analyse(prepared, as_if_unseen=True)
    features.key = b"" if secret else key
    least = least_familiarity(familiarity, languages(prepared))
    return features, matrix, least, twin_clusters(prepared)


def _code_hash() -> str:
    """Hash the core's source: a change of cleaning or redaction must not find an old cache."""
    sources = sorted(Path(triage.__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


def _fit_head(
    classifier: TicketClassifier,
    name: str,
    features: TicketFeatures,
    matrix: sp.csr_matrix,
    truth: npt.NDArray[np.object_],
    clusters: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    report: OnStep,
    weights: npt.NDArray[np.float64] | None,
) -> TicketClassifier:
    return classifier.fit(
        matrix[rows],
        truth[rows],
        clusters[rows],
        column_weights(features, classifier.settings, matrix.shape[1]),
        _counter(name, classifier, report),
        None if weights is None else weights[rows],
    )


def processes(matrix: sp.csr_matrix, truth: npt.NDArray[np.object_], n_jobs: int) -> int:
    """Count the processes to use: starting others may take longer than the work itself."""
    work = matrix.nnz * pd.Series(truth).nunique()
    return n_jobs if work > _WORTH_PROCESSES else 1


def _counter(name: str, classifier: TicketClassifier, report: OnStep) -> Callable[[], None]:
    done = 0
    report(name, done, classifier.n_steps)

    def count() -> None:
        nonlocal done
        done += 1
        report(name, done, classifier.n_steps)

    return count


def _out_of_fold_metrics(
    target: str,
    classifier: TicketClassifier,
    truth: npt.NDArray[np.object_],
    taxonomy: Taxonomy,
) -> dict[str, Any]:
    checked = classifier.is_checked_
    labels = [str(label) for label in classifier.classes_]
    known = truth[pd.notna(truth)][checked]
    return measure_target(target, known, labels, classifier.out_of_fold_[checked], taxonomy)


def _ask_newest(
    target: str,
    features: TicketFeatures,
    matrix: sp.csr_matrix,
    truth: npt.NDArray[np.object_],
    clusters: npt.NDArray[np.int64],
    classifier: TicketClassifier,
    parts: Split,
    n_jobs: int,
    report: OnStep,
    weights: npt.NDArray[np.float64] | None,
) -> Asked | None:
    """Ask a model of the older tickets about the newer ones, both labelled."""
    labelled = pd.notna(truth)
    train, test = parts.train[labelled[parts.train]], parts.test[labelled[parts.test]]
    if not len(test) or not _is_learnable(truth[train]):
        return None
    earlier = TicketClassifier(
        settings=classifier.settings,
        n_folds=2,
        random_state=classifier.random_state,
        n_jobs=processes(matrix, truth, n_jobs),
    )
    name = f"checking {target} on the newest"
    _fit_head(earlier, name, features, matrix, truth, clusters, train, report, weights)
    labels = [str(label) for label in earlier.classes_]
    return Asked(train, test, labels, earlier.predict_proba(matrix[test]))


def _newest_metrics(
    target: str, asked: Asked | None, truth: npt.NDArray[np.object_], taxonomy: Taxonomy
) -> dict[str, Any]:
    if asked is None:
        return {}
    return measure_target(target, truth[asked.test], asked.labels, asked.probabilities, taxonomy)
