"""The review queue: its order, its pages, and who decides what."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from triage.store import (
    AlreadyDecided,
    Feedback,
    Outcome,
    Review,
    ReviewFilter,
    Store,
    StoredSuggestion,
    open_store,
)
from triage.store.database import Database
from triage.store.tables import ReviewRow

MOMENT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def suggestion(suggestion_id: str, *, sure: float = 0.5, **changes: Any) -> StoredSuggestion:
    """Make a suggestion; the surer, the less it is worth a look."""
    shares = [{"label": "1", "confidence": sure}, {"label": "2", "confidence": 1 - sure}]
    answer = {
        "decision": "suggest",
        "tier": {"label": "1", "alternatives": shares},
        "category": {"label": "access", "alternatives": [{"label": "access", "confidence": 1.0}]},
        **changes.pop("answer", {}),
    }
    record = StoredSuggestion(
        id=suggestion_id,
        created_at=MOMENT,
        model_version="20261124-060102-1a2b3c4d",
        decision="suggest",
        confidence=sure,
        subject="Account locked",
        description="cannot sign in since this morning",
        answer=json.dumps(answer),
    )
    return replace(record, **changes)


@pytest.fixture
def people(store: Store) -> list[str]:
    """Ids of the keys of eight analysts."""
    return [store.create_key(f"analyst {number}", ["review"])[0].id for number in range(8)]


def said(suggestion_id: str, by: str, minutes: float = 1, **changes: Any) -> Feedback:
    feedback = Feedback(
        created_at=MOMENT + timedelta(minutes=minutes),
        suggestion_id=suggestion_id,
        ticket_id=None,
        model_version="20261124-060102-1a2b3c4d",
        api_key_id=by,
        verdict="accepted",
        tier="1",
        category="access",
        shown_tier="1",
        shown_category="access",
        confidence=0.5,
        decision="suggest",
    )
    return replace(feedback, **changes)


def listed(store: Store, **wanted: Any) -> list[str]:
    return [one.suggestion_id for one in store.reviews.queue(ReviewFilter(**wanted))]


def read(store: Store, suggestion_id: str) -> Review:
    review = store.reviews.get(suggestion_id)
    assert review is not None
    return review


def outcome(ticket_id: str, by: str, minutes: float = 5) -> Outcome:
    return Outcome(MOMENT + timedelta(minutes=minutes), ticket_id, by, tier="1")


def test_most_worth_a_look_comes_first(store: Store) -> None:
    store.save_suggestions(
        [
            suggestion("sure", sure=0.8),
            suggestion("routed", sure=0.6, answer={"decision": "route"}, decision="route"),
            suggestion("unsure", sure=0.5),
            suggestion("burst", sure=0.5, answer={"incident": {"id": "burst-1"}}),
            suggestion("none", sure=0.5, answer={"tier": None, "category": None}),
        ]
    )

    assert listed(store) == ["burst", "none", "unsure", "sure", "routed"]


def test_review_tells_where_its_suggestion_stands(store: Store) -> None:
    store.save_suggestions([suggestion("s1", ticket_id="INC-7", sure=0.5)])

    review = read(store, "s1")

    assert (review.tier, review.category, review.language) == ("1", "access", "en")
    assert (review.state, review.revision, review.decided_by) == ("open", 0, None)
    assert (review.ticket_id, review.subject) == ("INC-7", "Account locked")
    assert store.reviews.get("s2") is None


def test_label_to_narrow_by_is_the_likeliest_where_none_was_suggested(store: Store) -> None:
    shares = [{"label": "3", "confidence": 0.4}, {"label": "1", "confidence": 0.3}]
    unsure = {"tier": {"label": None, "alternatives": shares}, "category": None}
    store.save_suggestions([suggestion("s1", answer=unsure)])

    review = read(store, "s1")

    assert (review.tier, review.category) == ("3", None)


FILTERS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "tier": ({"tier": "2"}, {"b"}),
    "category": ({"category": "vpn"}, {"c"}),
    "decision": ({"decision": "review"}, {"d"}),
    "language": ({"language": "de"}, {"e"}),
    "model": ({"model_version": "other"}, {"f"}),
    "since": ({"since": MOMENT}, {"a", "b", "c", "d", "e", "f"}),
    "until": ({"until": MOMENT}, {"g"}),
    "both": ({"tier": "2", "category": "vpn"}, set()),
    "ticket": ({"search": "INC-b"}, {"b"}),
    "part of a ticket's id": ({"search": "INC-"}, set()),
    "words of the subject": ({"search": "KENNWORT v"}, {"e"}),
    "words of the description": ({"search": "sign in"}, {"a", "b", "c", "d", "f", "g"}),
    "umlaut": ({"search": "ÜBERALL"}, {"e"}),
    "nothing to search for": ({"search": ""}, {"a", "b", "c", "d", "e", "f", "g"}),
}


@pytest.mark.parametrize(("wanted", "found"), FILTERS.values(), ids=FILTERS)
def test_queue_is_narrowed(store: Store, wanted: dict[str, Any], found: set[str]) -> None:
    german = "Ich habe mein Kennwort vergessen und komme nicht mehr hinein, überall gesperrt"
    store.save_suggestions(
        [
            suggestion("a"),
            suggestion("b", ticket_id="INC-b", answer={"tier": {"label": "2", "alternatives": []}}),
            suggestion("c", answer={"category": {"label": "vpn", "alternatives": []}}),
            suggestion("d", decision="review", answer={"decision": "review"}),
            suggestion("e", subject="Kennwort vergessen", description=german),
            suggestion("f", model_version="other"),
            suggestion("g", created_at=MOMENT - timedelta(days=1)),
        ]
    )

    assert set(listed(store, **wanted)) == found
    assert store.reviews.count(ReviewFilter(**wanted)) == len(found)


@pytest.mark.parametrize("searched", ["50%", "a_b", "c\\d", "e/f", "%", "_", "\\"])
def test_signs_of_a_search_mean_themselves(store: Store, searched: str) -> None:
    store.save_suggestions(
        [
            suggestion("with", description=f"found {searched} here"),
            suggestion("without", description="501 aXb cd ef"),
        ]
    )

    assert listed(store, search=searched) == ["with"]


def test_decided_by_me_is_what_i_decided(store: Store, people: list[str]) -> None:
    store.save_suggestions([suggestion(one) for one in ("s1", "s2", "s3")])
    store.reviews.decide(said("s1", people[0], 1), revision=0)
    store.reviews.decide(said("s2", people[1], 2), revision=0)
    store.reviews.decide(said("s3", people[0], 3), revision=0)

    assert listed(store, state="decided") == ["s3", "s2", "s1"]
    assert listed(store, state="decided", decided_by=people[0]) == ["s3", "s1"]
    assert listed(store) == []


def test_counting_stops_where_it_was_told_to(store: Store) -> None:
    store.save_suggestions([suggestion(f"s{number}") for number in range(5)])

    assert store.reviews.count(ReviewFilter(), most=3) == 3
    assert store.reviews.count(ReviewFilter()) == 5


def test_pages_go_back_the_way_they_came(store: Store) -> None:
    store.save_suggestions([suggestion(f"s{n}", sure=0.5 + n % 3 / 10) for n in range(9)])
    everything = store.reviews.queue(ReviewFilter())

    last = store.reviews.queue(ReviewFilter(), after=everything[5], limit=3)
    back = store.reviews.queue(ReviewFilter(), before=last[0], limit=3)

    assert last == everything[6:]
    assert back == everything[3:6]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store that many examples of one test share."""
    folder: Path = tmp_path_factory.mktemp("desk")
    opened = open_store(f"sqlite:///{folder / 'triage.db'}")
    yield opened
    opened.close()


