"""The process around the application: its socket, its uvicorn, its end."""

import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.supervisors import Multiprocess

from api.metrics import MULTIPROCESS_FOLDER
from api.settings import Settings
from triage.errors import ConfigurationError, TriageError

# Together with the writer's flush this stays within the 10 s an operator is promised.
_GRACE_S = 7

_SILENT_S = 30
"""How long a worker may give no sign before it is replaced: on a busy machine it takes more than
uvicorn's 5 s to import everything, and would be killed and begun again for ever."""


class ImpatientProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, closing connections that never finish their request's head.

    uvicorn's own timer runs between requests only: one byte of a request stops it for good.
    """

    def __init__(self, *args: Any, timeout_s: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timeout_s = timeout_s
        self._timer: Any = None

    def connection_made(self, transport: Any) -> None:
        """Start to wait for the first request's head."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take bytes, and see whether a request's head is complete by now."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop to wait."""
        self._stop()
        super().connection_lost(exc)

    def _watch(self) -> None:
        has_request = self.cycle is not None and not self.cycle.response_complete
        if has_request or self.transport.is_closing():
            self._stop()
        elif self._timer is None:
            self._timer = self.loop.call_later(self._timeout_s, self.transport.close)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


@contextmanager
def listen(settings: Settings) -> Iterator[socket.socket]:
    """Open the socket that the service is reached at.

    Raises
    ------
    ConfigurationError : the port is taken or forbidden, or the host has no such address
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on port {settings.port} of {settings.host}: {error.strerror}; "
            "choose another with TRIAGE_PORT and TRIAGE_HOST"
        ) from error
    with listener:
        structlog.get_logger().info("listening", host=settings.host, port=listener.getsockname()[1])
        yield listener


def run(app: FastAPI, settings: Settings, listener: socket.socket) -> None:
    """Serve an application from this process until SIGTERM or SIGINT.

    Answers in flight are finished; uvicorn then raises the signal again, and SIGTERM ends the
    process with exit code 0.
    """
    signal.signal(signal.SIGTERM, _leave)
    server = uvicorn.Server(_config(app, settings))
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listener])


def run_workers(factory: str, settings: Settings, listener: socket.socket) -> None:
    """Serve from several processes, each making the application anew from the environment.

    Raises
    ------
    TriageError : a worker could not start
    """
    os.environ.update(settings.to_environment())
    with tempfile.TemporaryDirectory(prefix="ticket-triage-") as folder:
        os.environ[MULTIPROCESS_FOLDER] = folder
        config = _config(factory, settings, factory=True, workers=settings.workers)
        supervisor = Multiprocess(config, sockets=[listener])
        supervisor.run()
    if any(process.exitcode == uvicorn.config.STARTUP_FAILURE for process in supervisor.processes):
        raise TriageError("a worker could not start; the log line above tells why")


def _config(app: FastAPI | str, settings: Settings, **more: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=partial(ImpatientProtocol, timeout_s=settings.request_timeout_s),  # type: ignore[arg-type]
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
        timeout_worker_healthcheck=_SILENT_S,
        **more,
    )


def _leave(_signal: int, _frame: Any) -> None:
    raise SystemExit(0)
