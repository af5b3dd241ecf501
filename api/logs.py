"""Logs for machines: one JSON object a line on stderr, never with ticket text or keys in it."""

import logging
import sys
import traceback
from typing import Any

import structlog
from structlog.types import EventDict, Processor, WrappedLogger


def configure_events(level: str) -> None:
    """Make structlog write JSON to stderr, from a level on: debug, info, warning or error.

    An exception is told by its type and the places it passed, without its message: messages of
    libraries quote what they could not handle, which here is somebody's ticket.
    """
    structlog.configure(
        processors=[*_shared(), _json()],
        wrapper_class=structlog.make_filtering_bound_logger(_number(level)),
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def configure_process(level: str) -> None:
    """Make everything this process logs JSON on stderr, the standard library's records too."""
    configure_events(level)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *_shared()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _json()],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    # Libraries tell at info what they were asked: addresses, statements, whatever is in them.
    root.setLevel(max(_number(level), logging.WARNING))
    logging.getLogger("uvicorn").setLevel(_number(level))


def _number(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]


def _shared() -> list[Processor]:
    return [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _tell_exception_without_message,
    ]


def _json() -> Processor:
    return structlog.processors.JSONRenderer(ensure_ascii=True)


def _places(error: BaseException) -> list[str]:
    """List where an exception passed, outermost first, as ``file:line function``."""
    frames = traceback.extract_tb(error.__traceback__)
    return [
        f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno} {frame.name}"
        for frame in frames
    ]


def _tell_exception_without_message(
    _logger: WrappedLogger, _method: str, event: EventDict
) -> EventDict:
    error = _exception_of(event.pop("exc_info", None))
    if error is not None:
        event["exception"] = type(error).__qualname__
        event["places"] = _places(error)
    return event


def _exception_of(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None
