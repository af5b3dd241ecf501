"""Measure how often the right article is found, beside what others search with.

Times are processor time, so that other work on the machine counts as little as can be.
``python -m tests.benchmarks.knowledge`` prints the tables of docs/benchmarks.md, with
``TRIAGE_DATASETS=none`` those of our own judgements and sample in a minute; ``--fit`` prints
the constants of `triage.recommender`, fitted on what is not reported: even rows and questions.
"""

import csv
import json
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from tests.benchmarks.datasets import data_root
from training.experience import learn_experience
from training.history import read_history
from training.mapping import load_mapping
from training.tickets import field_names, in_canonical_order, iter_tickets
from triage.article import Article
from triage.article_vectors import ArticleVectors, encode_articles, read_texts
from triage.confidence import expected_calibration_error
from triage.features import TicketFeatures
from triage.knowledge import KnowledgeBase, load_knowledge
from triage.prepare import prepare_all
from triage.recommender import ArticleRecommender, readable_text
from triage.semantic import is_available
from triage.taxonomy import data_folder, load_taxonomy
from triage.text import normalise
from triage.ticket import Ticket

FloatArray = npt.NDArray[np.float64]
Evidence = tuple[FloatArray, FloatArray, npt.NDArray[np.bool_], float]
"""Of a text: words' and meaning's score for each article, which are right, and its weight."""

Scores = Callable[[Sequence[str]], FloatArray]

TESTS = Path(__file__).parents[1] / "triage"
JUDGED = TESTS / "paraphrased_tickets.toml"
TUNED = TESTS / "knowledge_judgements.toml"
SIZES = (10, 1_000, 50_000)
N_TIMED = 200
SHARE_OLDER = 0.75
MAX_ASKED = 400  # of a collection; one by one, each takes some 10 ms to read
SEED = 0


@dataclass(frozen=True, slots=True)
class Collection:
    """Articles, texts that ask for one, and for each text the right ones; none: unanswerable.

    ``is_even`` marks what constants may be fitted on; the others only judge.
    """

    name: str
    articles: Sequence[Article]
    texts: Sequence[str]
    right: Sequence[frozenset[str]]
    is_even: npt.NDArray[np.bool_]


def judged(path: Path, language: str, base: KnowledgeBase) -> Collection:
    """Read judged tickets in one language; even and odd count within each kind."""
    rows = tomllib.loads(path.read_text("utf-8"))["ticket"]
    rows = [row for row in rows if row["language"] == language]
    seen: dict[bool, int] = {}
    is_even = []
    for row in rows:
        kind = "article" in row
        seen[kind] = seen.get(kind, -1) + 1
        is_even.append(seen[kind] % 2 == 0)
    return Collection(
        f"{path.stem}, {language}",
        base.articles,
        [normalise(row["text"]) for row in rows],
        [frozenset([row["article"]] if "article" in row else []) for row in rows],
        np.array(is_even),
    )


def questions(folder: Path, name: str) -> Collection:
    """Read a collection of documents, queries and relevance; a query is not its own answer."""
    documents = [json.loads(line) for line in (folder / "corpus.jsonl").open(encoding="utf-8")]
    asked = [json.loads(line) for line in (folder / "queries.jsonl").open(encoding="utf-8")]
    right: dict[str, set[str]] = {}
    with (folder / "qrels" / "test.tsv").open(encoding="utf-8") as file:
        for query, document, score in list(csv.reader(file, delimiter="\t"))[1:]:
            if int(score) > 0:
                right.setdefault(query, set()).add(document)
    asked = [query for query in asked if query["_id"] in right]
    return Collection(
        name,
        [_article(one["_id"], one["title"], one["text"]) for one in documents],
        [normalise(query["text"]) for query in asked],
        [frozenset(right[query["_id"]]) for query in asked],
        np.arange(len(asked)) % 2 == 0,
    )


