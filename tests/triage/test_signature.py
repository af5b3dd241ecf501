import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from triage.prepare import prepare
from triage.signature import (
    ENTRY,
    MAX_STEMS,
    MAX_WEIGHT,
    read_signature,
    sign_ticket,
    words_by_stem,
)
from triage.ticket import Ticket


def weights(ticket: Ticket) -> dict[str, int]:
    """Lead from the words of a ticket to their weights in its signature."""
    entries = read_signature(sign_ticket(ticket))
    words = words_by_stem(ticket)
    return {words[int(stem)]: int(weight) for stem, weight in entries}


def test_signature_stays_the_same_from_version_to_version() -> None:
    signature = sign_ticket(Ticket("VPN drops", "The VPN connection drops since the update"))

    # Past tickets are stored with theirs: when this changes, a migration must sign them anew.
    assert signature.hex() == ("59f8082a0522051570051ff9cf740201b47ff802")


def test_words_of_the_subject_and_repeated_ones_weigh_more() -> None:
    found = weights(Ticket("printer jam", "jam again, tray three, jam cleared, tray closed"))

    assert found["jam"] > found["printer"] > found["cleared"]
    assert found["tray"] > found["cleared"]


def test_ending_case_and_greeting_change_nothing() -> None:
    one = sign_ticket(Ticket("Printers jammed", "please help"))
    other = sign_ticket(Ticket("PRINTER JAM", "thanks"))

    assert one == other


def test_placeholders_and_small_numbers_are_no_words() -> None:
    prepared = prepare(Ticket("call 5 of anna@example.com", "mail anna@example.com on the 24"))

    assert "<email>" in prepared.subject
    assert weights(prepared).keys() == {"call", "mail"}


def test_long_ticket_keeps_the_stems_it_dwells_on() -> None:
    body = " ".join(f"word{number}x" for number in range(300)) + " toner toner toner"

    found = weights(Ticket("scanner", body))

    assert len(found) == MAX_STEMS
    assert "scanner" in found and "toner" in found


def test_endless_words_leave_little_in_memory() -> None:
    texts = [f"{number}x" + "y" * 8_000 for number in range(500)]
    tracemalloc.start()

    for number in range(len(texts)):
        sign_ticket(Ticket(texts[number]))
        texts[number] = ""

    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 500_000


def test_ticket_without_words_has_an_empty_signature() -> None:
    assert sign_ticket(Ticket("", "... 12 !")) == b""


@given(subject=st.text(max_size=200), description=st.text(max_size=400))
def test_any_text_can_be_signed(subject: str, description: str) -> None:
    entries = read_signature(sign_ticket(Ticket(subject, description)))

    assert len(entries) <= MAX_STEMS
    assert (np.diff(entries["stem"].astype(np.int64)) > 0).all()
    assert ((entries["weight"] > 0) & (entries["weight"] <= MAX_WEIGHT)).all()
    assert entries.dtype == ENTRY
