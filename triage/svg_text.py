"""Text of strangers inside an SVG: escaped, on one line, and no wider than its place."""

import unicodedata
from html import escape

SIZE = 12
SMALL = 10.5

_LETTER = 0.6  # width of a usual letter, in sizes; no font is at hand to measure with
_NARROW, _BROAD = frozenset("iljtfr.,:;'|!()[] "), frozenset("mwMW@%")
_MARKS_ON_A_LETTER = 2  # more of them climb out of the line
_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def clean(text: str) -> str:
    """Put a text on one line, without what cannot be seen, turns the line round, or climbs out."""
    kept: list[str] = []
    marks = 0
    for letter in unicodedata.normalize("NFC", text):
        kind = unicodedata.category(letter)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if marks <= _MARKS_ON_A_LETTER:
            kept.append(" " if kind in _UNSEEN else letter)
    return " ".join("".join(kept).split())


def width(text: str, size: float = SIZE) -> float:
    """Estimate the width of a clean text."""
    return sum(map(_units, text)) * _LETTER * size


def shortened(text: str, room: float, size: float = SIZE) -> str:
    """Cut a clean text to a width; an ellipsis says so."""
    if width(text, size) <= room:
        return text
    left, kept = room - width("…", size), []
    for letter in text:
        left -= _units(letter) * _LETTER * size
        if left < 0:
            break
        kept.append(letter)
    return "".join(kept).rstrip() + "…"


def text_at(
    text: str,
    x: float,
    y: float,
    *,
    room: float,
    anchor: str = "start",
    size: float = SIZE,
    kind: str = "chart-text",
) -> str:
    """Write a text on the line at ``y``; what had to be cut off is told to a pointer."""
    whole = clean(text)
    shown = shortened(whole, room, size)
    title = f"<title>{escape(whole)}</title>" if shown != whole else ""
    return (
        f'<text x="{number(x)}" y="{number(y)}" font-size="{number(size)}" '
        f'text-anchor="{anchor}" fill="currentColor" class="{kind}">{title}{escape(shown)}</text>'
    )


def number(value: float) -> str:
    """Write a coordinate."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


def _units(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0.0
    if unicodedata.east_asian_width(letter) in ("W", "F"):
        return 1.9
    if letter in _NARROW:
        return 0.55
    return 1.7 if letter in _BROAD else 1.25 if letter.isupper() else 1.0
