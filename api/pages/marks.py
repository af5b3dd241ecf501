"""The words of a ticket that spoke for its tier and its category, found again in its text."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(r"\S+|\s+")
_MAX_WORDS = 8


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text, and what its words spoke for."""

    text: str
    for_tier: bool = False
    for_category: bool = False

    @property
    def mark(self) -> str:
        """Name the mark: "tier", "category", "both", or nothing."""
        if self.for_tier and self.for_category:
            return "both"
        return "tier" if self.for_tier else "category" if self.for_category else ""


def words_for(explanation: Mapping[str, Sequence[Mapping[str, Any]]], target: str) -> list[str]:
    """List the words that spoke for a label of a target, the strongest first."""
    return [term["term"] for term in explanation.get(target, ()) if term["weight"] > 0][:_MAX_WORDS]


def mark_words(text: str, tier: Collection[str], category: Collection[str]) -> list[Piece]:
    """Cut a text into pieces so that words that spoke for a label stand apart.

    Parameters
    ----------
    tier, category : the words, as `triage.explain` writes them
    """
    # Loaded when first needed: it brings the core along, which a start must not wait for.
    from triage.explain import bare
    from triage.ngrams import fold

    pieces: list[Piece] = []
    for token in _TOKEN.findall(text):
        word = bare(fold(token))
        marked = (bool(word) and word in tier, bool(word) and word in category)
        if pieces and not any(marked) and not pieces[-1].mark:
            pieces[-1] = Piece(pieces[-1].text + token)
        else:
            pieces.append(Piece(token, *marked))
    return pieces
