"""Every pattern, and cleaning as a whole, takes time that grows no faster than the text."""

import importlib
import pkgutil
import re
import time
from collections.abc import Callable, Iterator

import pytest

import triage
from triage.redact import redact
from triage.text import MAX_TEXT_CHARS, normalise, normalise_subject

SIZE = 2_000
GROWTH = 2.5
"""Doubling the text at most so much multiplies the time; linear is 2, quadratic 4."""

FLOOR_S = 0.002
"""Below this, the clock and the other processes decide, not the pattern."""

PIECES = (
    *"a1 -<>.@=&/:([\"'_+\n\t",
    *(
        "é",
        "\u0301",
        "\u200b",
        "aB",
        "a1",
        "a@",
        "a.",
        "@a.",
        "a@a.",
        "1 ",
        "1.",
        "1-",
        "+1 ",
        "(1",
    ),
    *(
        "0 ",
        "01 23",
        "1:",
        "::",
        "a:",
        "ab:",
        "- ",
        "> ",
        ">\n",
        "--\n",
        "-----",
        "= ",
        ", ",
        "...",
    ),
    *("password ", "password: ", "password is ", "password to ", "pw=", "pw='", "user ", "user: "),
    *("login as ", "password for a ", "zugangsdaten: a/", "benutzername ist ", "token=", "key: "),
    *(
        "bearer ",
        "eyJ",
        "eyJ-",
        "AKIA",
        "sk-",
        "://",
        "://a:",
        "-----BEGIN PRIVATE KEY-----",
        "ab12 ",
    ),
    *("de89 ", "DE89", "v ", "version 1.", "version ", "tel ", "phone ", "ticket", "ticket ", "0x"),
    *(
        "<br",
        "<br>",
        "<a href=",
        "<!--",
        "<script>",
        "</script",
        "<style>",
        "</",
        "&#",
        "&lt;",
        "&a",
    ),
    *("hi ", "hi, ", "hello team ", "dear a ", "regards ", "regards\n", "thanks. ", "thanks, a b "),
    *(
        " best regards ,",
        "On 2024 ",
        "On 2024\n",
        "wrote:",
        "From: a\n",
        "re: ",
        "re: hi, ",
        "[#1] ",
    ),
    *(
        "sent from my ",
        "ticketnumber ",
        "a b c d ",
        "sehr geehrte ",
        "nr no ",
        "ist is ",
        "x=",
        ";a=",
    ),
)


def compiled_patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    for module in pkgutil.iter_modules(triage.__path__):
        if module.name.startswith(("text", "redact", "article", "cues", "details", "inert")):
            names = vars(importlib.import_module(f"triage.{module.name}"))
            for name, value in names.items():
                yield from _patterns_in(f"{module.name}.{name}", value)


def _patterns_in(name: str, value: object) -> Iterator[tuple[str, re.Pattern[str]]]:
    if isinstance(value, re.Pattern):
        yield name, value
    elif isinstance(value, (tuple, list)):
        for number, part in enumerate(value):
            yield from _patterns_in(f"{name}[{number}]", part)


def seconds(work: Callable[[str], object], text: str) -> float:
    start = time.process_time()
    work(text)
    return time.process_time() - start


def grows_too_fast(work: Callable[[str], object], make: Callable[[int], str]) -> bool:
    """Measure short and long text again and again while it looks bad: other processes disturb."""
    once = twice = float("inf")
    for _ in range(25):
        twice = min(twice, seconds(work, make(2 * SIZE)))
        if twice <= FLOOR_S:
            return False
        once = min(once, seconds(work, make(SIZE)))
        if twice <= GROWTH * once:
            return False
    return True


def hostile_texts() -> Iterator[tuple[str, Callable[[int], str]]]:
    """Make repeated pieces, alone and with an end that keeps a pattern from matching."""
    for piece in PIECES:
        for end in ("", "~x"):
            yield f"{piece!r}*n+{end!r}", _repeated(piece, end)


def _repeated(piece: str, end: str) -> Callable[[int], str]:
    return lambda size: piece * (size // len(piece)) + end


PATTERNS = dict(compiled_patterns())


def test_the_patterns_are_found():
    modules = {name.partition(".")[0] for name in PATTERNS}

    assert {"text", "redact", "redact_cues", "redact_numbers"} <= modules
    assert len(PATTERNS) > 30


def test_a_quadratic_pattern_is_noticed():
    def search(text: str) -> object:
        return re.search(r"\w+@", text)

    assert grows_too_fast(search, _repeated("a", ""))
    assert not grows_too_fast(lambda text: re.search(r"(?<!\w)\w++@", text), _repeated("a", ""))


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_takes_linear_time(name):
    def search(text: str) -> None:
        for _ in PATTERNS[name].finditer(text):
            pass

    slow = [label for label, make in hostile_texts() if grows_too_fast(search, make)]

    assert slow == []


@pytest.mark.parametrize("work", [normalise, normalise_subject, redact])
def test_cleaning_takes_linear_time(work):
    slow = [label for label, make in hostile_texts() if grows_too_fast(work, make)]

    assert slow == []


def test_a_huge_text_is_cut_before_anything_else():
    text = "<br" * 2_000_000

    result = normalise(text)

    assert len(result) <= MAX_TEXT_CHARS
    assert seconds(normalise, text) < 1
