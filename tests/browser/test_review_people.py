"""What people meet on the way: somebody who was faster, a blind ticket, no script, an old label."""

from typing import Any

from made_suggestions import make_suggestion

from triage.store import LabelDoubt


def test_second_analyst_is_told_that_somebody_was_faster(desk: Any, visiting: Any) -> None:
    first, _ = desk.fill("conflict", [make_suggestion(n) for n in (301, 300)])
    path = f"/review/{first}?model=conflict"
    ada, ben = visiting("Ada", path), visiting("Ben", path)

    ada.press("t", "3")
    ada.decide("Enter")
    ben.press("a")
    ben.page.get_by_role("heading", name="Ada was faster").wait_for()
    told = ben.page.locator("main").inner_text()
    ben.decide("n")

    assert "corrected INC-301: tier 3 (Specialists)" in told
    assert "Your decision was not stored" in told
    assert len(desk.store.feedback.about(first)) == 1
    assert "INC-300" in ben.page.locator("main").inner_text()


def test_blind_ticket_is_decided_by_its_text_and_told_afterwards(desk: Any, visiting: Any) -> None:
    blind, _ = desk.fill("blind", [make_suggestion(311, blind=True), make_suggestion(310)])
    visit = visiting("Ada", f"/review/{blind}?model=blind")
    before = visit.page.locator("main").inner_text()

    visit.press("a", "2", "Enter")
    visit.page.keyboard.type("accounts")
    visit.decide("Enter")
    said = visit.said()

    [word] = desk.store.feedback.about(blind)
    assert "Decide without the suggestion" in before
    assert "%" not in before
    assert (word.verdict, word.is_blind, word.tier, word.category) == (
        *("corrected", True, "2", "access"),
    )
    assert "The suggestion was: tier 1 (Service desk), Accounts and sign-in; you differ." in said


def test_everything_works_without_a_script(desk: Any, visiting: Any) -> None:
    first, second = desk.fill("plain", [make_suggestion(n) for n in (321, 320)])
    visit = visiting("Ada", f"/review/{first}?model=plain", java_script_enabled=False)
    page = visit.page

    page.get_by_role("button", name="Accept").click()
    page.get_by_text("Accepted INC-321.").wait_for()
    page.locator("#choose-tier").select_option("2")
    page.get_by_role("button", name="Save the correction").click()
    page.get_by_text("Corrected INC-320: tier 2").wait_for()
    page.get_by_role("button", name="Undo").first.click()
    page.get_by_text("Undone: this ticket is open again.").wait_for()

    assert [one.verdict for one in desk.store.feedback.about(first)] == ["accepted"]
    assert desk.store.feedback.about(second) == []
    assert not page.get_by_role("button", name="Keys").is_visible()


def test_labels_of_the_history_are_confirmed_fixed_and_undone_with_keys(
    desk: Any, visiting: Any
) -> None:
    made = [
        LabelDoubt(
            *(f"OLD-{n}", "category", f"Printer {n}", "Paper is stuck.", "email", "printing"),
            0.9 - n / 100,
        )
        for n in range(3)
    ]
    desk.store.label_doubts.save(made)
    visit = visiting("Ada", "/review/labels")

    visit.decide("s")
    visit.decide("y")
    visit.decide("f")
    visit.press("c")
    visit.page.keyboard.type("vpn")
    visit.decide("Enter")
    labels = [desk.store.label_doubts.get(one.id).label for one in made]
    visit.decide("u")

    assert labels == ["email", "printing", "vpn"]
    assert desk.store.label_doubts.get(made[2].id).state == "open"
    assert made[2].id in visit.page.url


def test_session_that_ended_leads_to_sign_in_and_back(desk: Any, visiting: Any) -> None:
    [one] = desk.fill("ended", [make_suggestion(330)])
    visit = visiting("Dora", f"/review/{one}?model=ended")

    visit.page.context.clear_cookies()
    visit.press("g")
    visit.page.get_by_label("API key").fill(desk.keys["Dora"])
    visit.page.keyboard.press("Enter")
    visit.page.get_by_role("heading", name="Review queue").wait_for()

    assert visit.page.url == f"{desk.address}/review?model=ended"


def test_note_is_copied_or_at_least_selected(desk: Any, visiting: Any) -> None:
    [one] = desk.fill("note", [make_suggestion(340)])
    visit = visiting("Ada", f"/review/{one}?model=note")
    # The browser refuses the clipboard: nobody gave the page the right to it.
    visit.page.evaluate(
        "void (navigator.clipboard.writeText = () => Promise.reject(new Error('no')))"
    )

    visit.page.get_by_role("button", name="Copy").click()

    assert visit.said() == "Selected: copy it with the keyboard"
    assert visit.page.evaluate("getSelection().toString()").startswith("# Hand-off")


def test_service_that_is_gone_is_told_and_nothing_is_lost(desk: Any, visiting: Any) -> None:
    [one] = desk.fill("gone", [make_suggestion(350)])
    visit = visiting("Ada", f"/review/{one}?model=gone")
    visit.page.get_by_label("Unlock the account.").check()

    visit.page.context.set_offline(True)
    visit.press("a")
    told = visit.page.get_by_role("alert").inner_text()
    visit.page.context.set_offline(False)
    visit.decide("a")

    assert told == "The service cannot be reached. Nothing was stored; try again."
    assert [said.verdict for said in desk.store.feedback.about(one)] == ["accepted"]
    # The browser and htmx have told the console, as they should.
    visit.faults[:] = [fault for fault in visit.faults if not fault.startswith("console: ")]
