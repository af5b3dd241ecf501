"""The knowledge base: a folder of articles, read with suspicion, and found again by ticket."""

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from triage.article import Article, Problem, parse_article
from triage.bm25 import BM25Index
from triage.errors import KnowledgeError
from triage.suggestion import ArticleHit

FILE_LIMIT_BYTES = 256 * 1024
"""Largest article file."""

FOLDER_LIMIT_BYTES = 20_000_000
"""Largest knowledge base, all its files together."""

FOLDER_LIMIT_FILES = 100_000
"""Most files in a knowledge base."""

THRESHOLD = 0.45
"""Least score of an article that is offered: the lowest at which nine of ten tickets that nothing
answers got nothing, on the even half of tests/triage/knowledge_judgements.toml."""

UNEXPLAINED_WEIGHT = 0.05
"""Ten times as much, and chatter drowns what a ticket is about; none, and chatter is evidence."""

CATEGORY_WEIGHT = 0.6
"""From 0.3 to 1 made no difference in a simulation; more lets wrong categories overrule words."""

BATCH_CELLS = 2_000_000
"""Tickets times articles scored at once; keeps a batch within some 50 MB."""


def read_articles(folder: Path) -> tuple[list[Article], list[Problem]]:
    """Read every Markdown file in a folder and its sub-folders, in the order of their paths.

    A file that is broken or not allowed is refused and the others are read. Links to files or
    folders are not followed; names that begin with a dot are passed over.

    Returns
    -------
    the articles, and what is wrong with files: an error stands for a refused one

    Raises
    ------
    KnowledgeError : the folder is missing, holds no Markdown file, or is too large altogether
    """
    if not folder.is_dir():
        raise KnowledgeError(f"knowledge base {folder.name!r}: there is no such folder")
    articles: list[Article] = []
    problems: list[Problem] = []
    file_of_id: dict[str, str] = {}
    size_bytes = n_files = 0
    for path in sorted(_markdown_files(folder)):
        file = "".join(
            character if character.isprintable() else "?"
            for character in path.relative_to(folder).as_posix()
        )
        n_files += 1
        try:
            content = _read(path)
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            problems.append(Problem(file, None, "not UTF-8 text: save it as UTF-8"))
            continue
        except OSError:
            problems.append(Problem(file, None, "the file cannot be opened"))
            continue
        except KnowledgeError as error:
            problems.append(Problem(file, None, str(error)))
            continue
        size_bytes += len(content)
        if size_bytes > FOLDER_LIMIT_BYTES:
            raise KnowledgeError(
                f"knowledge base {folder.name!r}: more than {FOLDER_LIMIT_BYTES // 1_000_000} MB "
                "of articles; is it the right folder?"
            )
        article, found = parse_article(text, file)
        if article and article.id in file_of_id:
            reason = f"id {article.id} is taken by {file_of_id[article.id]}"
            article, found = None, [Problem(file, None, reason)]
        problems += found
        if article:
            file_of_id[article.id] = file
            articles.append(article)
    if not n_files:
        raise KnowledgeError(
            f"knowledge base {folder.name!r}: holds no Markdown file (*.md); see docs/knowledge.md"
        )
    return articles, problems


class KnowledgeBase:
    """A set of articles, indexed for search.

    Raises
    ------
    KnowledgeError : two articles have the same id
    """

    def __init__(self, articles: Sequence[Article]) -> None:
        self.articles = tuple(articles)
        self.index = BM25Index([_searchable(article) for article in self.articles])
        self.categories = sorted({article.category or "" for article in self.articles})
        self.category_codes = np.array(
            [self.categories.index(article.category or "") for article in self.articles], dtype=int
        )
        self._by_id = {article.id: article for article in self.articles}
        if len(self._by_id) < len(self.articles):
            raise KnowledgeError("knowledge base: two articles have the same id")

    @cached_property
    def version(self) -> str:
        """Hash the contents: equal for the same articles in any order."""
        contents = [self._by_id[article_id].to_dict() for article_id in sorted(self._by_id)]
        return hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()[:16]

    def get(self, article_id: str) -> Article | None:
        """Find an article by its id."""
        return self._by_id.get(article_id)

    def search(self, query: str, top: int = 10) -> list[ArticleHit]:
        """Find the articles that share anything with the query, best first."""
        return ArticleRecommender(self, threshold=0.0).rank([query], top=top)[0]