_VERSIONS = count()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    worths=st.lists(st.sampled_from([0.5, 0.6, 0.7, 0.9]), min_size=1, max_size=25),
    limit=st.integers(1, 7),
    chance=st.randoms(use_true_random=False),
)
def test_pages_neither_repeat_nor_miss_a_review_while_people_decide(
    desk: Store, worths: list[float], limit: int, chance: Any
) -> None:
    version = f"v{next(_VERSIONS)}"
    wanted = ReviewFilter(model_version=version)
    me, other = (desk.create_key(name, ["review"])[0].id for name in ("me", "other"))
    ids = [f"{version}-{number}" for number in range(len(worths))]
    desk.save_suggestions(
        [
            suggestion(one, sure=sure, model_version=version)
            for one, sure in zip(ids, worths, strict=True)
        ]
    )

    seen: list[str] = []
    touched: set[str] = set()
    made: list[Feedback] = []
    after = None
    while page := desk.reviews.queue(wanted, after=after, limit=limit):
        seen += [review.suggestion_id for review in page]
        after = page[-1]
        for _ in range(chance.randrange(4)):
            one = chance.choice(ids)
            touched.add(one)
            review = read(desk, one)
            action = chance.randrange(3)
            if action == 0 and review.state == "open":
                made.append(desk.reviews.decide(said(one, me), revision=review.revision))
            elif action == 1:
                desk.reviews.take(said(one, other, tier="2", verdict="corrected"))
            elif made and read(desk, made[-1].suggestion_id).decided_by == me:
                desk.reviews.undo(made.pop().number or 0, api_key_id=me, at=MOMENT)

    assert len(seen) == len(set(seen))
    assert set(ids) - touched <= set(seen)