def own_answers(path: Path, *, english: bool) -> Collection:
    """Take the answers of past tickets as articles: a ticket's own answer is the right one."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame = frame[(frame["language"] == "en") == english]
    frame = frame[~frame["answer"].duplicated() & (frame["answer"] != "")].reset_index(drop=True)
    names = [f"A{row}" for row in frame.index]
    return Collection(
        f"multilingual, own answer, {'English' if english else 'other languages'}",
        [
            _article(name, text[:80], text)
            for name, text in zip(names, frame["answer"], strict=True)
        ],
        [normalise(f"{s}\n{b}") for s, b in zip(frame["subject"], frame["body"], strict=True)],
        [frozenset([name]) for name in names],
        np.arange(len(names)) % 2 == 0,
    )


def collections(root: Path | None) -> Iterator[Collection]:
    """Give every collection there is."""
    base = load_knowledge(data_folder() / "kb")
    yield judged(JUDGED, "en", base)
    yield judged(JUDGED, "de", base)
    if root is None:
        print("TRIAGE_DATASETS is not there: our own judgements only", file=sys.stderr)
        return
    yield questions(root / "stackfaq", "StackFAQ")
    yield questions(root / "gitbugs_seamonkey", "GitBugs, duplicates")
    yield own_answers(root / "multilingual" / "tickets.csv", english=True)
    yield own_answers(root / "multilingual" / "tickets.csv", english=False)


def tfidf_cosine(articles: Sequence[Article]) -> Scores:
    """Cosine of word TF-IDF vectors: what most help desks search with."""
    vectorizer = TfidfVectorizer(sublinear_tf=True)
    matrix = vectorizer.fit_transform([_whole(article) for article in articles])
    return lambda texts: (vectorizer.transform(texts) @ matrix.T).toarray()


def okapi(articles: Sequence[Article], k1: float = 1.2, b: float = 0.75) -> Scores:
    """Okapi BM25 over whole articles, with its usual constants."""
    vectorizer = CountVectorizer()
    counts = vectorizer.fit_transform([_whole(article) for article in articles]).tocsr()
    lengths = np.asarray(counts.sum(axis=1)).ravel()
    n_articles = counts.shape[0]
    found = np.bincount(counts.indices, minlength=counts.shape[1])
    idf = np.log(1 + (n_articles - found + 0.5) / (found + 0.5))
    rows = np.repeat(np.arange(n_articles), np.diff(counts.indptr))
    norms = k1 * (1 - b + b * lengths / lengths.mean())[rows]
    counts.data = counts.data * (k1 + 1) / (counts.data + norms) * idf[counts.indices]
    return lambda texts: (vectorizer.transform(texts).sign() @ counts.T).toarray()


def semantic_alone(articles: Sequence[Article], vectors: ArticleVectors) -> Scores:
    """Cosine of sentence vectors, the likest part of an article counting."""
    return lambda texts: vectors.likeness(read_texts(texts)).astype(np.float64)


def contenders(articles: Sequence[Article]) -> Iterator[tuple[str, Scores]]:
    """Give each way to search, its index made."""
    yield "TF-IDF cosine", tfidf_cosine(articles)
    yield "BM25", okapi(articles)
    base = KnowledgeBase(articles)
    words = ArticleRecommender(base)
    yield "ours, words alone", words.log_odds
    if is_available():
        vectors = encode_articles(articles)
        yield "semantic alone", semantic_alone(articles, vectors)
        yield "ours, with `semantic`", ArticleRecommender(base, vectors=vectors).log_odds


def measure(
    scores: FloatArray, names: Sequence[str], right: Sequence[frozenset[str]]
) -> FloatArray:
    """Measure recall at 1 and 3, mean reciprocal rank and nDCG at 10, mean over the texts."""
    measured = []
    for row, wanted in zip(scores, right, strict=True):
        order = np.argsort(-row, kind="stable")[:10]
        gains = np.array([names[place] in wanted for place in order], dtype=float)
        first = np.flatnonzero(gains)
        discounts = 1 / np.log2(np.arange(2, len(gains) + 2))
        ideal = discounts[: len(wanted)].sum()
        measured.append(
            (
                gains[0],
                float(gains[:3].any()),
                1 / (first[0] + 1) if len(first) else 0.0,
                float(gains @ discounts) / ideal,
            )
        )
    return np.array(measured).mean(axis=0)


def main() -> None:
    """Print every table."""
    found = list(collections(data_root()))
    if "--fit" in sys.argv:
        return fit(found)
    print("| collection | texts | articles | search | recall@1 | recall@3 | MRR | nDCG@10 | ms |")
    print("|---|---|---|---|---|---|---|---|---|")
    for collection in found:
        compare(collection)
    compare_experience(found[:2])
    follow_sample()
    silence(found[:2])
    return grow()


def compare(collection: Collection) -> None:
    """Print a row for each contender, on what constants were not fitted on."""
    rows = [n for n, right in enumerate(collection.right) if right and not collection.is_even[n]]
    rows = rows[:MAX_ASKED]
    texts = [collection.texts[row] for row in rows]
    right = [collection.right[row] for row in rows]
    names = [article.id for article in collection.articles]
    for who, score in contenders(collection.articles):
        began = time.process_time()
        # One by one, as tickets come in.
        scores = np.vstack([score([text]) for text in texts])
        took = (time.process_time() - began) / len(texts)
        if collection.name.startswith("GitBugs"):
            _forget_itself(scores, texts, collection)
        cells = " | ".join(f"{value:.3f}" for value in measure(scores, names, right))
        print(
            f"| {collection.name} | {len(texts)} | {len(names)} | {who} | {cells} "
            f"| {took * 1e3:.1f} |",
            flush=True,
        )


def _forget_itself(scores: FloatArray, texts: Sequence[str], collection: Collection) -> None:
    wholes = {normalise(_whole(article)): n for n, article in enumerate(collection.articles)}
    for row, text in zip(scores, texts, strict=True):
        if (own := wholes.get(text)) is not None:
            row[own] = -np.inf


def compare_experience(found: Sequence[Collection]) -> None:
    """Print what a history adds: learned from the sample, whose texts are none of these."""
    frame, features, base = _sample()
    experience = learn_experience(frame, features, base, load_taxonomy())
    vectors = encode_articles(base.articles) if is_available() else None
    print(
        "\n| collection | search | recall@1 | recall@3 | MRR | nDCG@10 |\n|---|---|---|---|---|---|"
    )
    for collection in found:
        rows = [n for n, one in enumerate(collection.right) if one and not collection.is_even[n]]
        texts = [collection.texts[row] for row in rows]
        matrix = features.analyse(prepare_all([Ticket("", text) for text in texts]))[0]
        for who, read in (("words and experience", None), ("meaning and experience", vectors)):
            recommender = ArticleRecommender(base, vectors=read, experience=experience)
            scores = recommender.log_odds(texts, matrix=matrix)
            names = [article.id for article in base.articles]
            measured = measure(scores, names, [collection.right[row] for row in rows])
            print(
                f"| {collection.name} | {who} | " + " | ".join(f"{v:.3f}" for v in measured) + " |"
            )


def follow_sample() -> None:
    """Print how often the article used comes first for the sample's newer tickets, and how surely.

    Learned from the older part; what is told is the highest probability, held against the truth.
    """
    frame, _, base = _sample()
    frame = frame.sort_values("created_at", kind="stable")
    n_older = int(len(frame) * SHARE_OLDER)
    older, newer = frame.iloc[:n_older], frame.iloc[n_older:]
    newer = newer[[len(used) > 0 for used in newer["article_ids"]]]
    features = TicketFeatures(field_names(older)).fit(prepare_all(list(iter_tickets(older))))
    learned = learn_experience(older, features, base, load_taxonomy())
    tickets = prepare_all(list(iter_tickets(newer)))
    texts = [f"{ticket.subject}\n{ticket.description}" for ticket in tickets]
    matrix = features.analyse(tickets)[0]
    names = np.array([article.id for article in base.articles])
    print(
        f"\n| the sample's newer tickets, {len(newer)} | used one first | probability told | ECE |"
        "\n|---|---|---|---|"
    )
    vectors = encode_articles(base.articles) if is_available() else None
    for who, read in (("words", None), ("meaning", vectors)):
        for what, experience in ((who, None), (f"{who} and experience", learned)):
            recommender = ArticleRecommender(base, vectors=read, experience=experience)
            told = recommender.probabilities(texts, matrix=matrix)
            firsts = zip(names[told.argmax(axis=1)], newer["article_ids"], strict=True)
            is_right = np.array([first in used for first, used in firsts])
            sure = told.max(axis=1)
            error = expected_calibration_error(sure, is_right)
            print(f"| {what} | {is_right.mean():.2f} | {sure.mean():.2f} | {error:.2f} |")


def silence(found: Sequence[Collection]) -> None:
    """Print how often nothing is offered where nothing answers, and what is lost where one does."""
    print("\n| collection | search | nothing offered where none answers | right one offered |")
    print("|---|---|---|---|")
    for collection in found:
        base = KnowledgeBase(collection.articles)
        for who, vectors in (
            ("words alone", None),
            ("with `semantic`", encode_articles(base.articles) if is_available() else None),
        ):
            recommender = ArticleRecommender(base, vectors=vectors)
            offered = [[hit.id for hit in hits] for hits in recommender.rank(collection.texts)]
            judges = [n for n, is_even in enumerate(collection.is_even) if not is_even]
            silent = [not offered[n] for n in judges if not collection.right[n]]
            kept = [
                bool(collection.right[n] & {*offered[n]}) for n in judges if collection.right[n]
            ]
            print(
                f"| {collection.name} | {who} | {np.mean(silent):.2f} of {len(silent)} "
                f"| {np.mean(kept):.2f} of {len(kept)} |"
            )


def fit(found: Sequence[Collection]) -> None:
    """Print the constants of the recommender: a multinomial regression, each collection as heavy.

    Every answerable text counts a fifth more as if its article did not exist.
    """
    base = load_knowledge(data_folder() / "kb")
    tuned = [found[0], found[1], *(judged(TUNED, language, base) for language in ("en", "de"))]
    tuned += [one for one in found if one.name == "StackFAQ"]
    for with_meaning in (False, True):
        evidence = []
        for collection in tuned:
            chosen = [n for n in range(len(collection.texts)) if collection.is_even[n]]
            names = np.array([article.id for article in collection.articles])
            part = _evidence(collection, chosen, with_meaning)
            evidence += [
                (*one, np.isin(names, list(collection.right[n])), 1 / len(chosen))
                for n, one in zip(chosen, part, strict=True)
            ]

        def loss(constants: FloatArray, evidence: list[Evidence] = evidence) -> float:
            intercept, of_words, *rest = constants
            total = 0.0
            for words, meaning, right, weight in evidence:
                odds = intercept + of_words * words + (rest[0] * meaning if rest else 0.0)
                against_none = logsumexp(np.append(odds, 0.0))
                if right.any():
                    total += weight * (against_none - logsumexp(odds[right]))
                    total += weight / 5 * logsumexp(np.append(odds[~right], 0.0))
                else:
                    total += weight * against_none
            return total

        start = [-13.0, 10.0, 16.0] if with_meaning else [-10.0, 18.0]
        found_best = minimize(loss, start, method="Nelder-Mead", options={"maxiter": 300})
        print("with meaning" if with_meaning else "words alone", found_best.x.round(1))


def _evidence(
    collection: Collection, rows: Sequence[int], with_meaning: bool
) -> list[tuple[FloatArray, FloatArray]]:
    texts = [collection.texts[row] for row in rows]
    recommender = ArticleRecommender(KnowledgeBase(collection.articles))
    words = recommender.by_words(texts)
    meaning = np.zeros_like(words)
    if with_meaning:
        english = [readable_text(text) or "" for text in texts]
        meaning = encode_articles(collection.articles).likeness(read_texts(english))
    return list(zip(words, meaning.astype(np.float64), strict=True))


def grow() -> None:
    """Print time and memory against the number of articles, made of words of StackFAQ or ours."""
    base = load_knowledge(data_folder() / "kb")
    vocabulary = np.array(" ".join(_whole(article) for article in base.articles).split())
    generator = np.random.default_rng(SEED)
    asked = judged(JUDGED, "en", base).texts
    print("\n| articles | index, s | a ticket, ms: p50 | p99 |\n|---|---|---|---|")
    for size in SIZES:
        made = [
            _article(f"M{n}", *(" ".join(generator.choice(vocabulary, k)) for k in (8, 150)))
            for n in range(size)
        ]
        began = time.process_time()
        recommender = ArticleRecommender(KnowledgeBase(made))
        took = time.process_time() - began
        times = []
        for n in range(N_TIMED):
            began = time.process_time()
            recommender.rank([asked[n % len(asked)]])
            times.append(time.process_time() - began)
        p50, p99 = np.percentile(times, [50, 99]) * 1e3
        print(f"| {size:,} | {took:.1f} | {p50:.1f} | {p99:.1f} |", flush=True)


def _sample() -> tuple[pd.DataFrame, TicketFeatures, KnowledgeBase]:
    path = data_folder() / "sample" / "history.csv.gz"
    frame = in_canonical_order(read_history([path], load_mapping("sample")).frame)
    features = TicketFeatures(field_names(frame)).fit(prepare_all(list(iter_tickets(frame))))
    return frame, features, load_knowledge(data_folder() / "kb")


def _article(name: str, title: str, text: str) -> Article:
    # What an article may not hold is taken off: documents of others are not written by our rules.
    clean = [
        part.replace("<", " ").replace("](", "] (").replace("]:", "] :") for part in (title, text)
    ]
    return Article(name, clean[0][:200].strip() or name, body=clean[1])


def _whole(article: Article) -> str:
    return "\n".join((article.title, *article.symptoms, article.body))


if __name__ == "__main__":
    main()
