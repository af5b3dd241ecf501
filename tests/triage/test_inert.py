"""Words of strangers in a note stay words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from triage.inert import as_block, as_code, as_plain, as_words, shortened

HOSTILE = st.text(
    st.sampled_from("`~*_[]()<>!#|\\&;:/.@-+= \n\tab1")
    | st.characters(exclude_categories=["Cc", "Cs"]),
    max_size=60,
)


def tokens(markdown: str) -> list[Token]:
    """Read Markdown as CommonMark has it, HTML, tables and strikethrough allowed."""
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return [inner for token in reader.parse(markdown) for inner in [token, *(token.children or ())]]


def kinds(markdown: str) -> set[str]:
    return {token.type for token in tokens(markdown)}


PLAIN = {"paragraph_open", "paragraph_close", "inline", "text", "softbreak"}


@given(HOSTILE)
def test_code_span_holds_the_text_and_nothing_else(text: str) -> None:
    line = " ".join(text.split())

    shown = as_code(text)

    assert kinds(f"- it: {shown}") <= PLAIN | {
        "code_inline",
        "bullet_list_open",
        "bullet_list_close",
        "list_item_open",
        "list_item_close",
    }
    assert "<" not in shown
    if line:
        [code] = [token for token in tokens(f"x {shown} x") if token.type == "code_inline"]
        assert code.content.strip() == line.translate(str.maketrans("<>", "‹›")).strip()


@given(HOSTILE)
def test_block_holds_the_text_and_nothing_else(text: str) -> None:
    shown = f"before\n\n{as_block(text)}\n\nafter"

    assert kinds(shown) == (PLAIN - {"softbreak"}) | {"fence"}
    assert "<" not in shown


@given(HOSTILE)
def test_words_are_neither_markup_nor_html(text: str) -> None:
    shown = as_words(text)

    assert kinds(f"- it: {shown}") <= PLAIN | {
        "text_special",
        "bullet_list_open",
        "bullet_list_close",
        "list_item_open",
        "list_item_close",
    }
    assert "<" not in shown


def test_names_of_a_desk_are_written_as_they_are() -> None:
    assert as_words("Remote access (VPN), 24/7 - e.g. C") == "Remote access (VPN), 24/7 - e.g. C"


@pytest.mark.parametrize("text", ["https://evil.example/x", "www.evil.example", "a@evil.example"])
def test_words_hold_no_address_that_a_reader_would_make_a_link(text: str) -> None:
    assert text not in as_words(text)


def test_plain_line_has_no_brackets_html_or_addresses() -> None:
    text = "Hi <b>you</b>\n[click](javascript:x) `now` https://evil.example/a www.evil.example"

    assert as_plain(text) == "Hi ‹b›you‹/b› (click)(javascript:x) 'now' (address) (address)"


def test_text_is_cut_between_words() -> None:
    assert shortened("one two three four", 12) == "one two…"
    assert shortened("x" * 30, 10) == "x" * 9 + "…"
    assert shortened("short", 5) == "short"