def test_newer_answer_takes_the_place_of_the_older_one(store: Store) -> None:
    store.save_suggestions([suggestion("old", ticket_id="INC-7")])
    store.save_suggestions([suggestion("new", ticket_id="INC-7"), suggestion("nameless")])
    store.save_suggestions([suggestion("also nameless")])

    assert set(listed(store)) == {"new", "nameless", "also nameless"}
    assert listed(store, state="overtaken") == ["old"]
    assert read(store, "old").revision == 1


def test_newest_answer_of_a_group_stands(store: Store) -> None:
    group = [suggestion(f"s{number}", ticket_id="INC-7") for number in range(3)]

    store.save_suggestions(group)

    assert listed(store) == ["s2"]


def test_decision_stays_when_its_ticket_is_answered_again(store: Store, people: list[str]) -> None:
    store.save_suggestions([suggestion("old", ticket_id="INC-7")])
    store.reviews.decide(said("old", people[0]), revision=0)

    store.save_suggestions([suggestion("new", ticket_id="INC-7")])

    assert listed(store, state="decided") == ["old"]
    assert listed(store) == ["new"]


def test_ended_ticket_leaves_the_queue(store: Store, people: list[str]) -> None:
    store.save_suggestions([suggestion("s1", ticket_id="INC-7"), suggestion("s2", ticket_id="B")])

    store.outcomes.add(outcome("INC-7", people[0]))

    assert listed(store) == ["s2"]
    with pytest.raises(AlreadyDecided) as told:
        store.reviews.decide(said("s1", people[0]), revision=0)
    assert told.value.review is not None and told.value.review.state == "overtaken"


def test_of_eight_who_decide_at_once_one_wins_and_the_others_are_told_who(
    store: Store, people: list[str]
) -> None:
    store.save_suggestions([suggestion("s1", ticket_id="INC-7")])
    everybody = Barrier(len(people))

    def decide(by: str) -> Feedback | AlreadyDecided:
        everybody.wait()
        try:
            return store.reviews.decide(said("s1", by), revision=0)
        except AlreadyDecided as told:
            return told

    with ThreadPoolExecutor(len(people)) as pool:
        answers = list(pool.map(decide, people))

    [won] = [answer for answer in answers if isinstance(answer, Feedback)]
    lost = [answer.review for answer in answers if isinstance(answer, AlreadyDecided)]
    assert len(lost) == 7
    assert {(review and review.decided_by) for review in lost} == {won.api_key_id}
    assert {(review and review.decided_by_name) for review in lost} == {
        f"analyst {people.index(won.api_key_id)}"
    }
    assert [kept.api_key_id for kept in store.feedback.since()] == [won.api_key_id]
    assert read(store, "s1").revision == 1


def test_two_stores_decide_one_review_once(
    database_url: str, store: Store, people: list[str]
) -> None:
    store.save_suggestions([suggestion(f"s{number}") for number in range(10)])
    stores = [open_store(database_url), open_store(database_url)]

    def decide(number: int) -> bool:
        try:
            stores[number % 2].reviews.decide(
                said(f"s{number // 2}", people[number % 2]), revision=0
            )
        except AlreadyDecided:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(decide, range(20)))
    for one in stores:
        one.close()

    assert [sum(won[place : place + 2]) for place in range(0, 20, 2)] == [1] * 10
    assert len(list(store.feedback.since())) == 10