class ArticleRecommender:
    """Offers the articles that fit a ticket, or none: a wrong article is worse than none.

    The evidence for an article is the weight of the ticket's words that it explains, in units of
    one decisive word. It counts more when the article's category is a likely one. The score
    ``e / (e + 1 + 0.05 * r)`` with the unexplained rest ``r`` is 0.5 at one decisive word; the
    rest counts little, because tickets are full of words that no article needs to explain.

    Parameters
    ----------
    knowledge : the articles
    threshold : float in [0, 1], least score of an article that is offered
    """

    def __init__(self, knowledge: KnowledgeBase, *, threshold: float = THRESHOLD) -> None:
        self.knowledge = knowledge
        self.threshold = threshold

    def rank(
        self,
        texts: Sequence[str],
        category_proba: Sequence[Mapping[str, float]] | None = None,
        *,
        top: int = 3,
    ) -> list[list[ArticleHit]]:
        """Find the best articles for each text of a batch.

        Parameters
        ----------
        texts : normalised texts (`triage.text.normalise`)
        category_proba : for each text the probability of every category, or None when unknown
        top : most articles to offer for a text

        Returns
        -------
        a list for each text, best first, empty when no article clears the threshold
        """
        hits: list[list[ArticleHit]] = []
        step = max(1, BATCH_CELLS // max(1, len(self.knowledge.articles)))
        for begin in range(0, len(texts), step):
            batch = texts[begin : begin + step]
            evidence, informative = self.knowledge.index.match(batch)
            for row, text in enumerate(batch):
                cells = slice(evidence.indptr[row], evidence.indptr[row + 1])
                documents, explained = evidence.indices[cells], evidence.data[cells]
                unexplained = np.maximum(informative[row] - explained, 0)
                if category_proba is not None:
                    agreement = self._agreement(category_proba[begin + row])
                    explained = explained * agreement[self.knowledge.category_codes[documents]]
                scores = explained / (explained + 1 + UNEXPLAINED_WEIGHT * unexplained)
                hits.append(self._best(text, documents, scores, top))
        return hits

    def _agreement(self, proba: Mapping[str, float]) -> npt.NDArray[np.float64]:
        """Give what a word counts in each category: 0.7 when it is ruled out, 1.3 when certain.

        It counts 1 in a category that the probabilities do not know.
        """
        known = [proba.get(name, 0.5) for name in self.knowledge.categories]
        return 1 + CATEGORY_WEIGHT * (np.array(known) - 0.5)

    def _best(
        self,
        text: str,
        documents: npt.NDArray[np.int32],
        scores: npt.NDArray[np.float64],
        top: int,
    ) -> list[ArticleHit]:
        eligible = np.flatnonzero((scores > 0) & (scores >= self.threshold))
        if len(eligible) > top:
            least = np.partition(scores[eligible], -top)[-top]
            eligible = eligible[scores[eligible] >= least]
        order = np.lexsort((documents[eligible], -scores[eligible]))[:top]
        best = documents[eligible[order]].tolist()
        articles = [self.knowledge.articles[document] for document in best]
        terms = self.knowledge.index.matched_words(text, best)
        return [
            ArticleHit(article.id, article.title, article.url, score, matched)
            for article, score, matched in zip(
                articles, scores[eligible[order]].tolist(), terms, strict=True
            )
        ]


def _searchable(article: Article) -> dict[str, str]:
    return {
        "title": article.title,
        "symptoms": "\n".join(article.symptoms),
        "applies_to": "\n".join((*article.applies_to, article.category or "")),
        "body": article.body,
    }


def load_knowledge(folder: Path) -> KnowledgeBase:
    """Index the articles of a folder that can be read; `read_articles` tells of the others.

    Raises
    ------
    KnowledgeError : the folder cannot be read, or every file in it is refused
    """
    articles, problems = read_articles(folder)
    if not articles:
        raise KnowledgeError(
            f"knowledge base {folder.name!r}: no file can be used; the first one, "
            f"{problems[0].file}: {problems[0].reason}"
        )
    return KnowledgeBase(articles)


def _markdown_files(folder: Path) -> Iterator[Path]:
    """Walk without recursion, and without following links: those to folders are yielded too."""
    pending = [str(folder)]
    n_files = 0
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                is_folder = entry.is_dir()
                if entry.name.startswith("."):
                    continue
                if is_folder and not entry.is_symlink():
                    pending.append(entry.path)
                elif is_folder or entry.name.lower().endswith(".md"):
                    yield Path(entry.path)
                    n_files += 1
                if n_files > FOLDER_LIMIT_FILES:
                    raise KnowledgeError(
                        f"knowledge base {folder.name!r}: more than {FOLDER_LIMIT_FILES:,} files; "
                        "is it the right folder?"
                    )


def _read(path: Path) -> bytes:
    """Raises KnowledgeError when the file is not one to open, OSError when it does not open."""
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        raise KnowledgeError("a symbolic link is not followed: put the file itself here")
    if not stat.S_ISREG(mode):
        raise KnowledgeError("not a regular file")
    with path.open("rb") as file:
        content = file.read(FILE_LIMIT_BYTES + 1)
    if len(content) > FILE_LIMIT_BYTES:
        raise KnowledgeError(f"over {FILE_LIMIT_BYTES // 1024} KiB: split the article")
    return content
