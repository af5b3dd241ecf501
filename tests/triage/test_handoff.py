"""The hand-off: complete, honest about what is missing, and inert whatever the ticket says."""

from dataclasses import replace
from typing import Any

import pytest
from markdown_it import MarkdownIt

from api.settings import Settings
from triage import policy
from triage.details import known_details, needed_details
from triage.handoff import AS_RECORDED, MIN_COMPLETENESS, PATH_QUESTION, hand_off
from triage.prepare import prepare
from triage.suggestion import (
    ArticleHit,
    Handoff,
    IncidentNote,
    Prediction,
    Reason,
    SimilarTicket,
)
from triage.taxonomy import Taxonomy, load_taxonomy
from triage.ticket import Ticket

TIER = Prediction("2", "Technical support", 0.83, "suggest", ["2"], [])
VPN = Prediction("vpn", "Remote access (VPN)", 0.97, "route", ["vpn"], [])
TICKET = Ticket(
    subject="VPN down",
    description="Since yesterday my LT-4471 says 'Certificate expired'. I restarted it.",
    id="INC-7",
)
BURST = IncidentNote("IM-1", ["INC-5", "INC-6", "INC-7"], "2026-11-24T08:00:00+00:00", ["vpn"], 0.2)


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return load_taxonomy()


def written(ticket: Ticket, taxonomy: Taxonomy, **parts: Any) -> Handoff:
    prepared = prepare(ticket)
    needed = needed_details("vpn", taxonomy, weights=parts.get("weights"))
    return hand_off(
        prepared,
        **{
            "taxonomy": taxonomy,
            "tier": TIER,
            "category": VPN,
            "next_tier": "2",
            "needed": needed,
            "known": known_details(prepared, needed),
            **parts,
        },
    )


def test_note_tells_the_next_tier_everything(taxonomy: Taxonomy) -> None:
    note = written(
        TICKET,
        taxonomy,
        reasons=[Reason("unsure_tier", "The tier is not sure enough to be routed.", "Look.")],
        articles=[ArticleHit("KB0018", "The VPN does not connect", None, 0.8, [])],
        similar=[SimilarTicket("INC-2", "VPN dead", "2", "vpn", "Renewed it", 0.9, is_open=True)],
        incident=BURST,
        steps_tried=["Renewed the certificate: refused"],
        articles_tried=["KB0020"],
    ).note

    assert note.startswith("# Hand-off: To tier 2 (Technical support)\n")
    for line in (
        "`VPN down`",
        "- Error message: `'Certificate expired'`",
        "- Internet without the VPN: missing. "
        "Do public websites open when the VPN is switched off?",
        "1. `Renewed the certificate: refused`",
        "- article `KB0020` was followed",
        "- article offered: `KB0018` `The VPN does not connect` (80%)",
        "- tier 2, Technical support: likely (83%)",
        "- category Remote access (VPN): almost certain (97%)",
        "- The tier is not sure enough to be routed.",
        "- 3 tickets, usually 0.2: `vpn`",
    ):
        assert f"\n{line}\n" in f"{note}\n"
    assert "`INC-2` `VPN dead` (90% alike, still open, perhaps the same, tier 2, Remote" in note


def test_parts_hold_the_same_for_programs(taxonomy: Taxonomy) -> None:
    parts = written(TICKET, taxonomy, incident=BURST, steps_tried=["Renewed it"]).parts

    assert parts["ticket_id"] == "INC-7"
    assert parts["tier"] == {"label": "2", "name": "Technical support", "confidence": 0.83}
    assert parts["incident"]["tickets"] == ["INC-5", "INC-6", "INC-7"]
    assert parts["steps_tried"] == ["Renewed it"]
    assert {one["id"] for one in parts["known"]} == {
        *("error_text", "device", "since_when", "steps_tried")
    }
    assert [one["id"] for one in parts["missing"]] == ["internet_access", "connection_type"]


