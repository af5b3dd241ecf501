"""Measure what articles alone are worth, and from which history on a trained model is worth more.

``python -m tests.benchmarks.without_history`` prints the tables of docs/without-history.md.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tests.benchmarks.datasets import data_root, utterances_of_no_intent
from training.evaluate import truth_of
from training.fit import fit_model
from training.history import read_history
from training.mapping import load_mapping
from training.sample import generate
from training.tickets import in_canonical_order, iter_tickets
from triage.knowledge import KnowledgeBase, load_knowledge
from triage.knowledge_engine import KnowledgeEngine, knowledge_engine
from triage.suggestion import Suggestion
from triage.taxonomy import data_folder, load_taxonomy
from triage.ticket import Ticket

TARGETS = ("category", "tier")
DRAWS = (0.5, 0.5, 0.5, 0.25, 0.25, 0.25)
SIZES = (50, 100, 200, 400, 600, 800, 1600)
NEWEST = 800


def main() -> None:
    """Print the three tables."""
    articles = load_knowledge(data_folder() / "kb").articles
    taxonomy = load_taxonomy()
    everything = list(taxonomy.categories)
    engine = knowledge_engine(KnowledgeBase(articles), taxonomy)
    made = generate()
    asked = [Ticket(one.short_description, one.description) for one in made]
    truth = {
        "category": np.array([one.true_category for one in made]),
        "tier": np.array([one.true_tier for one in made]),
    }
    _show_parts(engine, f"{len(articles)} articles", asked, truth)
    chance = np.random.default_rng(5)
    half = {target: labels[::2] for target, labels in truth.items()}
    for share in DRAWS:
        kept = KnowledgeBase([article for article in articles if chance.random() < share])
        name = f"{len(kept.articles)} articles"
        own = knowledge_engine(kept, taxonomy, categories=everything)
        _show_parts(own, name, asked[::2], half)
        _show_parts(knowledge_engine(kept, taxonomy), f"{name}, no taxonomy", asked[::2], half)
    _show_foreign(engine)
    _show_sizes(engine)


def _show_parts(
    engine: KnowledgeEngine, name: str, asked: Sequence[Ticket], truth: dict[str, np.ndarray]
) -> None:
    answers = _answers(engine, asked)
    for target in TARGETS:
        predictions = [getattr(answer, target) for answer in answers]
        confidence = np.array([one.confidence for one in predictions])
        is_shown = np.array([one.label is not None for one in predictions])
        right = _likeliest(answers, target) == truth[target]
        print(
            f"{name:28} {target:8} right {right.mean():.2f}  shown {is_shown.mean():.2f}  "
            f"right of those {right[is_shown].mean():.2f}  "
            f"their confidence {confidence[is_shown].mean():.2f}"
        )


def _show_foreign(engine: KnowledgeEngine) -> None:
    root = data_root()
    if root is None:
        print("foreign text: not measured, the data sets are not here")
        return
    texts = utterances_of_no_intent(root)
    chance = np.random.default_rng(0)
    letters = ["".join(chance.choice(list("abcdefghijklmnopqrstuvwxyz "), 60)) for _ in range(500)]
    for name, tickets in (
        ("one question", [Ticket(text) for text in texts]),
        (
            "six questions",
            [Ticket(text, " ".join(texts[i : i + 6])) for i, text in enumerate(texts[:600])],
        ),
        ("random letters", [Ticket(text) for text in letters]),
    ):
        left = [answer.decision == "review" for answer in _answers(engine, tickets)]
        print(f"{name:28} left to a person {np.mean(left):.3f} of {len(left):,}")


def _show_sizes(engine: KnowledgeEngine) -> None:
    history = data_folder() / "sample" / "history.csv.gz"
    frame = in_canonical_order(read_history([history], load_mapping("sample")).frame)
    frame = frame.sort_values("created_at", kind="stable").reset_index(drop=True)
    older, newest = frame.iloc[:-NEWEST], frame.iloc[-NEWEST:]
    asked = list(iter_tickets(newest))
    answers = _answers(engine, asked)
    _show_right("articles alone", newest, {t: _likeliest(answers, t) for t in TARGETS})
    for size in SIZES:
        rows = np.sort(np.random.default_rng(size).permutation(len(older))[:size])
        learned = fit_model(
            in_canonical_order(older.iloc[rows].reset_index(drop=True)),
            taxonomy=engine.taxonomy,
            n_jobs=1,
        )
        model = learned.model
        matrix, _ = model.features.analyse([engine.answer([one])[0].ticket for one in asked])
        said = {
            target: head.classifier.classes_[head.classifier.predict_proba(matrix).argmax(axis=1)]
            for target, head in model.heads.items()
        }
        _show_right(f"{size} tickets", newest, said)


def _show_right(name: str, frame: pd.DataFrame, said: dict[str, np.ndarray]) -> None:
    parts = [
        f"{target} right {(said[target] == truth_of(frame, target)).mean():.2f}" for target in said
    ]
    print(f"{name:28} {'  '.join(parts)}", flush=True)


def _answers(engine: KnowledgeEngine, tickets: Sequence[Ticket]) -> list[Suggestion]:
    batches = (tickets[begin : begin + 64] for begin in range(0, len(tickets), 64))
    return [answer for batch in batches for answer in engine.suggest(batch)]


def _likeliest(answers: Sequence[Suggestion], target: str) -> np.ndarray:
    return np.array([getattr(answer, target).alternatives[0].label for answer in answers])


if __name__ == "__main__":
    main()
