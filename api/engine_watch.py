"""Follows the knowledge base: what changes in its folder is offered without a restart."""

import threading
from pathlib import Path

import structlog

from api.inference import Inference
from triage.article_vectors import ArticleVectors, cached_vectors, encode_articles
from triage.errors import TriageError
from triage.knowledge import KnowledgeBase, fingerprint, load_knowledge
from triage.semantic import is_available, load_encoder

PERIOD_S = 2.0
"""Between two looks at the folder: an edit is offered within a few seconds."""

_log = structlog.get_logger()


class ArticleWatch:
    """Reads what articles mean, and reads them anew when their files change, beside the service.

    Until meaning is read, words alone decide, so that a start need not wait for it; what the cache
    knows is there from the start. A folder that cannot be read leaves the articles as they were.

    Parameters
    ----------
    folder : of the articles, or None where they came with the model and never change
    cache : folder for the articles' sentence vectors
    """

    def __init__(
        self, inference: Inference, folder: Path | None, *, cache: Path, period_s: float = PERIOD_S
    ) -> None:
        self._inference = inference
        self._folder = folder
        self._cache = cache
        self._period_s = period_s
        self._stopped = threading.Event()
        self._reads_meaning = is_available()
        known = cached_vectors(inference.engine.knowledge.articles, cache)
        if self._reads_meaning and known is not None:
            load_encoder()
            inference.engine = inference.engine.with_articles(inference.engine.knowledge, known)
            self._is_read = True
        else:
            self._is_read = not self._reads_meaning
        self._thread = threading.Thread(target=self._run, name="articles", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop following; a reading that was begun is left to end with the process."""
        self._stopped.set()
        self._thread.join(timeout=self._period_s)

    def _run(self) -> None:
        if not self._is_read:
            self._offer(self._inference.engine.knowledge)
        # What was served first was read before this; an edit meanwhile is read anew as well.
        seen: tuple[tuple[str, int, int], ...] | None = None
        while self._folder and not self._stopped.wait(self._period_s):
            now = fingerprint(self._folder)
            if now == seen:
                continue
            seen = now
            try:
                base = load_knowledge(self._folder)
                if base.version == self._inference.engine.knowledge.version:
                    continue
                self._offer(base)
            except TriageError as error:
                _log.warning("articles not read", problem=str(error), kept="the earlier ones")
            except Exception as error:
                # A defect of ours must not end the thread: no later edit would ever be offered.
                _log.error("articles not read", problem=type(error).__name__, kept="earlier ones")
            else:
                _log.info("articles read anew", articles=len(base.articles))

    def _offer(self, base: KnowledgeBase) -> None:
        vectors: ArticleVectors | None = None
        if self._reads_meaning:
            try:
                vectors = encode_articles(base.articles, self._cache)
            except TriageError as error:
                _log.warning("meaning not read", problem=str(error), instead="words alone")
        if not self._stopped.is_set():
            self._inference.engine = self._inference.engine.with_articles(base, vectors)
