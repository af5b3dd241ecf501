"""What redaction finds, and how its finders look for it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["email", "ip", "mac", "card", "iban", "phone", "password", "username", "secret"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A piece of personal data: ``text[start:end]`` is a ``kind``."""

    kind: Kind
    start: int
    end: int


Finder = Callable[[str, str, tuple[str, ...]], Iterator[Finding]]
"""Takes a text, the same in small letters, and the hints of which the text holds one at least.

Yields findings by place, without overlaps.
"""


def at_hints(
    pattern: re.Pattern[str], lowered: str, hints: tuple[str, ...]
) -> Iterator[re.Match[str]]:
    """Match a pattern that begins with a hint; finding the hints first is several times faster."""
    places = set()
    for hint in hints:
        place = lowered.find(hint)
        while place >= 0:
            places.add(place)
            place = lowered.find(hint, place + 1)
    for place in sorted(places):
        if found := pattern.match(lowered, place):
            yield found
