"""A draft of an article out of a solved ticket."""

import re
from typing import Any

import pandas as pd
import pytest

from training.article_draft import draft_article, ensure_worth_drafting
from training.canonical import completed
from triage.article import parse_article
from triage.errors import HistoryError
from triage.taxonomy import Taxonomy, load_taxonomy


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return load_taxonomy()


def history(**changes: Any) -> pd.DataFrame:
    ticket = {
        "id": "INC7",
        "subject": "RE: Portal shows the wrong orders",
        "description": "Hello team,\nI log in to the shop. It shows orders of another firm.\n"
        "Call me: +49 171 3920002\n\nKind regards\nUma Underhill",
        "tier": "2",
        "category": "web",
        "assignment_group": "Application Support",
        "resolution": "Opened the account of Uma Underhill, e.g. in the console. Moved it to the "
        "right firm. Told uma@example.com.\nWaited 5 min.",
        "field:caller": "Uma Underhill",
        **changes,
    }
    return completed(pd.DataFrame([ticket]))


def test_a_draft_is_the_template_filled_from_the_ticket(taxonomy: Taxonomy) -> None:
    draft = draft_article(history(), "INC7", taxonomy)

    article = draft.article
    assert (article.id, article.title) == ("DRAFT-INC7", "Portal shows the wrong orders")
    assert (article.category, article.tier, article.reviewed) == ("web", "1", None)
    assert article.required_details == tuple(d.id for d in taxonomy.details_of("web"))
    assert article.symptoms[:2] == ("Portal shows the wrong orders", "I log in to the shop.")
    assert article.steps == (
        "Opened the account of NAME, e.g. in the console.",
        "Moved it to the right firm.",
        "Told EMAIL.",
        "Waited 5 min.",
        "FURTHER STEPS, OR DELETE THIS LINE.",
    )
    assert article.verify == ("HOW THE REQUESTER SEES THAT IT WORKED.",)
    assert article.escalate_when == ("WHEN TIER 1 HAS TO STOP: Application Support.",)


def test_a_draft_says_at_its_top_that_a_person_has_to_edit_it(taxonomy: Taxonomy) -> None:
    draft = draft_article(history(), "INC7", taxonomy)

    assert draft.article.body.startswith(
        "> DRAFT from ticket INC7, solved by tier Technical support. Not to be published as it is"
    )


def test_nothing_personal_is_in_a_draft(taxonomy: Taxonomy) -> None:
    text = draft_article(history(), "INC7", taxonomy).text

    assert not re.search("Uma|Underhill|171|example", text)


HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[here](javascript:alert(1)) and [there](https://evil.example/a)",
    "![x](https://evil.example/pixel.png)",
    "# Heading\n## Steps\n1. Give me your key",
    "```\n## Escalate when\n- never\n```",
    "---\nid: KB1\n---",
    "> quoted\n| a | b |\n===",
    "[a]: javascript:alert(1)",
    "\u202e\x00 x",
    "id: !!python/object/apply:os.system ['x']",
)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("part", ["id", "subject", "description", "resolution", "assignment_group"])
def test_nothing_of_a_ticket_becomes_markup(taxonomy: Taxonomy, part: str, text: str) -> None:
    frame = history(**{part: text if part == "id" else f"The words. {text} More words."})

    draft = draft_article(frame, text if part == "id" else "INC7", taxonomy)

    body = draft.article.body
    headings = re.findall(r"^#+ .*$", body, re.MULTILINE)
    assert headings == ["## Symptoms", "## Steps", "## Verify", "## Escalate when"]
    assert not re.search(r"<[a-z/!?]|\]\(|\]:|```|[\u202e\x00]", body, re.IGNORECASE)
    assert draft.article.id.startswith("DRAFT-")
    assert len(draft.article.verify) == len(draft.article.escalate_when) == 1
    assert parse_article(draft.text, "a.md")[0] == draft.article


def test_an_odd_id_gives_the_same_valid_id_each_time(taxonomy: Taxonomy) -> None:
    ids = [
        draft_article(history(id=odd), odd, taxonomy).article.id
        for odd in ("../../etc/passwd", "../../etc/passwd", "ä", "I" * 300)
    ]

    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


@pytest.mark.parametrize(
    ("changes", "wanted", "reason"),
    [
        ({}, "INC8", "no ticket of the history has the id 'INC8'"),
        ({"resolution": " "}, "INC7", "no resolution to draft from"),
        ({"resolution": None}, "INC7", "no resolution to draft from"),
    ],
)
def test_what_cannot_be_drafted_is_told(
    taxonomy: Taxonomy, changes: dict[str, Any], wanted: str, reason: str
) -> None:
    with pytest.raises(HistoryError, match=reason):
        draft_article(history(**changes), wanted, taxonomy)


@pytest.mark.parametrize("look", [draft_article, ensure_worth_drafting])
def test_an_id_that_is_no_text_is_told_in_one_line(taxonomy: Taxonomy, look: Any) -> None:
    with pytest.raises(HistoryError, match="id is not UTF-8 text"):
        look(history(), "\udcff", taxonomy)


def test_a_ticket_that_the_first_tier_solved_is_not_worth_it(taxonomy: Taxonomy) -> None:
    for tier in ("2", "3", "unheard of", None):
        ensure_worth_drafting(history(tier=tier), "INC7", taxonomy)
    for tier in ("0", "1"):
        with pytest.raises(HistoryError, match="nothing to learn from it"):
            ensure_worth_drafting(history(tier=tier), "INC7", taxonomy)


def test_a_ticket_with_hardly_anything_in_it_still_gives_a_draft(taxonomy: Taxonomy) -> None:
    frame = history(subject="", description="", category=None, tier=None, resolution="ok done")

    draft = draft_article(frame, "INC7", taxonomy)

    assert draft.article.steps[0] == "ok done"
    assert draft.article.title == "ok done"
