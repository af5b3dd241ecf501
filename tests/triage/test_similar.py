from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage import similar
from triage.signature import ENTRY, read_signature, sign_ticket
from triage.similar import TicketIndex
from triage.ticket import Ticket

TEXTS = {
    1: "VPN drops every minute, the tunnel is lost",
    2: "Paper stuck in the printer on the third floor",
    3: "The tunnel of the VPN is lost every minute",
    4: "Mailbox full, cannot send",
    5: "Printer out of paper, third floor",
}


def signed(text: str) -> bytes:
    return sign_ticket(Ticket(text))


def index_of(texts: dict[int, str]) -> TicketIndex:
    index = TicketIndex()
    index.add(list(texts), [signed(text) for text in texts.values()])
    return index


def made_up(n_tickets: int, seed: int, *, n_stems: int = 400) -> list[bytes]:
    """Sign tickets that nobody wrote: a few stems in many of them, most in few."""
    chance = np.random.default_rng(seed)
    stems = np.sort(chance.integers(0, 2**32, n_stems, dtype=np.uint32))
    shares = 1 / np.arange(1, n_stems + 1)
    signatures = []
    for _ in range(n_tickets):
        own = np.unique(chance.choice(n_stems, 12, p=shares / shares.sum()))
        entries = np.empty(len(own), dtype=ENTRY)
        entries["stem"] = stems[own]
        entries["weight"] = chance.integers(1, 10, len(own))
        signatures.append(entries.tobytes())
    return signatures


def exact(signatures: list[bytes], query: bytes) -> np.ndarray:
    """Compare a query with all tickets, one stem after the other."""
    tables = [dict(read_signature(one).tolist()) for one in signatures]
    counts: dict[int, int] = {}
    for table in tables:
        for stem in table:
            counts[stem] = counts.get(stem, 0) + 1

    def vector(table: dict[int, int]) -> dict[int, float]:
        rare = {s: np.log1p(len(tables) / (counts.get(s, 0) + 10)) for s in table}
        length = np.sqrt(sum((table[s] * rare[s]) ** 2 for s in table))
        return {stem: table[stem] * rare[stem] / length for stem in table}

    asked = vector(dict(read_signature(query).tolist()))
    return np.array(
        [
            sum(asked.get(stem, 0) * value for stem, value in vector(table).items())
            for table in tables
        ]
    )


def test_tickets_that_say_the_same_are_found_the_most_alike_first() -> None:
    numbers, likeness = index_of(TEXTS).query(signed("VPN tunnel lost again"))

    assert set(numbers.tolist()) == {1, 3}
    assert (np.diff(likeness) <= 0).all()
    assert ((likeness >= similar.FLOOR) & (likeness <= 1)).all()


def test_same_text_is_fully_alike_and_the_newest_comes_first() -> None:
    index = index_of({**TEXTS, 9: TEXTS[1], 7: TEXTS[1]})

    numbers, likeness = index.query(signed(TEXTS[1]))

    assert numbers[:3].tolist() == [9, 7, 1]
    assert likeness[:3] == pytest.approx(1.0, abs=1e-6)


def test_nothing_below_the_floor_is_found() -> None:
    index = index_of(TEXTS)

    assert index.query(signed("printer"), floor=0.99)[0].tolist() == []
    assert index.query(signed("Cafeteria menu for thursday"))[0].tolist() == []
    assert index.query(b"")[0].tolist() == []
    assert TicketIndex().query(signed("printer"))[0].tolist() == []


def test_removed_ticket_is_found_no_more_and_others_still_are() -> None:
    index = index_of(TEXTS)

    index.remove([3, 77])

    assert index.query(signed(TEXTS[3]))[0].tolist() == [1]


def test_ticket_added_again_says_what_it_says_now() -> None:
    index = index_of(TEXTS)

    index.add([1], [signed("Mailbox full since monday, cannot send")])

    assert index.query(signed(TEXTS[1]))[0].tolist() == [3]
    assert set(index.query(signed(TEXTS[4]))[0].tolist()) == {1, 4}


