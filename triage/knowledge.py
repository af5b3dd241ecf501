"""The knowledge base: a folder of articles, read with suspicion, and found again by ticket."""

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from triage.article import Article, Problem, parse_article
from triage.bm25 import BM25Index
from triage.errors import KnowledgeError

FILE_LIMIT_BYTES = 256 * 1024
"""Largest article file."""

FOLDER_LIMIT_BYTES = 20_000_000
"""Largest knowledge base, all its files together."""

FOLDER_LIMIT_FILES = 100_000
"""Most files in a knowledge base."""


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


def fingerprint(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Tell the state of a folder's article files apart: name, time of change and size of each."""
    found = []
    try:
        for path in _markdown_files(folder):
            state = path.lstat()
            found.append((str(path), state.st_mtime_ns, state.st_size))
    except (OSError, KnowledgeError):
        return ()
    return tuple(sorted(found))


def _markdown_files(folder: Path) -> Iterator[Path]:
    """Walk without recursion, and without following links: those to folders are yielded too."""
    pending = [str(folder)]
    n_files = 0
    while pending:
        for entry in _entries(pending.pop(), folder):
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


def _entries(path: str, folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return list(entries)
    except OSError as error:
        raise KnowledgeError(
            f"knowledge base {folder.name!r}: a folder in it cannot be read ({error.strerror})"
        ) from error


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
