"""Cue phrases: what they match, what they refuse, and that none of them is slow."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from triage.cue_slots import SLOTS
from triage.cues import MAX_PHRASE_CHARS, Passage, phrase
from triage.taxonomy import load_taxonomy

HOSTILE = [
    *("a", "a ", "A1-", "1", "1 ", "12:", "'a ", "'", "\\\\a", "a.", "www.", "since ", "on the "),
    *("the error says ", "my colleague ", "LT-", "_A", "vor ", "seit dem ", "(a", "#a", "<a", "é"),
    *("http://", "laptop number ", "it says that ", "S:\\a ", "A_", "\n", "!", "two of us "),
]


def found(cue: str, text: str) -> str | None:
    span = phrase(cue).find(Passage(text))
    return text[slice(*span)] if span else None


@pytest.mark.parametrize(
    ("cue", "text", "expected"),
    [
        ("since monday", "Broken SINCE  Monday.", "SINCE  Monday"),
        ("since monday", "since Mondays", None),
        ("since monday", "it was ever since. Monday", None),
        ("print*", "the printing stops", "printing"),
        ("*drucker", "Etikettendrucker streikt", "drucker"),
        ("der *drucker", "der Etikettendrucker streikt", "der Etikettendrucker"),
        ("[lan|wi-fi] cable", "a Wi-Fi cable", "Wi-Fi cable"),
        ("read [only|] access", "read access please", "read access"),
        ("restart ... help", "a restart of it did not help", "restart of it did not help"),
        ("restart ... help", "restart a b c d e f g help", None),
        ("Teams", "the teams are waiting", None),
        ("Teams", "Teams hangs", "Teams"),
        ("laptop {code}", "laptop LT-4471.", "laptop LT-4471."),
        ("drive {letter}", "drive S", "drive S"),
        ("call <phone>", "call <phone>", "call <phone>"),
        ("says {quoted}", "it says 'don't ask' again", "says 'don't ask'"),
        ("{quoted}", "don't and won't", None),
    ],
)
def test_phrase_matches_whole_words_of_one_sentence(
    cue: str, text: str, expected: str | None
) -> None:
    assert found(cue, text) == expected


def test_capitals_tell_nothing_where_somebody_shouts() -> None:
    assert found("user {login}", "the user HBRANDT cannot sign in") == "user HBRANDT"
    assert found("user {login}", "THE USER CANNOT SIGN IN SINCE THIS MORNING") is None


def test_what_a_phrase_stood_on_is_passed_over() -> None:
    passage = Passage("meeting on Monday, since Monday")

    left = passage.without([phrase("meeting on {day}")])

    assert phrase("{day}").find(left) == (25, 31)
    assert passage.without([phrase("lunch")]) is passage


def test_places_stay_where_a_letter_gets_longer_in_lower_case() -> None:
    assert found("since monday", "İİİ since Monday") == "since Monday"


@pytest.mark.parametrize(
    ("cue", "complaint"),
    [
        ("", "characters"),
        ("a" * (MAX_PHRASE_CHARS + 1), "characters"),
        ("since {daay}", "no slot {daay}"),
        ("since [monday", "bracket"),
        ("since monday]", "bracket"),
        ("[|] monday", "no alternatives"),
        ("... monday", "begins and ends"),
        ("since [monday|]", "begins and ends"),
        ("pr*nt", "star"),
        ("*", "star"),
    ],
)
def test_phrase_that_cannot_be_meant_is_refused(cue: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(complaint)):
        phrase(cue)


@pytest.mark.parametrize(
    ("slot", "yes", "no"),
    [
        ("day", ["yesterday", "last Thursday", "3 May", "12.03.", "heute früh"], ["may", "3.12"]),
        ("clock", ["14:35", "9 am", "9.30 Uhr", "8 Uhr", "noon"], ["3.12", "2024", "1:2"]),
        ("duration", ["two weeks", "3 days", "an hour", "einer Woche", "2h"], ["a while", "long"]),
        ("code", ["LT-4471", "3.12", "VA02"], ["laptop", "a"]),
        ("asset", ["NB-4410", "WS11873"], ["ORA-12170", "KB0001", "laptop"]),
        ("host", ["srv-erp03", "SQLPROD01", "dc01"], ["server", "srv"]),
        ("transaction", ["VA02", "ME21N"], ["PC12", "VA"]),
        ("path", ["R:\\Labor\\Proben", "\\\\fs02\\projects", "S:"], ["and/or", "12:30"]),
        ("web_address", ["https://a.example/x", "portal.corp.example"], ["e.g.", "restart.Then"]),
        ("error_code", ["0x80070005", "ORA-12170", "HTTP 403"], ["NB-4410", "Z_INV_NIGHTLY"]),
    ],
)  # fmt: skip
def test_slot_stands_for_what_it_is_named_after(slot: str, yes: list[str], no: list[str]) -> None:
    cue = f"x {{{slot}}} y"

    assert [one for one in yes if found(cue, f"x {one} y") is None] == []
    assert [one for one in no if found(cue, f"x {one} y")] == []


def test_every_slot_is_in_the_manual() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "taxonomy.md").read_text("utf-8")

    assert [slot for slot in SLOTS if f"`{{{slot}}}`" not in manual] == []


def _cost(cue: str, text: str) -> float:
    pattern = phrase(cue).pattern  # every place is tried, which the phrase itself would not do
    start = time.process_time()
    for _ in pattern.finditer(text):
        pass
    return time.process_time() - start


def _slow(cues: Iterator[str] | list[str]) -> list[tuple[str, str]]:
    slow = []
    for cue in cues:
        for piece in HOSTILE:
            short, long = piece * (800 // len(piece)), piece * (1_600 // len(piece))
            # Other processes disturb: measured again while it looks bad.
            if all(_cost(cue, long) > max(0.003, 2.5 * _cost(cue, short)) for _ in range(8)):
                slow.append((cue, piece))
    return slow


def test_quadratic_pattern_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SLOTS, "greedy", r"(?:[a-z]+ )+@")  # type: ignore[arg-type]

    assert _slow(["{greedy} x"])


def test_every_slot_takes_linear_time() -> None:
    assert _slow([f"{{{slot}}} ... zzz" for slot in SLOTS]) == []


@pytest.mark.slow
def test_every_cue_phrase_of_the_package_takes_linear_time() -> None:
    details = load_taxonomy().details.values()

    assert _slow([cue for one in details for cue in (*one.found.phrases, *one.found.unless)]) == []


def test_all_phrases_together_read_a_long_text_in_no_time() -> None:
    details = load_taxonomy().details.values()
    cues = [phrase(cue) for one in details for cue in (*one.found.phrases, *one.found.unless)]
    for one in cues:
        one.prime()
    passages = [Passage(piece * (20_000 // len(piece))) for piece in HOSTILE]

    start = time.process_time()
    for passage in passages:
        for one in cues:
            one.find(passage)
    seconds = time.process_time() - start

    assert seconds / len(passages) < 1
