"""Follows the models folder and the knowledge base: what changes there serves without a restart."""

import threading
import time
from typing import TYPE_CHECKING

import structlog

from api.inference import Inference
from api.metrics import Metrics
from api.settings import Settings
from triage.article_vectors import ArticleVectors, cached_vectors, encode_articles
from triage.errors import TriageError
from triage.knowledge import KnowledgeBase, fingerprint, load_knowledge
from triage.semantic import is_available, load_encoder

if TYPE_CHECKING:
    from triage.engine import Engine

PERIOD_S = 2.0
"""Between two looks at the folders: a promotion or an edit serves within a few seconds."""

_log = structlog.get_logger()


class EngineWatch:
    """Puts another engine in the place of the one that answers, made ready beside the service.

    A promoted model is verified, loaded, asked the tickets whose answers its bundle keeps, and put
    in place in one step; what was begun is answered by the old one. Articles are read anew when
    their files change; until it is read what they mean, words alone decide. What cannot be read
    leaves everything as it was.
    """

    def __init__(
        self,
        inference: Inference,
        settings: Settings,
        metrics: Metrics,
        *,
        period_s: float = PERIOD_S,
    ) -> None:
        self._inference = inference
        self._settings = settings
        self._metrics = metrics
        self._folder = settings.kb
        self._cache = settings.models / "cache"
        self._period_s = period_s
        self._refused: str | None = None
        self._stopped = threading.Event()
        self._reads_meaning = is_available()
        known = cached_vectors(inference.engine.knowledge.articles, self._cache)
        if self._reads_meaning and known is not None:
            load_encoder()
            inference.engine = inference.engine.with_articles(inference.engine.knowledge, known)
            self._is_read = True
        else:
            self._is_read = not self._reads_meaning
        # What was served first was read before this; an edit meanwhile is read anew as well.
        self._seen: tuple[tuple[str, int, int], ...] | None = None
        self._thread = threading.Thread(target=self._run, name="engine-watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop following; a reading that was begun is left to end with the process."""
        self._stopped.set()
        self._thread.join(timeout=self._period_s)

    def _run(self) -> None:
        if not self._is_read:
            engine = self._inference.engine
            self._put_in_place(self._with_articles(engine, engine.knowledge))
        while not self._stopped.wait(self._period_s):
            for look in (self._follow_champion, self._follow_articles):
                try:
                    look()
                except TriageError as error:
                    _log.warning("not read anew", problem=str(error), kept="the earlier ones")
                except Exception as error:
                    # A defect of ours must not end the thread: nothing would be followed any more.
                    kind = type(error).__name__
                    _log.error("not read anew", problem=kind, kept="the earlier ones")

    def _follow_champion(self) -> None:
        # Loaded when first needed: it brings the core along, which a start must not wait for.
        from triage.bundle import champion

        name = champion(self._settings.models)
        if name is None or name in (self._inference.engine.version, self._refused):
            return
        began = time.monotonic()
        try:
            engine = self._loaded(name)
        except TriageError as error:
            self._refused = name
            self._metrics.count_swap("refused")
            _log.error("model refused", version=name, problem=str(error), serves="the one before")
            return
        self._put_in_place(engine)
        self._refused = None
        self._metrics.count_swap("done")
        _log.info("model changed", version=name, seconds=round(time.monotonic() - began, 2))

    def _loaded(self, name: str) -> "Engine":
        from triage.assistance import DeskRules
        from triage.engine import load_engine
        from triage.errors import BundleError
        from triage.golden import golden_faults

        settings = self._settings
        engine = load_engine(
            settings.models / name,
            keys=settings.keys_dir,
            knowledge=self._folder,
            rules=DeskRules(settings.handoff_min_completeness, settings.article_review_days),
        )
        if faults := golden_faults(engine):
            raise BundleError(f"bundle {name}: {faults}")
        return self._with_articles(engine, engine.knowledge)

    def _follow_articles(self) -> None:
        if self._folder is None or (now := fingerprint(self._folder)) == self._seen:
            return
        self._seen = now
        base = load_knowledge(self._folder)
        if base.version == self._inference.engine.knowledge.version:
            return
        self._put_in_place(self._with_articles(self._inference.engine, base))
        _log.info("articles read anew", articles=len(base.articles))

    def _with_articles(self, engine: "Engine", base: KnowledgeBase) -> "Engine":
        vectors: ArticleVectors | None = None
        if self._reads_meaning:
            try:
                vectors = encode_articles(base.articles, self._cache)
            except TriageError as error:
                _log.warning("meaning not read", problem=str(error), instead="words alone")
        return engine.with_articles(base, vectors)

    def _put_in_place(self, engine: "Engine") -> None:
        if not self._stopped.is_set():
            self._inference.engine = engine
