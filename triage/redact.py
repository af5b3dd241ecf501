"""Personal data and secrets out of text. Every pattern for them lives in the redact modules.

Made for text that ``triage.text.normalise`` has cleaned (it undoes full-width digits and invisible
characters), English and German; works on any text. A URL stays, without what gives access: user
info and the values of parameters such as ``token`` and ``password``.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial

from triage.redact_cues import login_pairs, passwords, usernames
from triage.redact_finding import Finder, Finding, Kind, at_hints
from triage.redact_numbers import cards_and_phones, colon_addresses, ibans, ipv4s

__all__ = ["Finding", "Kind", "find_personal_data", "redact"]

_PASSES = 3
"""A placeholder can uncover what was glued to the finding; more passes would not be linear."""


def redact(text: str) -> str:
    """Put a placeholder such as ``<email>`` where personal data or a secret stood.

    Redacting twice changes nothing more.
    """
    return _replaced(text, find_personal_data(text), lambda finding: f"<{finding.kind}>")


def find_personal_data(text: str) -> list[Finding]:
    """Find personal data and secrets: sorted by place, without overlaps, in linear time."""
    found: list[Finding] = []
    finders = _FINDERS
    for _ in range(_PASSES):
        lowered = _lower(text)
        encoded = lowered.encode("utf-8", "replace")
        digits = len(encoded) - len(encoded.translate(None, b"0123456789"))
        last = 0
        for place, (least_digits, hints, find) in enumerate(finders, 1):
            if digits < least_digits:
                continue
            for hint in hints:
                if hint in lowered:
                    break
            else:
                continue
            if new := list(find(text, lowered, hints)):
                # The next finders must see what they would see in the redacted text.
                text = _replaced(text, new, _blank)
                lowered = _lower(text)
                found += new
                last = place
        if not last:
            break
        finders = finders[:last]  # the others have seen the text as it is now
    return sorted(found, key=lambda finding: finding.start)


def _lower(text: str) -> str:
    """Lower the case and keep every place; "İ" is the one letter that gets longer."""
    return text.replace("İ", "i").lower()


def _blank(finding: Finding) -> str:
    """Make a placeholder of the finding's own length."""
    return "<" + "\x00" * (finding.end - finding.start - 2) + ">"


def _replaced(text: str, findings: list[Finding], replacement: Callable[[Finding], str]) -> str:
    parts: list[str] = []
    end = 0
    for finding in findings:
        parts += (text[end : finding.start], replacement(finding))
        end = finding.end
    return "".join((*parts, text[end:])) if parts else text


_TOKEN = re.compile(
    r"(?P<value>-----begin [a-z ]{0,30}private key-----(?:(?!-----(?:begin|end) )[\s\S])*+"
    r"(?:-----end [a-z ]{0,30}private key-----)?"
    r"|(?<![\w-])(?:eyj[\w-]{8,}+\.[\w-]{4,}+(?:\.[\w-]*+)?|a[ks]ia(?=[a-z]{0,15}[0-9])\w{16}(?!\w)"
    r"|aiza[\w-]{30,}+|gh[opsur]_\w{20,}+|github_pat_\w{20,}+|glpat-[\w-]{18,}+"
    r"|xox[abeoprs]-[\w-]{10,}+|sk-[\w-]{20,}+|sk_(?:live|test)_\w{16,}+|npm_\w{30,}+"
    r"|hf_\w{30,}+|ya29\.[\w-]{20,}+))"
)
_URL_LOGIN = re.compile(r"://(?P<value>[^\s/:@<>]{1,64}:[^\s/@<>]{1,128})(?=@)")
_CUED_SECRET = re.compile(
    r"(?:(?:key|token|secret|schlüssel|signature|session(?:_?id)?)"
    r"(?:[\"'”’]? ?[:=]{1,3}>? ?[\"'“„]?| (?:is|ist|lautet):? [\"'“„]?)|sig=|bearer |basic )"
    r"(?=[\w.~+/=-]{0,60}?[0-9])(?P<value>[\w.~+/=-]{16,}+)"
)


def _matches(
    kind: Kind, pattern: re.Pattern[str], text: str, lowered: str, hints: tuple[str, ...]
) -> Iterator[Finding]:
    """Find what a pattern alone decides: its group "value"."""
    done = 0
    for found in at_hints(pattern, lowered, hints):
        if found.start() >= done:
            yield Finding(kind, *found.span("value"))
            done = found.end()


# Starts at the "@", which is found fast; the rest is looked for backwards.
_EMAIL = re.compile(
    r"@(?:[\w-]++\.(?=\w))++(?!(?:png|jpe?g|gif|svg|webp)\b)(?:[^\W\d_]{2,24}|xn--[\w-]{2,59})"
)


def _emails(text: str, lowered: str, hints: tuple[str, ...]) -> Iterator[Finding]:
    done = 0
    for found in _EMAIL.finditer(lowered):
        start = found.start()
        while start > done and (text[start - 1].isalnum() or text[start - 1] in "_.+%&'’-"):
            start -= 1
        while text[start] in ".'’-":
            start += 1
        if start < found.start():
            yield Finding("email", start, found.end())
        done = found.end()


# What is surest comes first, because the next one no longer sees it. A finder runs when the text
# has so many digits and one of the hints in it.
_FINDERS: tuple[tuple[int, tuple[str, ...], Finder], ...] = (
    (
        0,
        (
            *("-----b", "eyj", "akia", "asia", "aiza", "gh", "git", "glpat", "xox", "sk", "npm_"),
            *("hf_", "ya29."),
        ),
        partial(_matches, "secret", _TOKEN),
    ),
    (0, ("://",), partial(_matches, "secret", _URL_LOGIN)),
    (
        1,
        ("key", "token", "secret", "schlüssel", "sig", "session", "bearer", "basic"),
        partial(_matches, "secret", _CUED_SECRET),
    ),
    (9, ("",), ibans),
    (
        0,
        ("user", "log", "benutzer", "account", "konto", "credent", "zugangs", "anmelde"),
        login_pairs,
    ),
    (
        0,
        ("pass", "pw", "kennwort", "pin", "zugangscode", "geheimzahl"),
        passwords,
    ),
    (0, ("@",), _emails),
    (1, (":", "-"), colon_addresses),
    (4, (".",), ipv4s),
    (6, ("",), cards_and_phones),
    (
        0,
        (
            "user",
            "log",
            "benutzer",
            "nutzer",
            "account",
            "konto",
            "kennung",
            "anmelde",
            "angemeldet",
        ),
        usernames,
    ),
)
