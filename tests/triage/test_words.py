"""Words, stems and pieces."""

import pytest

from triage.words import pieces, stems, words


def test_words_are_kept_as_written_without_those_that_say_nothing() -> None:
    assert words("Please help, I can't open Outlook-365 since Monday!") == ["open", "Outlook-365"]
    assert words("Bitte helfen, der Drucker druckt nicht") == ["helfen", "Drucker", "druckt"]


@pytest.mark.parametrize(
    "forms",
    [
        ("connect", "connects", "connected", "connecting", "connection", "connections"),
        ("printer", "printers", "prints", "printing", "Print"),
        ("message", "messages"),
        ("stop", "stops", "stopped", "stopping"),
        ("Postfach", "Postfaches"),
        ("externe", "externer", "externen", "externes"),
        ("Lizenz", "Lizenzen"),
        ("größe", "GRÖSSE", "groesse"),
    ],
)
def test_forms_of_a_word_share_a_stem(forms: tuple[str, ...]) -> None:
    assert len({stems(form)[0] for form in forms}) == 1


def test_short_words_keep_their_ending() -> None:
    assert [stems(word) for word in ("bus", "use", "red")] == [["bus"], ["use"], ["red"]]


def test_a_word_with_hyphens_is_found_whole_and_in_parts() -> None:
    assert stems("Wi-Fi") == ["wifi", "wi", "fi"]
    assert stems("WiFi") == ["wifi"]
    assert set(stems("E-Mail")) == {"email", "mail"}


def test_a_typing_error_leaves_most_pieces_alone() -> None:
    right, wrong = set(pieces("password")), set(pieces("pasword"))

    assert len(right & wrong) >= len(wrong) / 2


def test_an_endless_word_is_cut() -> None:
    assert len(pieces("x" * 1_000_000)) == len(pieces("x" * 40))
