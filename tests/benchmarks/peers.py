"""What others do, fitted beside ours on the same split."""

from collections.abc import Callable, Sequence

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


def majority(texts: Sequence[str], labels: np.ndarray) -> Fitted:
    """Always guess the most frequent label."""
    model = DummyClassifier(strategy="prior").fit(np.zeros((len(texts), 1)), labels)
    return model.classes_, lambda new: model.predict_proba(np.zeros((len(new), 1)))


def tfidf_logistic(texts: Sequence[str], labels: np.ndarray) -> Fitted:
    """Word TF-IDF and logistic regression with sigmoid calibration: the public recipe."""
    base = LogisticRegression(C=10, max_iter=1000)
    smallest = np.unique(labels, return_counts=True)[1].min()
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        CalibratedClassifierCV(base, method="sigmoid", cv=int(min(3, smallest))),
    ).fit(texts, labels)
    return model.classes_, model.predict_proba


def tfidf_svm(texts: Sequence[str], labels: np.ndarray) -> Fitted:
    """Word TF-IDF and a linear SVM; its scores softmaxed, for want of probabilities."""
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True), LinearSVC()
    ).fit(texts, labels)

    def probabilities(new: Sequence[str]) -> np.ndarray:
        scores = model.decision_function(new)
        scores = np.column_stack([-scores, scores]) if scores.ndim == 1 else scores
        return softmax(scores, axis=1)

    return model.classes_, probabilities


PEERS = {
    "majority": majority,
    "TF-IDF + logistic regression": tfidf_logistic,
    "TF-IDF + linear SVM": tfidf_svm,
}
