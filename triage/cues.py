"""Cue phrases: a small pattern language for what people write, which always takes linear time.

A desk's taxonomy says in it how a detail is recognised. Words in small letters match whole words in
any case, words with a capital as they are written; between two of them may stand spaces, commas,
quotes and the like, but no end of a sentence. ``print*`` and ``*drucker`` match the beginning and
the end of a word, ``[a|b c]`` one of several (``[a|]`` may be left out), ``...`` up to six words,
and ``{slot}`` what `triage.cue_slots` has.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

from triage.cue_slots import SLOTS

MAX_PHRASE_CHARS = 2_000
"""Longest cue phrase; alternatives take room."""

# Every repetition is bounded or possessive, so that a start that leads nowhere costs a constant.
_APART = r"[^\w.!?<\\]{1,4}"
_GAP = rf"(?:{_APART}\w[\w'’/@.-]{{0,40}}+){{0,6}}?"

_LEAST_SHOUTED = 30  # letters; a shorter text may be one code beside another

_WORD = re.compile(r"\w++")
_ELEMENT = re.compile(r"\[[^\[\]]*+\]|\{\w++\}|\.\.\.|<\w++>|[^\s\[\]{}]++")


class Passage:
    """A text to look for cue phrases in."""

    def __init__(self, text: str) -> None:
        # "İ" is the one letter that gets longer, and every place must stay.
        self.lowered = text.replace("İ", "i").lower()
        # Where somebody shouts, a capital tells nothing.
        self.text = self.lowered if _is_shouted(text) else text
        self._starts: dict[str, list[int]] = {}

    @cached_property
    def words(self) -> dict[str, list[int]]:
        """Where each word begins, in small letters; a number is a word, a sign is none."""
        words: dict[str, list[int]] = {}
        for found in _WORD.finditer(self.lowered):
            words.setdefault(found[0], []).append(found.start())
        return words

    def starts_of(self, slot: str) -> list[int]:
        """List where a slot begins; looked for once, however many phrases begin with it."""
        if slot not in self._starts:
            self._starts[slot] = [found.start() for found in _slot(slot).finditer(self.text)]
        return self._starts[slot]

    def without(self, phrases: Iterable["Phrase"]) -> "Passage":
        """Put exclamation marks, which no phrase goes beyond, where one of the phrases stands."""
        text = self.text
        for one in phrases:
            for start, end in one.spans(self):
                text = text[:start] + "!" * (end - start) + text[end:]
        return self if text == self.text else Passage(text)


def _is_shouted(text: str) -> bool:
    letters = sum(map(str.isalpha, text))
    return letters > _LEAST_SHOUTED and sum(map(str.isupper, text)) > 0.7 * letters


class Phrase:
    """A cue phrase, ready to be looked for."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._elements = _elements(text)
        self._anchors = max(
            (one.anchors for one in self._elements if one.kind == "one" and one.anchors),
            key=lambda anchors: min(map(len, anchors)),  # the rarer, going by the length
            default=(),
        )

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The phrase as a regular expression; made when a text may hold it."""
        source = self._elements[0].source
        for one in self._elements[1:]:
            if one.kind == "gap":
                source += _GAP
            elif one.kind == "optional":
                source += f"(?:{_APART}{one.source})?"
            else:
                source += _APART + one.source
        return re.compile(source, re.IGNORECASE)

    def prime(self) -> None:
        """Make the pattern now."""
        assert self.pattern

    def find(self, passage: Passage) -> tuple[int, int] | None:
        """Find the first place of the phrase."""
        return next(self.spans(passage), None)

    def spans(self, passage: Passage) -> Iterator[tuple[int, int]]:
        """Find every place of the phrase, without overlaps."""
        lowered = passage.lowered
        if self._anchors and not any(map(lowered.__contains__, self._anchors)):
            return
        done = 0
        for place in self._places(passage):
            if place >= done and (found := self.pattern.match(passage.text, place)):
                yield found.span()
                done = found.end()

    def _places(self, passage: Passage) -> list[int]:
        """List where the phrase may begin: finding a word first is many times faster."""
        first = self._elements[0]
        places: set[int] = set()
        for word in passage.words.keys() & first.words:
            places.update(passage.words[word])
        for piece in first.pieces:
            place = passage.lowered.find(piece)
            while place >= 0:
                places.add(place)
                place = passage.lowered.find(piece, place + 1)
        for slot in first.slots:
            places.update(passage.starts_of(slot))
        return sorted(places)


@lru_cache(maxsize=8192)
def phrase(text: str) -> Phrase:
    """Read a cue phrase.

    Raises
    ------
    ValueError : it is empty or too long, a slot does not exist, a bracket is not closed, or it
        begins or ends with what may be left out
    """
    return Phrase(text)


@dataclass(frozen=True, slots=True)
class _Element:
    """A part of a phrase as a regular expression.

    ``anchors`` are letters of which a text must hold some, where that is known. It begins with one
    of the ``words``, of the ``pieces`` of words, or of the ``slots``.
    """

    kind: Literal["one", "optional", "gap"]
    source: str = ""
    anchors: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()
    pieces: tuple[str, ...] = ()
    slots: tuple[str, ...] = ()


def _elements(text: str) -> list[_Element]:
    if not text.strip() or len(text) > MAX_PHRASE_CHARS:
        raise ValueError(f"a phrase has 1 to {MAX_PHRASE_CHARS} characters")
    parts = _ELEMENT.findall(text)
    if "".join(parts).replace(" ", "") != "".join(text.split()):
        raise ValueError("a bracket is not closed, or closed without being opened")
    elements = [_element(part, is_first=not number) for number, part in enumerate(parts)]
    if elements[0].kind != "one" or elements[-1].kind != "one":
        raise ValueError("a phrase begins and ends with what must be there")
    return elements


def _element(part: str, *, is_first: bool) -> _Element:
    if part == "...":
        return _Element("gap")
    if not part.startswith("["):
        return _choice([[part]], "one", is_first)
    choices = [choice.split() for choice in part[1:-1].split("|")]
    written = [choice for choice in choices if choice]
    if not written:
        raise ValueError("a choice has no alternatives")
    kind: Literal["one", "optional"] = "one" if len(written) == len(choices) else "optional"
    return _choice(written, kind, is_first)


def _choice(choices: list[list[str]], kind: Literal["one", "optional"], is_first: bool) -> _Element:
    source = "|".join(
        _APART.join(_source(word, is_first and not place) for place, word in enumerate(words))
        for words in choices
    )
    anchors = tuple(max(map(_letters, words), key=len) for words in choices)
    firsts = [words[0] for words in choices]
    wholes = [found[0] for word in firsts if (found := _WORD.match(word)) and word[-1] != "*"]
    return _Element(
        kind,
        f"(?:{source})",
        anchors if kind == "one" and all(anchors) else (),
        frozenset(whole.lower() for whole in wholes),
        tuple(_letters(w) for w in firsts if not w[0].isalnum() or w[-1] == "*" if _letters(w)),
        tuple(word[1:-1] for word in firsts if word.startswith("{")),
    )


def _source(word: str, is_first: bool) -> str:
    """Write one word or slot as a regular expression."""
    if word.startswith("{"):
        slot = SLOTS.get(word[1:-1])
        if slot is None:
            raise ValueError(f"there is no slot {word}; there are {', '.join(SLOTS)}")
        return rf"(?<!\w){slot}(?!\w)" if is_first else rf"{slot}(?!\w)"
    letters = word.strip("*")
    if not letters or "*" in letters:
        raise ValueError("a star stands at the beginning or the end of a word")
    if word.startswith("*"):
        # At the beginning, the place of the letters is known, and nothing before them is needed.
        before = "" if is_first else r"\w{0,30}?"
    else:
        before = r"(?<!\w)" if is_first else ""
    source = re.escape(letters) if letters == letters.lower() else f"(?-i:{re.escape(letters)})"
    return before + source + (r"\w{0,30}+" if word.endswith("*") else r"(?!\w)")


def _letters(word: str) -> str:
    """Give the letters that a text must hold where the word stands; none for a slot."""
    return "" if word.startswith("{") else word.strip("*").lower()


@lru_cache(maxsize=len(SLOTS))
def _slot(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{SLOTS[name]})", re.IGNORECASE)
