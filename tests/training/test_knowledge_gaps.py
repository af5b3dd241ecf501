"""What a history says about a knowledge base: what is missing, what fails, what nobody needs."""

from collections.abc import Sequence
from random import Random
from typing import Any

import pandas as pd
import pytest

from training.canonical import column_array, completed
from training.knowledge_gaps import Gap, KnowledgeReview, review_knowledge
from triage.article import Article
from triage.errors import HistoryError
from triage.knowledge import KnowledgeBase
from triage.taxonomy import Taxonomy, load_taxonomy

TOPICS = {
    "printer": "printer paper jam tray toner smudged pages queue",
    "vpn": "vpn tunnel gateway certificate handshake remote disconnects",
    "shop": "supplier shop order catalogue basket checkout voucher",
    "badge": "badge door reader turnstile entrance beeps refuses",
}
CHATTER = "please since monday again colleague nothing tried restart urgent customer office new"
PRINTER = Article(
    id="KB1",
    title="The printer reports a paper jam",
    category="printing",
    tier="1",
    symptoms=("paper jam in the tray", "toner smudged on pages", "printer queue stuck"),
)
VPN = Article(
    id="KB2",
    title="The VPN tunnel disconnects",
    category="vpn",
    tier="1",
    symptoms=("gateway refuses the certificate", "remote handshake fails", "vpn disconnects"),
)
FAX = Article(id="KB3", title="The fax machine is busy", tier="1", symptoms=("fax busy tone",))
SPARE = Article(id="KB4", title="Order a spare battery", tier="2", symptoms=("battery swollen",))
BASE = KnowledgeBase([PRINTER, VPN, FAX, SPARE])


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return load_taxonomy()


def tickets(topic: str, count: int, tier: str = "1", **parts: Any) -> list[dict[str, Any]]:
    """Make tickets of one topic, each of other words of it, by other people, a day apart."""
    rng = Random(f"{topic}{tier}{parts}")
    rows = []
    for number in range(count):
        words = [*rng.sample(TOPICS[topic].split(), 4), *rng.sample(CHATTER.split(), 2)]
        rng.shuffle(words)
        rows.append(
            {
                "id": f"{topic}-{tier}-{len(parts)}-{number}",
                "created_at": pd.Timestamp("2026-06-01", tz="UTC") - pd.Timedelta(days=number),
                "subject": topic,
                "description": " ".join(words),
                "tier": tier,
                "category": {"printer": "printing", "vpn": "vpn"}.get(topic, "access"),
                "resolution": "Did it.",
                "article_ids": (),
                "field:caller": f"Person {number % 7}",
                **parts,
            }
        )
    return rows


def history(*groups: Sequence[dict[str, Any]]) -> pd.DataFrame:
    rows = [row for group in groups for row in group]
    frame = pd.DataFrame(
        {
            name: column_array(name, [row.get(name) for row in rows])
            for name in dict.fromkeys(name for row in rows for name in row)
        }
    )
    return completed(frame)


def gap_of(review: KnowledgeReview, topic: str) -> Gap:
    (found,) = (gap for gap in review.gaps if gap.examples[0].startswith(topic))
    return found


@pytest.fixture(scope="module")
def review(taxonomy: Taxonomy) -> KnowledgeReview:
    frame = history(
        tickets("shop", 12, "3"),
        tickets("badge", 20),
        tickets("printer", 30, article_ids=("KB1",)),
        tickets("vpn", 20, article_ids=("KB2",)),
        tickets("vpn", 20, "3", article_ids=("KB2",), reopened=False),
    )
    return review_knowledge(frame, taxonomy, BASE)


def test_topics_without_an_article_are_gaps_and_the_others_are_not(review: KnowledgeReview) -> None:
    assert {gap.examples[0].split("-")[0] for gap in review.gaps} == {"shop", "badge"}
    assert (review.tickets, review.without_article) == (102, 32)


def test_the_gap_that_costs_most_comes_first(review: KnowledgeReview) -> None:
    shop, badge = review.gaps

    assert (shop.tickets, shop.cost) == (12, 36)
    assert (badge.tickets, badge.cost) == (20, 20)
    assert dict(shop.tiers) == {"3": 1.0}


def test_a_gap_is_named_by_its_own_words(review: KnowledgeReview) -> None:
    for topic in ("shop", "badge"):
        terms = gap_of(review, topic).terms

        assert 1 <= len(terms) <= 6
        assert set(terms) <= set(TOPICS[topic].split())


@pytest.mark.parametrize("knowledge", [None, BASE])
def test_a_history_too_small_for_words_has_no_gaps(
    taxonomy: Taxonomy, knowledge: KnowledgeBase | None
) -> None:
    small = review_knowledge(history(tickets("shop", 3, article_ids=("X",))), taxonomy, knowledge)
    frame = history(tickets("shop", 2), tickets("printer", 1, article_ids=("KB1",)))

    found = review_knowledge(frame, taxonomy, knowledge)

    assert small.gaps == ()
    assert (found.tickets, found.without_article, found.gaps) == (3, 2, ())


