"""Figures about suggestions, each computed here by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.confidence import expected_calibration_error
from triage.figures.articles import ArticleJudged, ArticlesUsed
from triage.figures.calibration import CalibrationCounter
from triage.figures.ended import TierOrder
from triage.figures.figure import Count
from triage.figures.handled import (
    Answered,
    ArticleFacts,
    Desk,
    Ending,
    Handled,
    Incident,
    Word,
)
from triage.figures.insights import InsightCounter, Insights, LabelChecks, Wanted
from triage.figures.intervals import share_interval
from triage.figures.pull import pull_of
from triage.figures.suggestions import facts_of, suggestion_measures
from triage.figures.tally import Tally

ORDER = TierOrder(("0", "1", "2", "3"), ("1", "2", "3"), {"1": "Service desk"})
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
DESK = Desk(ORDER, {"vpn": "Remote access"}, promise=0.95, model_version="m2")


def handled(**known: Any) -> Handled:
    usual = {
        "suggested_at": MONDAY,
        "decision": "suggest",
        "confidence": 0.7,
        "model_version": "m1",
        "tier": "1",
        "category": "vpn",
    }
    return Handled(**usual | known)


ACCEPTED = Word("accepted", "1", "vpn")
CORRECTED = Word("corrected", "2", "vpn")
REJECTED = Word("rejected", None, None)
AS_SET, ELSEWHERE, OTHER_KIND = Ending("1", "vpn"), Ending("2", "vpn"), Ending("1", "email")


def insights(*suggestions: Handled, desk: Desk = DESK, **wanted: Any) -> Insights:
    counter = InsightCounter(desk, Wanted(**wanted))
    counter.handle(suggestions)
    return counter.insights()


def count(found: Insights, name: str) -> tuple[float, int]:
    [figure] = [one for one in found.figures if one.name == name]
    return figure.count.numerator, figure.count.denominator


def points(found: Insights, name: str, by: str) -> dict[str, tuple[float, int]]:
    [series] = [one for one in found.series if (one.name, one.by) == (name, by)]
    return {one.label: (one.count.numerator, one.count.denominator) for one in series.points}


def test_coverage_counts_each_ticket_by_its_newest_suggestion() -> None:
    found = insights(
        handled(decision="route"),
        handled(decision="suggest"),
        handled(decision="suggest"),
        handled(decision="review"),
        handled(decision="route", is_newest=False),
    )

    assert count(found, "asked") == (4, 4)
    assert count(found, "suggested") == (3, 4)
    assert count(found, "routed") == (1, 4)
    assert count(found, "left_to_a_person") == (1, 4)


def test_acceptance_is_told_of_suggestions_that_there_was_something_to_accept_of() -> None:
    found = insights(
        handled(word=ACCEPTED),
        handled(word=ACCEPTED, is_newest=False),
        handled(word=CORRECTED),
        handled(word=REJECTED),
        handled(word=replace(CORRECTED, had_suggestion=False)),
        handled(),
    )

    assert count(found, "accepted") == (2, 4)
    assert count(found, "corrected") == (1, 4)
    assert count(found, "rejected") == (1, 4)


def test_blind_decisions_are_told_apart_from_seen_ones() -> None:
    blind = replace(ACCEPTED, is_blind=True)

    found = insights(
        handled(word=ACCEPTED),
        handled(word=CORRECTED),
        handled(word=blind),
        handled(word=replace(CORRECTED, is_blind=True)),
        handled(word=replace(REJECTED, is_blind=True)),
    )

    assert count(found, "agreed_seen") == (1, 2)
    assert count(found, "agreed_blind") == (1, 3)
    assert points(found, "agreement", "view") == {"seen": (1, 2), "blind": (1, 3)}
    assert found.pull is not None and "too few" in found.pull.sentence


def test_accepted_in_so_many_words_is_not_left_as_it_was() -> None:
    found = insights(
        handled(word=ACCEPTED, ending=AS_SET),
        handled(word=ACCEPTED, ending=ELSEWHERE),
        handled(ending=AS_SET),
        handled(ending=ELSEWHERE),
        handled(word=CORRECTED, ending=AS_SET),
        handled(ending=None),
        handled(ending=AS_SET, decision="review"),
    )

    assert count(found, "ended_accepted") == (2, 5)
    assert count(found, "ended_as_it_was") == (1, 5)
    assert count(found, "ended_otherwise") == (2, 5)


ROUTED = {"decision": "route"}


def test_routed_is_right_where_neither_person_nor_outcome_says_otherwise() -> None:
    found = insights(
        handled(**ROUTED, word=ACCEPTED),
        handled(**ROUTED, ending=AS_SET),
        handled(**ROUTED, word=ACCEPTED, ending=ELSEWHERE),
        handled(**ROUTED, word=CORRECTED),
        handled(**ROUTED, word=REJECTED),
        handled(**ROUTED, ending=OTHER_KIND),
        handled(**ROUTED),
        handled(ending=ELSEWHERE),
    )

    assert count(found, "routed_right") == (2, 6)
    assert count(found, "routed_changed") == (4, 6)
    assert count(found, "routed_right_by_people") == (2, 4)
    assert count(found, "routed_right_by_outcome") == (1, 3)
    # Who rejects does not say in what it is wrong.
    assert count(found, "routed_tier_changed") == (2, 5)
    assert count(found, "routed_category_changed") == (1, 5)


def test_precision_is_told_by_model_and_by_week() -> None:
    later = MONDAY + timedelta(weeks=2)

    found = insights(
        handled(**ROUTED, ending=AS_SET),
        handled(**ROUTED, ending=ELSEWHERE, model_version="m2", suggested_at=later),
    )

    assert points(found, "routed_right", "model") == {"m1": (1, 1), "m2": (0, 1)}
    assert points(found, "routed_right", "week") == {
        "2026-W10": (1, 1),
        "2026-W11": (0, 0),
        "2026-W12": (0, 1),
    }


def test_upper_part_of_a_path_is_borne_out_by_what_lies_below() -> None:
    found = insights(
        handled(**ROUTED, category="Network", ending=Ending("1", "Network > VPN")),
        handled(**ROUTED, category="Network > VPN", ending=Ending("1", "Network")),
    )

    assert count(found, "routed_right") == (1, 2)


def test_funnel_tells_what_is_left_and_why_the_others_dropped_out() -> None:
    found = insights(
        handled(decision="review"),
        handled(),
        handled(**ROUTED, ending=AS_SET),
        handled(**ROUTED, ending=ELSEWHERE),
        handled(**ROUTED, ending=Ending("2", "email")),
        handled(**ROUTED),
        handled(**ROUTED, has_ticket_id=False),
        handled(**ROUTED, is_newest=False, ending=AS_SET),
    )

    assert points(found, "funnel", "stage") == {
        "received": (7, 7),
        "suggested": (6, 7),
        "routed": (5, 6),
        "written_back": (0, 0),
        "closed": (3, 5),
        "right": (1, 3),
    }
    assert points(found, "dropped_closed", "reason") == {
        "no_outcome": (1, 2),
        "no_ticket_id": (1, 2),
    }
    assert points(found, "dropped_right", "reason") == {"tier": (1, 2), "both": (1, 2)}


def test_reasons_are_those_that_the_answers_gave() -> None:
    counter = InsightCounter(DESK, Wanted())
    left, unsure = handled(decision="review"), handled()
    counter.handle([left, unsure, unsure, handled(**ROUTED)])
    told = {"unsure_tier": "The tier is right with 41.0%.", "wide_impact": "Many are affected."}
    counter.explain(
        [
            Answered(left, {"out_of_domain": "Foreign."}, ()),
            Answered(unsure, told, ()),
            Answered(unsure, {"wide_impact": "Many are affected."}, ()),
            Answered(handled(**ROUTED), {"promise_kept": "Sure."}, ()),
        ]
    )

    found = counter.insights()

    assert points(found, "dropped_suggested", "reason") == {"out_of_domain": (1, 1)}
    assert points(found, "dropped_routed", "reason") == {
        "wide_impact": (2, 2),
        "unsure_tier": (1, 2),
    }
    [series] = [one for one in found.series if one.name == "dropped_routed"]
    assert [one.name for one in series.points] == [
        "Many are affected.",
        "The tier is not sure enough.",
    ]


def test_calibration_is_told_by_people_and_by_outcomes_apart() -> None:
    found = insights(
        handled(confidence=0.62, word=ACCEPTED),
        handled(confidence=0.68, word=CORRECTED),
        handled(confidence=1.0, ending=AS_SET),
        handled(confidence=0.95, ending=Ending("1", "vpn", is_shaped=True)),
        handled(confidence=0.25, word=REJECTED, decision="review"),
    )

    assert points(found, "right_by_confidence_people", "confidence") == {
        "0.2": (0, 1),
        "0.6": (1, 2),
    }
    assert points(found, "right_by_confidence_outcomes", "confidence") == {"0.9": (2, 2)}
    error, n = count(found, "ece_people")
    assert (error, n) == (pytest.approx(abs(1.3 - 1) + 0.25), 3)
    assert found.mean_confidences["people"] == [0.25, pytest.approx(0.65)]
    assert found.n_shaped == 1


def test_confidence_is_held_against_the_targets_it_speaks_of() -> None:
    desk = replace(DESK, targets=("category",))

    found = insights(handled(ending=ELSEWHERE), desk=desk)

    assert points(found, "right_by_confidence_outcomes", "confidence") == {"0.7": (1, 1)}


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=200))
def test_error_is_at_least_the_gap_over_all_steps_together(
    answers: list[tuple[float, bool]],
) -> None:
    import numpy as np

    counter = CalibrationCounter("x", "x", "")
    for confidence, is_right in answers:
        counter.add(confidence, is_right)

    value = counter.error().value

    confidence, right = (np.array(column) for column in zip(*answers, strict=True))
    whole = abs(float(confidence.mean() - right.mean()))
    assert value is not None
    assert whole - 1e-9 <= value <= 1
    if len(answers) == 1:
        assert value == pytest.approx(expected_calibration_error(confidence, right))


def test_error_by_chance_is_what_true_confidences_show() -> None:
    import numpy as np

    chance = np.random.default_rng(0)
    errors, expected = [], []
    for _ in range(200):
        counter = CalibrationCounter("x", "x", "")
        for confidence in chance.random(300).tolist():
            counter.add(confidence, bool(chance.random() < confidence))
        errors.append(counter.error().value or 0)
        expected.append(counter.by_chance())

    assert np.mean(expected) == pytest.approx(np.mean(errors), rel=0.08)


def test_pull_is_the_difference_with_its_interval() -> None:
    pull = pull_of(Count(90, 100), Count(60, 100))

    assert pull is not None
    low_seen, high_seen = share_interval(90, 100)
    low_blind, high_blind = share_interval(60, 100)
    assert pull.difference == pytest.approx(0.3)
    assert pull.low == pytest.approx(0.3 - ((0.9 - low_seen) ** 2 + (high_blind - 0.6) ** 2) ** 0.5)
    assert pull.high == pytest.approx(
        0.3 + ((high_seen - 0.9) ** 2 + (0.6 - low_blind) ** 2) ** 0.5
    )
    assert "+30.0 points" in pull.sentence


def test_pull_that_may_be_chance_is_called_so_and_none_without_blind_ones() -> None:
    pull = pull_of(Count(31, 50), Count(30, 50))

    assert pull is not None and "chance" in pull.sentence
    assert pull_of(Count(9, 10), Count(0, 0)) is None


def test_article_gaps_are_those_of_tickets_whose_category_is_known_by_now() -> None:
    counter = InsightCounter(DESK, Wanted())
    counter.explain(
        [
            Answered(handled(ending=OTHER_KIND), {}, ()),
            Answered(handled(ending=OTHER_KIND), {}, ("KB1",)),
            Answered(handled(word=ACCEPTED), {}, ()),
            Answered(handled(), {}, ()),
            Answered(handled(ending=AS_SET, is_newest=False), {}, ()),
        ]
    )

    found = counter.insights()

    assert count(found, "without_article") == (2, 3)
    assert points(found, "without_article", "category") == {"email": (1, 2), "vpn": (1, 1)}


def test_article_fails_where_its_ticket_came_above_its_own_tier() -> None:
    articles = {
        "KB1": ArticleFacts("Reset", "1"),
        "KB2": ArticleFacts("Certificate", "2"),
        "KB3": ArticleFacts("Idle"),
    }
    counter = InsightCounter(replace(DESK, articles=articles), Wanted())
    counter.explain([Answered(handled(), {}, ("KB1",))])
    counter.use_articles(
        [
            ArticlesUsed(("KB1", "KB2"), ("1", "2")),
            ArticlesUsed(("KB1", "KB1"), ("1",)),
            ArticlesUsed(("KB9",), ("1", "3")),
        ]
    )
    counter.judge_articles([ArticleJudged("KB2", 1, 4), ArticleJudged("KB1", 2, 2)])

    found = counter.insights()

    assert points(found, "articles_escalated", "article") == {
        "KB1": (1, 2),
        "KB9": (1, 1),
        "KB2": (0, 1),
    }
    assert list(points(found, "articles_helpful", "article").items()) == [
        ("KB2", (1, 4)),
        ("KB1", (2, 2)),
    ]
    assert points(found, "articles_never_offered", "article") == {"KB3": (0, 1)}
    assert count(found, "articles_never_offered") == (1, 3)


def test_incident_has_the_tickets_that_any_suggestion_named() -> None:
    counter = InsightCounter(DESK, Wanted())
    older = Incident("b1", "2026-03-01T08:00:00Z", ("mail",), ("A", "B"))
    newer = Incident("b1", "2026-03-01T08:00:00Z", ("mail", "server"), ("A", "B", "C"))
    other = Incident("b2", "2026-03-03T08:00:00Z", (), ("D",))

    counter.share_trouble([newer, older, other], [])

    found = counter.insights()
    assert list(points(found, "incidents", "incident").items()) == [("b2", (1, 1)), ("b1", (3, 3))]
    [series] = [one for one in found.series if one.name == "incidents"]
    assert series.points[1].name == "mail, server (since 2026-03-01 08:00 UTC)"
    assert found.searches["b1"].words == "mail" and found.searches["b1"].since == "2026-03-01"
    assert "b2" not in found.searches


def test_label_checks_are_added_up() -> None:
    counter = InsightCounter(DESK, Wanted())

    counter.check_labels([LabelChecks("tier", 4, 1, 2), LabelChecks("category", 6, 5, 0)])

    found = counter.insights()
    assert count(found, "labels_fixed") == (6, 10)
    assert count(found, "labels_waiting") == (2, 2)
    assert points(found, "labels_fixed", "target") == {"category": (5, 6), "tier": (1, 4)}


def test_one_category_is_counted_by_what_is_known_best_of_it() -> None:
    found = insights(
        handled(),
        handled(ending=OTHER_KIND),
        handled(category="email", word=Word("corrected", "1", "vpn")),
        category="vpn",
    )

    assert count(found, "asked") == (2, 2)


def test_nothing_counted_is_told_as_nothing() -> None:
    found = insights()

    assert count(found, "asked") == (0, 0)
    assert found.pull is None
    assert {one.value for one in found.figures if one.unit != "count"} == {None}


@given(
    st.lists(
        st.builds(
            Handled,
            suggested_at=st.just(MONDAY),
            decision=st.sampled_from(["route", "suggest", "review"]),
            confidence=st.floats(0, 1),
            model_version=st.sampled_from(["m1", "m2"]),
            tier=st.sampled_from(["1", "2", None]),
            category=st.sampled_from(["vpn", "email", None]),
            is_newest=st.booleans(),
            word=st.sampled_from([None, ACCEPTED, CORRECTED, REJECTED]),
            ending=st.sampled_from([None, AS_SET, ELSEWHERE, OTHER_KIND]),
        ),
        max_size=40,
    )
)
def test_records_of_equal_facts_are_answered_once_and_counted_each(records: list[Handled]) -> None:
    measures = suggestion_measures()
    remembering, asking = Tally(measures, facts_of), Tally(measures, id)

    for record in records:
        remembering.add(record, None, model=record.model_version)
        asking.add(record, None, model=record.model_version)

    assert remembering.figures(measures) == asking.figures(measures)
    assert remembering.grouped("model", measures, {}) == asking.grouped("model", measures, {})