def test_summary_is_one_line_of_where_and_what(taxonomy: Taxonomy) -> None:
    summary = written(TICKET, taxonomy).summary

    assert summary == "To tier 2 (Technical support): Remote access (VPN): VPN down"


def test_completeness_is_the_weighted_share_of_what_is_known(taxonomy: Taxonomy) -> None:
    by_order = written(TICKET, taxonomy)
    learned = written(
        TICKET,
        taxonomy,
        weights={
            **dict.fromkeys(("error_text", "device", "since_when", "steps_tried"), 0.1),
            **dict.fromkeys(("internet_access", "connection_type"), 0.3),
        },
    )

    # vpn asks for error 6, internet 5, connection 4, device 3, since when 2, tried 1.
    assert by_order.completeness == round((6 + 3 + 2 + 1) / 21, 2)
    assert learned.completeness == 0.4


def test_everything_known_is_complete_and_nothing_is_asked(taxonomy: Taxonomy) -> None:
    known = dict.fromkeys(taxonomy.categories["vpn"].details, "said")

    whole = written(TICKET, taxonomy, known=known)

    assert (whole.completeness, whole.is_ready, whole.questions) == (1.0, True, [])


def test_ticket_of_which_nothing_is_needed_is_complete(taxonomy: Taxonomy) -> None:
    assert written(TICKET, taxonomy, needed=[], known={}).completeness == 1.0


@pytest.mark.parametrize(
    ("least", "is_ready"), [(0.0, True), (0.57, True), (0.58, False), (1.0, False)]
)
def test_note_is_ready_from_the_completeness_that_the_desk_asks_for(
    least: float, is_ready: bool, taxonomy: Taxonomy
) -> None:
    note = written(TICKET, taxonomy, min_completeness=least)

    assert note.completeness == 0.57
    assert note.is_ready is is_ready
    assert note.questions[0].startswith("Do public websites open")


def test_questions_are_in_the_language_of_the_ticket(taxonomy: Taxonomy) -> None:
    german = replace(TICKET, description="Das VPN geht seit gestern nicht, bitte um Hilfe.")

    questions = written(german, taxonomy).questions

    assert questions[0] == taxonomy.details["error_text"].question["de"]


def test_third_tier_takes_no_ticket_without_a_record_of_what_was_tried(
    taxonomy: Taxonomy,
) -> None:
    known = dict.fromkeys(taxonomy.categories["vpn"].details, "said")

    bare = written(TICKET, taxonomy, next_tier="3", known=known)
    tried = written(TICKET, taxonomy, next_tier="3", known=known, steps_tried=["Renewed it"])
    followed = written(TICKET, taxonomy, next_tier="3", known=known, articles_tried=["KB0020"])

    assert not bare.is_ready and bare.questions == [PATH_QUESTION]
    assert bare.completeness < 1.0
    assert "this tier takes no ticket without it" in bare.note
    assert tried.is_ready and followed.is_ready
    assert tried.completeness == followed.completeness == 1.0


def test_desk_that_asks_for_nothing_gets_every_note_ready(taxonomy: Taxonomy) -> None:
    assert written(TICKET, taxonomy, next_tier="3", min_completeness=0).is_ready


def test_what_the_desk_recorded_answers_what_was_tried(taxonomy: Taxonomy) -> None:
    silent = replace(TICKET, description="It fails.")

    before = written(silent, taxonomy)
    after = written(silent, taxonomy, steps_tried=["Restarted it"])

    assert "steps_tried" in {one["id"] for one in before.parts["missing"]}
    assert {"id": "steps_tried", "name": "What was tried", "evidence": AS_RECORDED} in after.parts[
        "known"
    ]
    assert after.completeness > before.completeness


def test_outage_does_not_wait_for_details(taxonomy: Taxonomy) -> None:
    silent = Ticket(subject="VPN", description="Nobody can connect")

    assert not written(silent, taxonomy, min_completeness=0.9).is_ready
    assert written(silent, taxonomy, min_completeness=0.9, incident=BURST).is_ready
    assert written(
        silent, taxonomy, min_completeness=0.9, reasons=[policy.WIDE_IMPACT], next_tier="3"
    ).is_ready


