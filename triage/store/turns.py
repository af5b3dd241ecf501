"""Group commit: threads that write at once share a transaction, and one wait for the disk."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

T = TypeVar("T")
Work = Callable[[Session], Any]

_MOST = 64
"""Pieces of work in one transaction: nobody waits long for the others'."""


class Turns:
    """Lets the threads of a process write one after the other, those that wait together.

    Databases let a writer wait for another in sleeps that grow, and each commit waits for the disk.
    The thread whose turn it is does the work of all that wait behind it.
    """

    def __init__(self, writing: Callable[[], AbstractContextManager[Session]]) -> None:
        self._writing = writing
        self._lock = Lock()
        self._waiting: deque[tuple[Work, Future[Any]]] = deque()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Take a turn for a transaction of one's own."""
        with self._lock:
            yield

    def share(self, work: Callable[[Session], T]) -> T:
        """Do a small piece of work in a transaction, perhaps one with others' work in it.

        Work that raises is undone alone, and raises here. When this returns, it is on disk.
        """
        future: Future[T] = Future()
        self._waiting.append((work, future))
        with self._lock:
            # Perhaps the one before did it along with theirs.
            while not future.done():
                here = min(_MOST, len(self._waiting))
                self._do([self._waiting.popleft() for _ in range(here)])
        return future.result()

    def _do(self, group: list[tuple[Work, Future[Any]]]) -> None:
        done: list[tuple[Future[Any], Any, BaseException | None]] = []
        try:
            with self._writing() as session:
                session.connection()  # begins here: a database that cannot be used fails all
                for work, future in group:
                    try:
                        with session.begin_nested():
                            result = work(session)
                            session.flush()
                    except (OperationalError, InterfaceError):
                        raise
                    except Exception as error:
                        done.append((future, None, error))
                    else:
                        done.append((future, result, None))
        except BaseException as error:
            done = [(future, None, error) for _, future in group]
            if not isinstance(error, Exception):
                raise
        finally:
            for future, result, problem in done:
                if problem is not None:
                    future.set_exception(problem)
                else:
                    future.set_result(result)
