"""The composition root of the service: settings, engine and store become an application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib import metadata
from typing import TYPE_CHECKING

import structlog
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from uvicorn.config import STARTUP_FAILURE

from api import openapi, problems
from api.access import AccessLog
from api.drift_watch import DriftWatch
from api.engine_watch import EngineWatch
from api.inference import Inference
from api.limits import BodyLimits, SecurityHeaders
from api.logs import configure_events, configure_process
from api.metrics import Metrics
from api.pages import routers as page_routers
from api.past import DeskPast
from api.retention import Retention
from api.routes import articles as article_routes
from api.routes import feedback, handoff, health, model, tickets, triage
from api.schemas import BODY_FIELDS
from api.security import KeyRing
from api.server import listen, run, run_workers
from api.service import Service
from api.settings import Settings, load_settings
from api.writer import SuggestionWriter
from triage.errors import TriageError
from triage.store import Store, open_store

if TYPE_CHECKING:
    from triage.engine import Engine

_FLUSH_S = 2.0
"""How long the end of the process waits for suggestions to be stored."""

_DESCRIPTION = """\
Send a ticket, get back where it belongs (tier and category), how sure that is, and what tier 1
should do first. Errors are problem documents (RFC 9457) and never repeat what was sent.
Keys go in `X-API-Key`."""


def create_app(
    settings: Settings, *, engine: "Engine | None" = None, store: Store | None = None
) -> FastAPI:
    """Make the application. What is not given is loaded when it starts; it closes the store.

    Raises
    ------
    TriageError : when it starts: the model or the database cannot be used
    """
    configure_events(settings.log_level)
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        loaded = engine if engine is not None else _load_engine(settings)
        opened = store if store is not None else open_store(settings.database_url)
        past = DeskPast(opened, metrics, window=timedelta(minutes=settings.incident_window_minutes))
        inference = Inference(loaded, past)
        watch = EngineWatch(inference, settings, metrics)
        writer = SuggestionWriter(opened, capacity=settings.store_queue, metrics=metrics)
        app.state.service = Service(
            settings=settings,
            past=past,
            inference=inference,
            store=opened,
            writer=writer,
            keys=KeyRing(opened),
            metrics=metrics,
        )
        retention = Retention(opened, settings.retention_days)
        retention.start()
        drift = DriftWatch(opened, inference, metrics)
        drift.start()
        past.start()
        try:
            yield
        finally:
            watch.close()
            inference.close()
            await run_in_threadpool(retention.close, _FLUSH_S)
            await run_in_threadpool(drift.close, _FLUSH_S)
            await run_in_threadpool(past.close, _FLUSH_S)
            await run_in_threadpool(writer.close, _FLUSH_S)
            opened.close()

    app = FastAPI(
        title="ticket-triage",
        version=_version(),
        summary="Triage for tiered IT help desks",
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # FastAPI would hand refused bodies and exception messages to any exporter it finds.
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
    )
    problems.install(app, BODY_FIELDS)
    openapi.describe(app)
    for router in (
        triage.router,
        handoff.router,
        feedback.router,
        tickets.router,
        article_routes.router,
        model.router,
        health.router,
        health.index_router(_version()),
        health.metrics_router(is_open=settings.is_loopback),
        *page_routers,
    ):
        app.include_router(router)
    # The last one added is the first to see a request.
    app.add_middleware(
        BodyLimits, max_bytes=settings.max_body_bytes, timeout_s=settings.request_timeout_s
    )
    app.add_middleware(AccessLog, metrics=metrics)
    app.add_middleware(SecurityHeaders)
    return app


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises
    ------
    TriageError : the model or the database cannot be used, the address cannot be listened on,
        or the service would be reachable from elsewhere while no key exists
    """
    configure_process(settings.log_level)
    store = open_store(settings.database_url)
    if not settings.is_loopback and not store.list_keys():
        raise TriageError(
            f"no API key exists, so nobody could call the service on {settings.host}; "
            "make one with `triage keys create NAME --scope predict`, or listen on 127.0.0.1"
        )
    engine = _load_engine(settings)
    with listen(settings) as listener:
        if settings.workers == 1:
            run(create_app(settings, engine=engine, store=store), settings, listener)
        else:
            # Each worker opens its own; this was to see that they can.
            del engine
            store.close()
            run_workers("api.app:app_from_environment", settings, listener)


def app_from_environment() -> FastAPI:
    """Make the application from TRIAGE_* and triage.toml: what worker processes call.

    When the model or the database cannot be used, it logs why and ends the process.
    """
    try:
        settings = load_settings()
        configure_process(settings.log_level)
        return create_app(
            settings, engine=_load_engine(settings), store=open_store(settings.database_url)
        )
    except TriageError as error:
        configure_process("error")
        structlog.get_logger().error("cannot start", problem=str(error))
        raise SystemExit(STARTUP_FAILURE) from error


def _load_engine(settings: Settings) -> "Engine":
    from triage.assistance import DeskRules
    from triage.engine import open_engine

    engine = open_engine(
        settings.models,
        keys=settings.keys_dir,
        knowledge=settings.kb,
        taxonomy=settings.taxonomy,
        rules=DeskRules(settings.handoff_min_completeness, settings.article_review_days),
    )
    log = structlog.get_logger()
    if engine.basis == "knowledge":
        log.warning(
            "no model yet",
            answers="by likeness to articles alone, never to be routed unseen",
            articles=len(engine.knowledge.articles),
            next="train on past tickets (triage train), then start again",
        )
    log.info("answering", basis=engine.basis, version=engine.version)
    return engine


def _version() -> str:
    try:
        return metadata.version("ticket-triage")
    except metadata.PackageNotFoundError:
        return "0+checkout"
