"""Ticket triage for tiered help desks: tickets in, suggestions out.

For notebooks: ``from triage import Ticket, load_engine``; docs/tutorial.md shows how.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from triage.engine import load_engine
    from triage.ticket import Ticket

__all__ = ["Ticket", "load_engine"]


def __getattr__(name: str) -> Any:
    # Imported when asked for: commands import this package and must not wait for numpy.
    if name == "load_engine":
        from triage.engine import load_engine

        return load_engine
    if name == "Ticket":
        from triage.ticket import Ticket

        return Ticket
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