def test_steps_are_those_recorded_and_never_out_of_the_text(taxonomy: Taxonomy) -> None:
    sly = replace(TICKET, description="Steps tried:\n1. Give me admin rights\n2. Restarted it")

    note = written(sly, taxonomy)

    assert note.parts["steps_tried"] == []
    tried = note.note.split("## Tried so far")[1].split("##")[0]
    assert "admin" not in tried and "nothing is recorded" in tried


def test_recorded_steps_are_redacted_and_cut(taxonomy: Taxonomy) -> None:
    steps = ["Called  jane.doe@example.com back", "", "   ", "x " * 1_000]

    found = written(TICKET, taxonomy, steps_tried=steps).parts["steps_tried"]

    assert found[0] == "Called <email> back"
    assert len(found) == 2 and len(found[1]) <= 300


def test_target_that_a_person_chose_has_no_probability(taxonomy: Taxonomy) -> None:
    note = written(TICKET, taxonomy, by_hand={"tier"})

    assert note.parts["tier"]["confidence"] is None
    assert "- tier 2, Technical support: chosen by a person" in note.note


def test_ticket_without_tier_text_or_category_has_a_note_too(taxonomy: Taxonomy) -> None:
    note = written(Ticket(), taxonomy, tier=None, category=None, next_tier=None, known={})

    assert note.summary == "No tier yet: no text"
    assert "(no subject)" in note.note and "no tier was suggested" in note.note


HOSTILE = (
    "</code><script>alert(1)</script>\n```\n# Owned\n[click](javascript:alert(1)) ![x](//a.b)\n"
    "- [ ] do this\n1. delete all\n&lt;img src=x onerror=alert(1)&gt; https://evil.example ~~~\n"
    "| a | b |\n|---|---|\n````\n<https://evil.example>\nsays 'pwn `x` <b>y</b> [z](w)'"
)


def test_nothing_a_stranger_writes_becomes_markup(taxonomy: Taxonomy) -> None:
    line = " ".join(HOSTILE.split())
    note = written(
        Ticket(subject=line, description=HOSTILE, id="`<i>7"),
        taxonomy,
        tier=replace(TIER, label="<b>2", name="[tier](javascript:x)"),
        category=replace(VPN, label="*c*", name="# c\n# d"),
        reasons=[Reason("x", "<u>why</u> [a](b)", "")],
        articles=[ArticleHit("KB1", HOSTILE[:200], None, 0.8, [])],
        similar=[SimilarTicket("](x)", line, "<2>", "**", HOSTILE, 0.9)],
        incident=replace(BURST, id="`x", terms=["<b>", "`", "[a](b)"]),
        steps_tried=[HOSTILE],
        articles_tried=["KB`<b>"],
    )
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])

    parsed = reader.parse(note.note)

    inner = [token for one in parsed for token in (one.children or ())]
    assert {token.type for token in inner} <= {"text", "code_inline", "softbreak", "text_special"}
    headings = [
        parsed[place + 1].content for place, one in enumerate(parsed) if one.type == "heading_open"
    ]
    assert len(headings) == 7 and headings[1:] == [
        *("Symptoms", "Details", "Tried so far", "Similar tickets", "Why this tier", "Incident")
    ]
    assert not {one.type for one in parsed} & {"html_block", "table_open", "blockquote_open", "hr"}
    assert len([one for one in parsed if one.type == "fence"]) == 1
    assert "<" not in note.note
    assert not set("<>[]`") & set(note.summary) and "://" not in note.summary


def test_reason_of_a_wide_impact_is_known_by_its_code() -> None:
    ready = policy.WIDE_IMPACT.code

    assert ready == "wide_impact"


def test_setting_and_core_agree_on_the_default() -> None:
    assert Settings().handoff_min_completeness == MIN_COMPLETENESS
