"""Work that is done beside the service, again and again, in a thread of its own."""

import threading
from collections.abc import Callable

import structlog

from triage.errors import TriageError


class Chore:
    """Does its work some time after the start, and then every so often; nothing waits for it.

    Each worker process does it: to agree on one of them would take a lock that a killed worker may
    leave behind. What goes wrong is logged, and the work is done again the next time.

    Parameters
    ----------
    name : of the thread and in the log
    first_s, period_s : seconds until the first time, and between two times
    """

    def __init__(
        self, name: str, work: Callable[[], None], *, first_s: float = 0.0, period_s: float
    ) -> None:
        self._name = name
        self._work = work
        self._first_s = first_s
        self._period_s = period_s
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self, timeout_s: float) -> None:
        """Stop after what is being done."""
        self._is_closing.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        wait_s = self._first_s
        while not self._is_closing.wait(wait_s):
            wait_s = self._period_s
            try:
                self._work()
            except TriageError as error:
                structlog.get_logger().error(self._name, problem=str(error))
            except Exception as error:
                # A defect of ours must not end the thread.
                structlog.get_logger().error(self._name, exc_info=error)