def test_number_that_is_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        TicketIndex().add([1, 1], [signed("printer"), signed("mail")])


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    steps=st.lists(st.integers(1, 40), min_size=1, max_size=12),
    removed=st.sets(st.integers(0, 60), max_size=10),
)
def test_index_finds_the_same_however_it_was_filled(
    seed: int, steps: list[int], removed: set[int]
) -> None:
    signatures = made_up(sum(steps), seed)
    whole, grown = TicketIndex(), TicketIndex()
    for part in np.split(np.arange(len(signatures)), np.cumsum(steps)[:-1]):
        grown.add(part, [signatures[number] for number in part])
    whole.add(np.arange(len(signatures)), signatures)
    for index in (whole, grown):
        index.remove(list(removed))

    for query in made_up(5, seed + 1):
        expected, likeness = whole.query(query, top=len(signatures), floor=0.4)
        found, _ = grown.query(query, top=len(signatures), floor=0.4)
        lost = np.setdiff1d(expected, found)

        # Lengths are reckoned anew after ten percent of growth: likeness may be off a little.
        assert likeness[np.isin(expected, lost)] == pytest.approx(0.4, abs=0.06)
        assert not removed & set(found.tolist())


def test_likeness_is_the_cosine_of_weights_and_rarity() -> None:
    signatures = made_up(300, 1)
    index = TicketIndex()
    index.add(np.arange(300), signatures)

    for query in made_up(20, 2):
        numbers, likeness = index.query(query, top=10, floor=0.2)
        expected = exact(signatures, query)

        assert likeness == pytest.approx(expected[numbers], abs=1e-3)
        best = np.sort(expected)[::-1][: len(likeness)]
        assert likeness == pytest.approx(best, abs=1e-3)
        assert len(likeness) == min(10, (expected >= 0.2).sum())


def test_common_stems_that_are_not_read_miss_no_ticket(monkeypatch: pytest.MonkeyPatch) -> None:
    signatures, queries = made_up(2_000, 3), made_up(30, 4)
    index = TicketIndex()
    index.add(np.arange(2_000), signatures)
    all_read = [index.query(query, top=50) for query in queries]

    monkeypatch.setattr(similar, "_ALWAYS_READ", 0)
    rarest = [index.query(query, top=50) for query in queries]

    for (expected, likeness), (found, of_found) in zip(all_read, rarest, strict=True):
        assert found.tolist() == expected.tolist()
        assert of_found == pytest.approx(likeness, abs=1e-5)


def test_too_much_to_read_still_finds_the_most_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    signatures = made_up(2_000, 5)
    index = TicketIndex()
    index.add(np.arange(2_000), signatures)
    monkeypatch.setattr(similar, "_ALWAYS_READ", 0)
    monkeypatch.setattr(similar, "_BUDGET", 200)

    found = np.array([index.query(signatures[number], top=1)[1][0] for number in range(200)])

    assert (found > 0.999).mean() >= 0.95


def test_index_beside_another_weighs_words_as_that_one_does() -> None:
    common = {number: f"printer trouble number{number}" for number in range(200)}
    past = index_of(common)
    alone, beside = TicketIndex(), TicketIndex(past)
    for index in (alone, beside):
        index.add([1], [signed("printer smokes")])

    likeness_alone = alone.query(signed("printer"), floor=0.01)[1][0]
    likeness_beside = beside.query(signed("printer"), floor=0.01)[1][0]

    assert likeness_beside < likeness_alone - 0.2


def test_index_may_be_asked_while_another_thread_adds() -> None:
    signatures = made_up(3_000, 6)
    index = TicketIndex()
    index.add([0], signatures[:1])

    def fill() -> None:
        for begin in range(1, 3_000, 50):
            numbers = np.arange(begin, min(begin + 50, 3_000))
            index.add(numbers, [signatures[number] for number in numbers])

    with ThreadPoolExecutor(1) as pool:
        filling = pool.submit(fill)
        while not filling.done():
            numbers, _ = index.query(signatures[0], top=3)
            assert 0 in numbers.tolist() or len(numbers) == 3
        filling.result()

    assert len(index) == 3_000


def test_memory_is_told_and_small() -> None:
    index = TicketIndex()
    index.add(np.arange(10_000), made_up(10_000, 7))

    assert 10_000 * 10 < index.size_bytes < 10_000 * 100
