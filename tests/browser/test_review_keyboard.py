"""Reviewing with the keyboard alone."""

import time
from typing import Any

from made_suggestions import make_suggestion, predict

from triage.store import ReviewFilter


def test_twenty_tickets_are_reviewed_with_the_keyboard_alone(
    desk: Any, visiting: Any, capsys: Any
) -> None:
    ids = desk.fill("twenty", [make_suggestion(100 + n) for n in range(20)])
    visit = visiting("Ada", "/review?model=twenty")
    begin = time.monotonic()

    visit.decide("s")
    for number in range(20):
        if number == 5:
            visit.press("t", "2")
            visit.decide("Enter")
        elif number == 9:
            visit.press("c")
            visit.page.keyboard.type("print")
            visit.decide("Enter")
        else:
            visit.decide("a")

    seconds = time.monotonic() - begin
    with capsys.disabled():
        print(f"\n20 tickets reviewed with the keyboard in {seconds:.1f} s")
    words = [desk.store.feedback.about(one) for one in ids]
    verdicts = [said[0].verdict for said in words]
    assert [len(said) for said in words] == [1] * 20
    assert sorted(verdicts) == ["accepted"] * 18 + ["corrected"] * 2
    corrected = {(s[0].tier, s[0].category) for s in words if s[0].verdict == "corrected"}
    assert corrected == {("2", "access"), ("1", "printing")}
    assert seconds < 180
    visit.page.get_by_role("heading", name="Nothing fits these filters").wait_for()
    assert desk.store.reviews.count(ReviewFilter(model_version="twenty")) == 0


def test_next_ticket_comes_with_what_was_done_and_u_takes_it_back(desk: Any, visiting: Any) -> None:
    first, second = desk.fill("undoing", [make_suggestion(n) for n in (141, 140)])
    visit = visiting("Ada", f"/review/{first}?model=undoing")

    visit.decide("a")
    said = visit.said()
    at_second = visit.page.url
    visit.decide("u")

    assert said == "Accepted INC-141. (u to undo)"
    assert second in at_second
    assert f"/review/{first}" in visit.page.url
    assert desk.store.reviews.get(first).state == "open"
    assert desk.store.feedback.about(first) == []
    visit.page.get_by_text("Undone: this ticket is open again.").first.wait_for()


def test_tier_and_category_are_corrected_in_one_go(desk: Any, visiting: Any) -> None:
    [one] = desk.fill("both", [make_suggestion(150)])
    visit = visiting("Ada", f"/review/{one}?model=both")

    visit.press("t", "3", "Shift+Enter")
    visit.page.keyboard.type("vpn")
    visit.decide("Enter")

    [said] = desk.store.feedback.about(one)
    assert (said.verdict, said.tier, said.category) == ("corrected", "3", "vpn")


def test_ticket_without_a_suggestion_asks_for_both(desk: Any, visiting: Any) -> None:
    unsure = make_suggestion(
        155,
        decision="review",
        tier=predict(None, ("1", 0.4), ("2", 0.35)),
        category=predict(None, ("access", 0.3), ("vpn", 0.28)),
    )
    [one] = desk.fill("none", [unsure])
    visit = visiting("Ada", f"/review/{one}?model=none")

    visit.press("a", "1", "Enter")
    visit.page.keyboard.type("vpn")
    visit.decide("Enter")

    [said] = desk.store.feedback.about(one)
    assert (said.verdict, said.tier, said.category) == ("corrected", "1", "vpn")


def test_leaving_the_dialog_stores_nothing(desk: Any, visiting: Any) -> None:
    [one] = desk.fill("leaving", [make_suggestion(160)])
    visit = visiting("Ada", f"/review/{one}?model=leaving")

    visit.press("t", "2", "Escape")
    is_open = visit.page.locator("#picker").evaluate("dialog => dialog.open")

    assert not is_open
    assert desk.store.feedback.about(one) == []


def test_focus_stays_in_the_dialog(desk: Any, visiting: Any) -> None:
    [one] = desk.fill("trap", [make_suggestion(165)])
    visit = visiting("Ada", f"/review/{one}?model=trap")

    visit.press("t")
    inside = []
    for _ in range(8):
        visit.press("Tab")
        inside.append(
            visit.page.evaluate(
                "document.activeElement === document.body"
                " || Boolean(document.activeElement.closest('#picker'))"
            )
        )

    assert all(inside)


def test_skipping_goes_on_and_stores_nothing(desk: Any, visiting: Any) -> None:
    first, second = desk.fill("skipping", [make_suggestion(n) for n in (171, 170)])
    visit = visiting("Ada", f"/review/{first}?model=skipping")

    visit.decide("s")
    at_second = visit.page.url
    visit.decide("p")

    assert second in at_second
    assert first in visit.page.url
    assert desk.store.feedback.about(first) == desk.store.feedback.about(second) == []


def test_keys_do_nothing_while_somebody_types_or_holds_a_modifier(desk: Any, visiting: Any) -> None:
    [one] = desk.fill("typing", [make_suggestion(180)])
    visit = visiting("Ada", "/review?model=typing")

    visit.press("/")
    visit.page.keyboard.type("aqusg")
    typed = visit.page.get_by_label("Search").input_value()
    visit.open(f"/review/{one}?model=typing")
    for key in ("Control+a", "Alt+a", "Meta+a"):
        visit.press(key)
    visit.page.wait_for_timeout(200)

    assert typed == "aqusg"
    assert one in visit.page.url
    assert desk.store.feedback.about(one) == []


def test_article_is_judged_and_ticked_steps_survive_a_reload(desk: Any, visiting: Any) -> None:
    [one] = desk.fill("steps", [make_suggestion(190)])
    visit = visiting("Ada", f"/review/{one}?model=steps")

    visit.page.get_by_label("Unlock the account.").check()
    visit.press("h")
    visit.page.locator("button[value=true][aria-pressed=true]").wait_for()
    visit.page.reload()
    is_ticked = visit.page.get_by_label("Unlock the account.").is_checked()
    visit.decide("a")

    article, verdict = desk.store.feedback.about(one)
    assert is_ticked
    assert (article.article_id, article.helpful, article.verdict) == ("KB0001", True, None)
    assert (verdict.verdict, verdict.steps_done) == ("accepted", ("Unlock the account.",))


def test_question_mark_shows_the_keys(desk: Any, visiting: Any) -> None:
    visit = visiting("Ada")

    visit.press("?")

    visit.page.get_by_role("dialog", name="Keys").wait_for()
    visit.press("Escape")
    assert not visit.page.locator("#keys").evaluate("dialog => dialog.open")


def test_list_is_gone_through_and_opened_with_keys(desk: Any, visiting: Any) -> None:
    _, second = desk.fill("rows", [make_suggestion(n) for n in (201, 200)])
    visit = visiting("Ada", "/review?model=rows")

    visit.press("j", "n")
    visit.decide("Enter")

    assert f"/review/{second}" in visit.page.url
    visit.decide("g")
    assert visit.page.url.endswith("/review?model=rows")