def test_words_of_few_tickets_or_requesters_and_personal_data_are_never_terms(
    taxonomy: Taxonomy,
) -> None:
    rows = tickets("shop", 20, "2")
    for row in rows[:4]:
        row["description"] += " zanzibar"
    for row in rows[:8]:
        row["field:caller"] = "Person 1"
        row["description"] += " quetzal"
    for row in rows:
        row["description"] += " mail uma.underhill@example.com"

    review = review_knowledge(history(rows), taxonomy, BASE)

    terms = {term for gap in review.gaps for term in gap.terms}
    assert terms
    assert not terms & {"zanzibar", "quetzal", "email", "<email>", "uma", "underhill", "example"}


def test_a_few_tickets_are_no_gap(taxonomy: Taxonomy) -> None:
    frame = history(tickets("shop", 4, "3"), tickets("badge", 9))

    review = review_knowledge(frame, taxonomy, BASE)

    assert [gap.examples[0].split("-")[0] for gap in review.gaps] == ["badge"]


def test_tickets_that_an_article_fits_but_that_used_none_name_it(taxonomy: Taxonomy) -> None:
    frame = history(tickets("printer", 20, "2"), tickets("vpn", 10, article_ids=("KB2",)))

    (gap,) = review_knowledge(frame, taxonomy, BASE).gaps

    assert gap.nearest == "KB1"
    assert gap.offered > 0.8


def test_without_a_word_on_used_articles_fitting_ones_count(taxonomy: Taxonomy) -> None:
    frame = history(tickets("printer", 20, "2"), tickets("badge", 10))

    review = review_knowledge(frame, taxonomy, BASE)

    assert [gap.examples[0].split("-")[0] for gap in review.gaps] == ["badge"]
    assert any("does not tell which articles were used" in note for note in review.notes)
    assert review.failing == ()


def test_an_article_that_the_knowledge_base_lacks_was_no_help(taxonomy: Taxonomy) -> None:
    frame = history(tickets("badge", 10, article_ids=("GONE",)))

    review = review_knowledge(frame, taxonomy, BASE)

    assert len(review.gaps) == 1


def test_the_typical_ticket_was_solved_above_the_first_tier_and_has_a_resolution(
    taxonomy: Taxonomy,
) -> None:
    frame = history(
        tickets("badge", 12),
        tickets("badge", 2, "2"),
        tickets("badge", 3, "3", resolution=""),
    )

    (gap,) = review_knowledge(frame, taxonomy, BASE).gaps

    assert gap.typical is not None and gap.typical.startswith("badge-2-")


def test_an_article_that_fails_is_listed_with_counts_and_a_bound(review: KnowledgeReview) -> None:
    (failing,) = review.failing

    assert (failing.id, failing.used, failing.failed) == ("KB2", 40, 20)
    assert review.failures == round(20 / 70, 4)
    assert review.failures < failing.at_least < 0.5


def test_one_failure_of_one_use_is_not_shouted(taxonomy: Taxonomy) -> None:
    frame = history(
        tickets("printer", 10, article_ids=("KB1",)),
        tickets("vpn", 1, "3", article_ids=("KB2",)),
    )

    assert review_knowledge(frame, taxonomy, BASE).failing == ()


def test_a_ticket_within_the_tier_of_its_article_is_no_failure_but_a_reopened_one_is(
    taxonomy: Taxonomy,
) -> None:
    frame = history(
        tickets("printer", 20, "2", article_ids=("KB4",)),
        tickets("vpn", 20, reopened=True, article_ids=("KB2",)),
    )

    failing = review_knowledge(frame, taxonomy, BASE).failing

    assert [(one.id, one.used, one.failed) for one in failing] == [("KB2", 20, 20)]


def test_articles_in_no_ticket_and_never_the_best_are_not_needed(review: KnowledgeReview) -> None:
    assert [(one.id, one.last_used) for one in review.unneeded] == [("KB3", None), ("KB4", None)]


def test_use_long_ago_does_not_count(taxonomy: Taxonomy) -> None:
    long_ago = pd.Timestamp("2024-01-31", tz="UTC")
    frame = history(
        tickets("badge", 20),
        tickets("badge", 1, article_ids=("KB3",), created_at=long_ago),
        tickets("badge", 1, "2", article_ids=("KB4",)),
    )

    unneeded = review_knowledge(frame, taxonomy, BASE, months=12).unneeded
    longer = review_knowledge(frame, taxonomy, BASE, months=48).unneeded

    assert [(one.id, one.last_used) for one in unneeded if one.id in ("KB3", "KB4")] == [
        ("KB3", "2024-01-31")
    ]
    assert not {one.id for one in longer} & {"KB3", "KB4"}


def test_neither_articles_nor_their_use_is_told(taxonomy: Taxonomy) -> None:
    with pytest.raises(HistoryError, match="--kb"):
        review_knowledge(history(tickets("badge", 10)), taxonomy)


def test_without_articles_the_history_tells_alone(taxonomy: Taxonomy) -> None:
    frame = history(tickets("badge", 10), tickets("vpn", 20, article_ids=("KB2",)))

    review = review_knowledge(frame, taxonomy)

    assert [gap.examples[0].split("-")[0] for gap in review.gaps] == ["badge"]
    assert review.unneeded == ()


def test_the_order_of_rows_changes_nothing(taxonomy: Taxonomy) -> None:
    frame = history(tickets("shop", 12, "3"), tickets("badge", 20), tickets("vpn", 9, "2"))
    shuffled = frame.sample(frac=1, random_state=3).reset_index(drop=True)

    assert review_knowledge(shuffled, taxonomy, BASE) == review_knowledge(frame, taxonomy, BASE)
