import hmac
import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.pages.session import COOKIE
from triage.store import LabelDoubt, Store

HOSTILE = "<script>alert(1)</script>{{7*7}}\u202e"


@pytest.fixture
def page(client: TestClient, store: Store) -> TestClient:
    return signed_in(client, store, "Ada")


def signed_in(client: TestClient, store: Store, name: str) -> TestClient:
    _, secret = store.create_key(name, ["review"])
    del client.headers["X-API-Key"]
    client.follow_redirects = False
    client.post("/review/sign-in", data={"key": secret})
    return client


def post(page: TestClient, path: str, **data: Any) -> Any:
    token = hmac.digest(page.cookies[COOKIE].encode(), b"csrf", "sha256").hex()
    return page.post(path, data={"csrf": token, **data})


def doubts(store: Store, number: int = 1) -> list[LabelDoubt]:
    made = [
        LabelDoubt(
            *(f"INC-{one}", "category", f"Printer {one} jams", "Paper is stuck."),
            *("email", "printing", 0.9 - one / 1000),
        )
        for one in range(number)
    ]
    store.label_doubts.save(made)
    return made


def listed(text: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/review/labels/(\w+)', text)


def test_empty_list_says_where_labels_come_from(page: TestClient) -> None:
    text = page.get("/review/labels").text

    assert "No label is in doubt" in text
    assert "triage data audit HISTORY --review" in text


def test_doubtful_labels_are_listed_by_page(page: TestClient, store: Store) -> None:
    made = doubts(store, 50)

    first = page.get("/review/labels").text
    second = page.get(f"/review/labels?after={listed(first)[-1]}").text

    assert listed(first) + listed(second) == [one.id for one in made]
    assert "50 labels" in first and "Printing and scanning" in first


@pytest.mark.parametrize(
    ("form", "label"),
    [
        ({"verdict": "confirmed"}, "email"),
        ({"verdict": "fixed"}, "printing"),
        ({"verdict": "chosen", "label": "vpn"}, "vpn"),
    ],
)
def test_label_is_decided_and_the_next_one_comes(
    page: TestClient, store: Store, form: dict[str, str], label: str
) -> None:
    first, second = doubts(store, 2)

    answer = post(page, f"/review/labels/{first.id}/decision", revision=0, **form)
    following = page.get(answer.headers["location"]).text

    decided = store.label_doubts.get(first.id)
    assert decided is not None and decided.label == label
    assert answer.headers["location"] == f"/review/labels/{second.id}?done={first.id}"
    assert "INC-0: category is" in following


@pytest.mark.parametrize(
    "form",
    [
        {"verdict": "chosen"},
        {"verdict": "chosen", "label": "nothing we know"},
        {"verdict": "odd"},
        {"verdict": "fixed", "revision": "x"},
    ],
)
def test_forms_that_make_no_sense_decide_nothing(
    page: TestClient, store: Store, form: dict[str, str]
) -> None:
    [one] = doubts(store)

    answer = post(page, f"/review/labels/{one.id}/decision", **{"revision": "0", **form})

    assert answer.status_code == 422
    assert store.label_doubts.count() == 1


def test_slower_analyst_is_told_who_decided_the_label(
    page: TestClient, store: Store, make_client: Callable[..., TestClient]
) -> None:
    [one] = doubts(store)
    ben = signed_in(make_client(), store, "Ben")

    post(page, f"/review/labels/{one.id}/decision", revision=0, verdict="fixed")
    answer = post(ben, f"/review/labels/{one.id}/decision", revision=0, verdict="confirmed")

    assert answer.status_code == 409
    for part in ("Ada was faster", "Printing and scanning", "was not stored"):
        assert part in answer.text
    stands = store.label_doubts.get(one.id)
    assert stands is not None and stands.label == "printing"


@pytest.mark.parametrize("is_named", [True, False])
def test_own_decision_is_taken_back(page: TestClient, store: Store, is_named: bool) -> None:
    [one] = doubts(store)
    post(page, f"/review/labels/{one.id}/decision", revision=0, verdict="fixed")

    named = {"doubt_id": one.id} if is_named else {}
    answer = post(page, "/review/labels/undo", **named)
    again = post(page, "/review/labels/undo", **named)

    assert answer.headers["location"] == f"/review/labels/{one.id}?undone=1"
    assert store.label_doubts.count() == 1
    assert again.status_code == 409


def test_skipping_goes_on_and_back(page: TestClient, store: Store) -> None:
    first, second = doubts(store, 2)

    on = page.get(f"/review/labels/{first.id}/next").headers["location"]
    end = page.get(f"/review/labels/{second.id}/next").headers["location"]
    back = page.get(f"/review/labels/{second.id}/previous").headers["location"]

    assert on == f"/review/labels/{second.id}"
    assert end == "/review/labels"
    assert back == f"/review/labels/{first.id}"


def test_strange_labels_and_texts_are_shown_as_they_are(page: TestClient, store: Store) -> None:
    strange = LabelDoubt(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE + "2", 0.9)
    store.label_doubts.save([strange])

    for path in ("/review/labels", f"/review/labels/{strange.id}"):
        text = page.get(path).text
        assert "<script>alert" not in text
        assert "&lt;script&gt;" in text and "{{7*7}}" in text
        assert "\u202e" not in text


@pytest.mark.parametrize(
    "path", ["/review/labels/zz", "/review/labels/ab", "/review/labels?state=x"]
)
def test_odd_addresses_do_no_harm(page: TestClient, path: str) -> None:
    assert page.get(path).status_code in (404, 422)