def test_who_saw_an_older_revision_is_told(store: Store, people: list[str]) -> None:
    store.save_suggestions([suggestion("s1")])
    store.reviews.take(said("s1", people[0]))
    store.reviews.take(said("s1", people[1], 2, tier="2", verdict="corrected"))
    assert read(store, "s1").state == "open"

    with pytest.raises(AlreadyDecided):
        store.reviews.decide(said("s1", people[2], 3), revision=0)

    assert len(list(store.feedback.since())) == 2


def test_decision_that_is_sent_twice_is_one(store: Store, people: list[str]) -> None:
    store.save_suggestions([suggestion("s1")])
    decision = said("s1", people[0], idempotency_key="k1", body_hash="a" * 64)

    first = store.reviews.decide(decision, revision=0)
    again = store.reviews.decide(replace(decision, comment="other"), revision=0)

    assert again == first
    assert list(store.feedback.since()) == [first]


def test_suggestion_that_is_gone_cannot_be_decided(store: Store, people: list[str]) -> None:
    with pytest.raises(AlreadyDecided) as told:
        store.reviews.decide(said("nosuch", people[0]), revision=0)

    assert told.value.review is None
    assert list(store.feedback.since()) == []


def test_who_decided_may_take_it_back(store: Store, people: list[str]) -> None:
    store.save_suggestions([suggestion("s1")])
    made = store.reviews.decide(said("s1", people[0]), revision=0)

    review = store.reviews.undo(made.number or 0, api_key_id=people[0], at=MOMENT)

    assert (review.state, review.decided_by, review.decided_at) == ("open", None, None)
    assert review.revision == 2
    assert [kept.undone_at for kept in store.feedback.since()] == [MOMENT]
    assert store.feedback.about("s1") == []
    store.reviews.decide(said("s1", people[1]), revision=2)
    assert read(store, "s1").decided_by == people[1]


def test_decision_is_taken_back_once_and_by_nobody_else(store: Store, people: list[str]) -> None:
    store.save_suggestions([suggestion("s1")])
    number = store.reviews.decide(said("s1", people[0]), revision=0).number or 0

    with pytest.raises(AlreadyDecided):
        store.reviews.undo(number, api_key_id=people[1], at=MOMENT)
    store.reviews.undo(number, api_key_id=people[0], at=MOMENT)
    with pytest.raises(AlreadyDecided):
        store.reviews.undo(number, api_key_id=people[0], at=MOMENT)
    with pytest.raises(AlreadyDecided):
        store.reviews.undo(number + 1, api_key_id=people[0], at=MOMENT)

    assert read(store, "s1").revision == 2


def test_decision_others_have_built_upon_stays(store: Store, people: list[str]) -> None:
    store.save_suggestions([suggestion("s1")])
    first = store.reviews.decide(said("s1", people[0]), revision=0)
    # In the very same moment: the order they came in counts.
    second = store.reviews.take(said("s1", people[1]))

    with pytest.raises(AlreadyDecided):
        store.reviews.undo(first.number or 0, api_key_id=people[0], at=MOMENT)

    assert read(store, "s1").decided_by == people[1]
    review = store.reviews.undo(second.number or 0, api_key_id=people[1], at=MOMENT)
    assert (review.state, review.decided_by) == ("decided", people[0])


def test_who_says_it_twice_takes_back_the_last(store: Store, people: list[str]) -> None:
    store.save_suggestions([suggestion("s1")])
    first = store.reviews.take(said("s1", people[0]))
    second = store.reviews.take(said("s1", people[0], tier="2", verdict="corrected"))

    with pytest.raises(AlreadyDecided):
        store.reviews.undo(first.number or 0, api_key_id=people[0], at=MOMENT)
    store.reviews.undo(second.number or 0, api_key_id=people[0], at=MOMENT)

    assert [kept.number for kept in store.feedback.about("s1")] == [first.number]


