"""The words of a text: which of them tell something, what their stems and pieces are.

Good enough for English and German, and harmless elsewhere: a few endings are cut off, without a
dictionary and without knowing the language.
"""

import re
from functools import lru_cache

PIECE_LENGTH = 4
WORD_LIMIT = 40
"""Letters of a word that are looked at; longer ones are keys and encoded data."""

_ENGLISH = """
a about after again all already also am an and any anyone are as at back be because been before
being but by can cannot could couldn did didn do does doesn doing don done dear each else even
ever every everyone few for from get gets getting give go goes got had has have having he hello
help her here hi him his how however i if in into is isn it its just kind kindly know least let
like ll make many may me might mine more most much must my need needs no nobody nor not now of
on once one only or other our out own please pls regards s same see she should since so some
somebody someone something still such t team than thank thanks that the their them then there
these they thing this those through till to too tried tries try trying until up us use used
using ve very want wants was wasn we well were what when where which while who whole why will
with won would you your yours today tomorrow yesterday morning afternoon day days week weeks
monday tuesday wednesday thursday friday
"""
_GERMAN = """
ab aber alle allem alles als also am an ander andere anderen auch auf aus bei beim bereits best
bin bis bitte da damit danke dann das dass dein dem den denn der des die dies diese diesem
diesen dieser dieses doch dort du durch ein eine einem einen einer eines einfach er es etwas
euch fuer ganz gar gegen geht gerne gibt gruss gruesse gruessen guten habe haben hallo hat hatte
heute hier ich ihm ihn ihnen ihr ihre ihrem ihren im immer in ins ist ja jede jeden jeder jedes
jemand jetzt kann kein keine keinem keinen keiner koennen koennt koennte leider mal man mehr
mein meine meinem meinen meiner mich mir mit moechte morgen muss nach nicht nichts noch nun nur
ob oder ohne schon sehr sein seine seit sich sie sind so sobald soll sollte tag tage ueber um
und uns unser unsere unserem unseren vielen viele vom von vor wann war waren warum was wegen
weil wenn wer werden wie wieder wir wird wo wollte wurde wurden zu zum zur zwei freundlichen
freundliche montag dienstag mittwoch donnerstag freitag
"""
STOP_WORDS = frozenset(_ENGLISH.split() + _GERMAN.split())
"""Words that say nothing about what a ticket needs, folded."""

WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
# One ending that makes another kind of word and one that inflects it; the search finds the longest.
_ENDING = re.compile(r"(?<=.{3})(?:ion|ung|ing|ed|er)?(?:en|es|em|e|n|s)?$")
_WORDS_KEPT = (
    20_000  # tickets use the same words again and again; hostile ones cannot fill the memory
)
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


def words(text: str) -> list[str]:
    """List the words of a text that can tell something, as they are written there."""
    return [word for word in WORD.findall(text) if len(word) > 1 and fold(word) not in STOP_WORDS]


def stems(word: str) -> list[str]:
    """Reduce a word to its stem; a word with hyphens has those of its parts, too."""
    parts = fold(word).split("-")
    whole = "".join(parts)
    kept = [part for part in parts if len(part) > 1 and part not in STOP_WORDS]
    return list(dict.fromkeys(_stem(part) for part in (whole, *kept)))


def pieces(word: str) -> list[str]:
    """Cut a word into overlapping pieces of four letters, its ends marked by a blank."""
    padded = f" {fold(word).replace('-', '')} "
    last = max(len(padded) - PIECE_LENGTH, 0)
    return list(dict.fromkeys(padded[at : at + PIECE_LENGTH] for at in range(last + 1)))


def fold(word: str) -> str:
    """Bring a word into the form that is compared: small letters, no umlauts, not too long."""
    return _folded(word[:WORD_LIMIT])


@lru_cache(_WORDS_KEPT)
def _folded(word: str) -> str:
    return word.casefold().translate(_UMLAUTS)


def _stem(word: str) -> str:
    stem = _ENDING.sub("", word, count=1)
    return stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] else stem
