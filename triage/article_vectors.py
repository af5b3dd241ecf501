"""What articles mean: sentence vectors of their parts, kept from one start to the next."""

import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from triage.article import Article
from triage.glossary import load_glossary
from triage.language import detect_language
from triage.meaning import MEANING_TOKENS
from triage.semantic import DIMENSIONS, MODEL_SHA256, load_encoder

VectorArray = npt.NDArray[np.float32]
IndexArray = npt.NDArray[np.int64]

READ_TOKENS = 48
"""Read of a text that articles are sought for: 64 found no more of the even judged tickets, and the
longest took a third longer; 32 found fewer."""

MAX_PARTED = 2_000
"""Articles up to which every symptom has a vector of its own; with more, an article has two."""

CACHE_FILE = "article-vectors.npz"
"""Name of the cache in its folder."""

_MAX_CACHE_BYTES = 1 << 30
_MAX_KEPT = 20_000  # parts; of another knowledge base, or of articles as they were before


class ArticleVectors:
    """Tells how much alike a text and each article are in meaning: as its likest part is.

    Parameters
    ----------
    vectors : shape (n_parts, DIMENSIONS), rows of length one
    owners : shape (n_parts,), the article of each part, rising from 0, none without a part
    """

    def __init__(self, vectors: VectorArray, owners: IndexArray) -> None:
        self._vectors = vectors
        self._begins = np.searchsorted(owners, np.arange(owners[-1] + 1 if len(owners) else 0))

    def likeness(self, meaning: VectorArray) -> VectorArray:
        """Compare texts with every article.

        Parameters
        ----------
        meaning : vectors of the texts, shape (n_texts, DIMENSIONS), see `read_texts`

        Returns
        -------
        ndarray of shape (n_texts, n_articles), cosines in [-1, 1]
        """
        if not len(self._begins):
            return np.zeros((len(meaning), 0), dtype=np.float32)
        return np.maximum.reduceat(meaning @ self._vectors.T, self._begins, axis=1)


def read_texts(texts: Sequence[str]) -> VectorArray:
    """Read what texts mean, for `ArticleVectors.likeness`."""
    return load_encoder().encode(texts, READ_TOKENS)


def encode_articles(articles: Sequence[Article], cache: Path | None = None) -> ArticleVectors:
    """Read what articles mean; only parts that the cache does not know are read anew.

    Parameters
    ----------
    cache : folder to keep the vectors in; a cache that cannot be read or written is done without

    Raises
    ------
    ConfigurationError : the extra ``semantic`` is missing, or not the one this was made for
    """
    parts = _parts_of(articles)
    known = _read_cache(cache) if cache else {}
    missing = {part.name: part.text for part in parts if part.name not in known}
    if missing:
        found = load_encoder().encode(list(missing.values()), MEANING_TOKENS)
        # As exact as the cache keeps them, so that a restart changes no answer.
        known |= dict(zip(missing, found.astype(np.float16), strict=True))
        if cache:
            now = {part.name: known[part.name] for part in parts}
            _write_cache(cache, dict(islice((now | known).items(), max(len(now), _MAX_KEPT))))
    return _vectors(parts, known)


def cached_vectors(articles: Sequence[Article], cache: Path) -> ArticleVectors | None:
    """Take from the cache what articles mean; None where it does not know all of it."""
    parts, known = _parts_of(articles), _read_cache(cache)
    return _vectors(parts, known) if all(part.name in known for part in parts) else None


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of an article's text that has a vector; ``name`` stands for it in the cache."""

    owner: int
    text: str

    @property
    def name(self) -> str:
        return hashlib.sha256(f"{MODEL_SHA256}\0{self.text}".encode()).hexdigest()


def _parts_of(articles: Sequence[Article]) -> list[_Part]:
    split = _each if len(articles) <= MAX_PARTED else _joined
    return [
        _Part(owner, text)
        for owner, article in enumerate(articles)
        for text in _in_english(article, split(article))
    ]


def _in_english(article: Article, parts: Iterator[str]) -> Iterator[str]:
    """Say the parts of an article written in German in English, as German tickets are said."""
    if detect_language(article.body or article.title) != "de":
        return parts
    return map(load_glossary().in_english, parts)


def _each(article: Article) -> Iterator[str]:
    yield article.title
    yield from article.symptoms
    yield _whole(article)


def _joined(article: Article) -> Iterator[str]:
    yield "\n".join((article.title, *article.symptoms))
    yield _whole(article)


def _vectors(parts: Sequence[_Part], known: dict[str, npt.NDArray[np.float16]]) -> ArticleVectors:
    rows = [known[part.name] for part in parts]
    vectors = np.array(rows, dtype=np.float32).reshape(-1, DIMENSIONS)
    return ArticleVectors(vectors, np.array([part.owner for part in parts], dtype=np.int64))


def _whole(article: Article) -> str:
    return f"{article.title}\n{article.body}"


def _read_cache(folder: Path) -> dict[str, npt.NDArray[np.float16]]:
    path = folder / CACHE_FILE
    try:
        if path.stat().st_size > _MAX_CACHE_BYTES:
            return {}
        with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
            names, vectors = content["names"], content["vectors"]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, NotImplementedError, RuntimeError):
        return {}
    if names.ndim != 1 or vectors.dtype != np.float16 or vectors.shape != (len(names), DIMENSIONS):
        return {}
    return dict(zip(names.tolist(), vectors, strict=True))


def _write_cache(folder: Path, known: dict[str, npt.NDArray[np.float16]]) -> None:
    content = io.BytesIO()
    np.savez(content, names=np.array(list(known)), vectors=np.array(list(known.values())))
    temporary = folder / f".{CACHE_FILE}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary.write_bytes(content.getvalue())
        temporary.replace(folder / CACHE_FILE)
    except OSError:
        temporary.unlink(missing_ok=True)
