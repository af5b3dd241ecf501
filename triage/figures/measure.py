"""A measure: one question that is asked of every record, such as a ticket that has ended."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from triage.figures.figure import Unit

T = TypeVar("T")


def _always(record: object) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Measure(Generic[T]):
    """A question asked of every record that it ``concerns``; the answer ``of`` one may be None.

    ``of`` answers a share with truth values and a mean with numbers. Of a family there is one
    measure a ``tier``.
    """

    name: str
    title: str
    unit: Unit
    how: str
    of: Callable[[T], float | None]
    concerns: Callable[[T], bool] = _always
    family: str | None = None
    tier: str | None = None
