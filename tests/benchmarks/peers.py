"""What others do, fitted beside ours on the same split, on the raw text: their best case."""

import re
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.special import softmax
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

Fitted = tuple[np.ndarray, Callable[[Sequence[str]], np.ndarray]]
"""Labels, and a function from texts to probabilities of shape (n_texts, n_labels)."""

_PUNCTUATION = re.compile(r"([^\w\s])")


def majority(texts: Sequence[str], labels: np.ndarray) -> Fitted:
    """Always guess the most frequent label."""
    model = DummyClassifier(strategy="prior").fit(np.zeros((len(texts), 1)), labels)
    return model.classes_, lambda new: model.predict_proba(np.zeros((len(new), 1)))


def tfidf_logistic(texts: Sequence[str], labels: np.ndarray) -> Fitted:
    """Word TF-IDF and logistic regression with sigmoid calibration: the public recipe.

    A label of a single ticket cannot be cross-validated; then the regression's own probabilities
    serve.
    """
    model = LogisticRegression(C=10, max_iter=1000)
    smallest = int(np.unique(labels, return_counts=True)[1].min())
    if smallest > 1:
        model = CalibratedClassifierCV(model, method="sigmoid", cv=min(3, smallest))
    pipeline = make_pipeline(_words(), model).fit(texts, labels)
    return pipeline.classes_, pipeline.predict_proba


def tfidf_svm(texts: Sequence[str], labels: np.ndarray) -> Fitted:
    """Word TF-IDF and a linear SVM; its scores softmaxed, for want of probabilities."""
    model = make_pipeline(_words(), LinearSVC()).fit(texts, labels)

    def probabilities(new: Sequence[str]) -> np.ndarray:
        scores = model.decision_function(new)
        scores = np.column_stack([-scores, scores]) if scores.ndim == 1 else scores
        return softmax(scores, axis=1)

    return model.classes_, probabilities


def fasttext(texts: Sequence[str], labels: np.ndarray) -> Fitted:
    """Learn word and word pair vectors and a softmax over their mean with fastText.

    25 passes over words and word pairs, at a rate of 0.5: rates near 1 are what its users report
    NaN at, though on these sets 1.0 trained as well. No set has more than 90,000 word pairs, so
    200,000 buckets do; the default of 2,000,000 would take 800 MB. Nothing was tuned.
    One thread, so that the same split gives the same model.
    """
    from fasttext import train_supervised

    classes, index = np.unique(labels.astype(str), return_inverse=True)
    lines = [
        f"__label__{label} {_one_line(text)}" for label, text in zip(index, texts, strict=True)
    ]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "train.txt"
        file.write_text("\n".join(lines) + "\n", "utf-8")
        model = train_supervised(
            str(file), epoch=25, lr=0.5, wordNgrams=2, bucket=200_000, thread=1, seed=0, verbose=0
        )

    def probabilities(new: Sequence[str]) -> np.ndarray:
        found = np.zeros((len(new), len(classes)))
        names, shares = model.predict([_one_line(text) for text in new], k=-1)
        for row, (ranked, share) in enumerate(zip(names, shares, strict=True)):
            columns = [int(name.removeprefix("__label__")) for name in ranked]
            found[row, columns] = np.clip(share, 0, 1)  # it adds a little to avoid log(0)
        return found

    return classes, probabilities


def _words() -> TfidfVectorizer:
    return TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)


def _one_line(text: str) -> str:
    return " ".join(_PUNCTUATION.sub(r" \1 ", text.lower()).split())


PEERS = {
    "majority": majority,
    "TF-IDF + logistic regression": tfidf_logistic,
    "TF-IDF + linear SVM": tfidf_svm,
    "fastText": fasttext,
}
"""Name to function; the first is a yardstick, the others are peers."""


def is_installed(name: str) -> bool:
    """Tell whether a contender can run here: fastText comes with ``make bench`` alone."""
    return name != "fastText" or find_spec("fasttext") is not None