@pytest.mark.parametrize("meanwhile", ["answered", "ended"])
def test_ticket_that_moved_on_does_not_come_back_when_its_decision_is_taken_back(
    store: Store, people: list[str], meanwhile: str
) -> None:
    store.save_suggestions([suggestion("old", ticket_id="INC-7")])
    number = store.reviews.decide(said("old", people[0]), revision=0).number or 0
    if meanwhile == "answered":
        later = MOMENT + timedelta(minutes=9)
        store.save_suggestions([suggestion("new", ticket_id="INC-7", created_at=later)])
    else:
        store.outcomes.add(outcome("INC-7", people[1]))

    review = store.reviews.undo(number, api_key_id=people[0], at=MOMENT)

    assert review.state == "overtaken"


def test_contradiction_opens_the_review_again_and_goes_first(
    store: Store, people: list[str]
) -> None:
    store.save_suggestions([suggestion("unsure", sure=0.5), suggestion("sure", sure=0.99)])
    store.reviews.decide(said("sure", people[0]), revision=0)
    assert listed(store) == ["unsure"]

    store.reviews.take(said("sure", people[1], 2, category="vpn", verdict="corrected"))

    review = read(store, "sure")
    assert listed(store) == ["sure", "unsure"]
    assert review.reasons[0] == "conflict" and review.worth > 1
    assert (review.decided_by, review.revision) == (None, 2)


def test_contradicting_oneself_is_a_change_of_mind(store: Store, people: list[str]) -> None:
    store.save_suggestions([suggestion("s1")])
    store.reviews.decide(said("s1", people[0]), revision=0)

    store.reviews.take(said("s1", people[0], 2, tier="2", verdict="corrected"))

    review = read(store, "s1")
    assert (review.state, review.reasons.count("conflict")) == ("decided", 0)


def test_conflict_is_not_settled_by_who_repeats_it(store: Store, people: list[str]) -> None:
    store.save_suggestions([suggestion("s1")])
    store.reviews.take(said("s1", people[0], 1))
    store.reviews.take(said("s1", people[1], 2, tier="2", verdict="corrected"))

    store.reviews.take(said("s1", people[1], 3, tier="3", verdict="corrected"))

    review = read(store, "s1")
    assert (review.state, review.reasons.count("conflict")) == ("open", 1)
    assert review.worth < 2.5


def test_third_person_settles_a_conflict(store: Store, people: list[str]) -> None:
    store.save_suggestions([suggestion("s1")])
    store.reviews.take(said("s1", people[0], 1))
    store.reviews.take(said("s1", people[1], 2, tier="2", verdict="corrected"))

    revision = read(store, "s1").revision
    number = store.reviews.decide(said("s1", people[2], 3), revision=revision).number or 0

    assert (read(store, "s1").state, read(store, "s1").decided_by) == ("decided", people[2])
    assert store.reviews.undo(number, api_key_id=people[2], at=MOMENT).state == "open"


def test_same_labels_from_two_people_are_no_conflict(store: Store, people: list[str]) -> None:
    store.save_suggestions([suggestion("s1")])
    store.reviews.take(said("s1", people[0], 1, tier="2", verdict="corrected"))

    store.reviews.take(said("s1", people[1], 2, tier="2", verdict="corrected"))

    review = read(store, "s1")
    assert (review.state, review.decided_by, review.revision) == ("decided", people[1], 2)


def test_word_on_an_article_decides_nothing(store: Store, people: list[str]) -> None:
    store.save_suggestions([suggestion("s1")])
    about_an_article = said("s1", people[0], verdict=None, article_id="KB1", helpful=True)

    store.reviews.take(about_an_article)

    assert (read(store, "s1").state, read(store, "s1").revision) == ("open", 0)
    assert len(store.feedback.about("s1")) == 1


def test_feedback_on_a_suggestion_that_was_lost_is_kept(store: Store, people: list[str]) -> None:
    store.reviews.take(said("lost", people[0]))

    assert [kept.suggestion_id for kept in store.feedback.since()] == ["lost"]
    assert store.reviews.get("lost") is None


def test_review_goes_along_with_its_suggestion(
    database_url: str, store: Store, people: list[str]
) -> None:
    store.save_suggestions([suggestion("s1", ticket_id="INC-7")])
    store.reviews.decide(said("s1", people[0]), revision=0)

    store.erasures.erase("INC-7", MOMENT)

    database = Database(database_url)
    with database.reading() as session:
        left = session.query(ReviewRow).count()
    database.close()
    assert left == 0
