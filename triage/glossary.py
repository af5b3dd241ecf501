"""The help desk's words in English and German: what means the same, and how English says it.

The groups of data/glossary.toml bridge what a ticket says and what an article says: "Kennwort",
"pw" and "login secret" are one concept. A German compound that no group lists is cut into parts
that groups do list.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from triage.taxonomy import data_text
from triage.words import STOP_WORDS, WORD, fold

MAX_PHRASE = 4
"""Words of the longest phrase that is looked up."""

_SHORTEST_PART = 3  # letters of a part of a compound; shorter ones are found in any word
_JOINTS = ("", "s", "n", "en", "es", "e", "-")  # what German puts between the parts
_WORDS_KEPT = 20_000  # compounds remembered; hostile text cannot fill the memory


@dataclass(frozen=True, slots=True)
class Found:
    """A phrase of a text that is in the glossary: its words' places, its groups, its language."""

    first: int
    last: int
    groups: tuple[int, ...]


class Glossary:
    """Groups of phrases that mean the same.

    Parameters
    ----------
    groups : for each group its English phrases, the plain one first, its German ones, and whether
        it is of everyday words, which serve to translate and are no concept
    """

    def __init__(self, groups: list[tuple[list[str], list[str], bool]]) -> None:
        self._english = [english[0] for english, _, _ in groups]
        self._everyday = {number for number, (*_, everyday) in enumerate(groups) if everyday}
        self._groups: dict[tuple[str, ...], tuple[int, ...]] = {}
        self._parts: dict[str, tuple[int, ...]] = {}
        for number, (english, german, _) in enumerate(groups):
            for phrase in (*english, *german):
                words = tuple(_folded(phrase))
                known = self._groups.get(words, ())
                if words and number not in known:
                    self._groups[words] = (*known, number)
            for phrase in german:
                part = fold(phrase)
                if len(part) >= _SHORTEST_PART and part.isalpha() and part not in STOP_WORDS:
                    self._parts.setdefault(part, (number,))
        # The most words of a phrase that begins with a word: most words begin none.
        self._longest: dict[str, int] = {}
        for first, *rest in self._groups:
            self._longest[first] = max(self._longest.get(first, 0), 1 + len(rest))
        self._split = lru_cache(_WORDS_KEPT)(self._split_compound)

    def concepts(self, text: str) -> list[int]:
        """List the groups that a text's phrases belong to, in their order, as often as they come.

        Phrases of words that say nothing by themselves are passed over.
        """
        words = _folded(text)
        return [
            group
            for found in self._look_up(words)
            if not STOP_WORDS.issuperset(words[found.first : found.last + 1])
            for group in found.groups
            if group not in self._everyday
        ]

    def in_english(self, text: str) -> str:
        """Say a German text word by word in English; what the glossary does not know stays."""
        spans = [match.span() for match in WORD.finditer(text)]
        words = [fold(text[begin:end]) for begin, end in spans]
        said, at = [], 0
        for found in self._look_up(words):
            begin, end = spans[found.first][0], spans[found.last][1]
            said += [text[at:begin], " ".join(self._english[group] for group in found.groups)]
            at = end
        return "".join([*said, text[at:]])

    def _look_up(self, words: list[str]) -> Iterator[Found]:
        """Find phrases, the longest from each place on; they never overlap."""
        place = 0
        while place < len(words):
            longest = min(self._longest.get(words[place], 0), MAX_PHRASE, len(words) - place)
            for length in range(longest, 0, -1):
                groups = self._groups.get(tuple(words[place : place + length]))
                if groups is not None:
                    # Of several meanings the first listed is the usual one.
                    yield Found(place, place + length - 1, groups[:1])
                    place += length
                    break
            else:
                if parts := self._split(words[place]):
                    yield Found(place, place, parts)
                place += 1

    def _split_compound(self, word: str) -> tuple[int, ...]:
        """Cut a compound into listed parts, the longest first; empty when it does not come out."""
        if len(word) < 2 * _SHORTEST_PART:
            return ()
        for end in range(len(word) - _SHORTEST_PART, _SHORTEST_PART - 1, -1):
            head = self._parts.get(word[:end])
            if head is None:
                continue
            for joint in _JOINTS:
                rest = word[end:]
                if not rest.startswith(joint):
                    continue
                tail = rest[len(joint) :]
                found = self._parts.get(tail) or self._groups.get((tail,))
                if found and tail not in STOP_WORDS:
                    return (*head[:1], *found[:1])
                if deeper := self._split(tail):
                    return (*head[:1], *deeper)
        return ()


@lru_cache(maxsize=1)
def load_glossary() -> Glossary:
    """Give the glossary that comes with the package, read when it is first asked for."""
    content = tomllib.loads(data_text("glossary.toml"))
    return Glossary(
        [(entry["en"], entry["de"], entry.get("everyday", False)) for entry in content["group"]]
    )


def _folded(text: str) -> list[str]:
    return [fold(match[0]) for match in WORD.finditer(text)]
