"""Drafts of articles in the store."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from triage.store import ArticleDraft, Store

DRAFT = ArticleDraft(
    id="DRAFT-1",
    title="No sound",
    content="---\nid: DRAFT-1\ntitle: No sound\n---\n\nZoë \u2028",
    created_at=datetime(2026, 11, 24, 6, 1, 2, 345678, tzinfo=UTC),
)


def test_a_draft_comes_back_as_it_was_saved(store: Store) -> None:
    key, _ = store.create_key("desk", ["feedback"])
    draft = replace(DRAFT, api_key_id=key.id)

    standing = store.drafts.add(draft)

    assert standing == draft
    assert store.drafts.get("DRAFT-1") == draft
    assert store.drafts.get("DRAFT-2") is None


def test_the_first_draft_under_an_id_stands(store: Store) -> None:
    store.drafts.add(DRAFT)

    standing = store.drafts.add(replace(DRAFT, content="other"))

    assert standing == DRAFT
    assert store.drafts.newest(10) == [DRAFT]


def test_threads_that_save_the_same_id_agree(store: Store) -> None:
    drafts = [replace(DRAFT, content=f"text {number}") for number in range(8)]

    with ThreadPoolExecutor(4) as pool:
        standing = set(pool.map(store.drafts.add, drafts))

    assert len(standing) == 1


def test_the_newest_drafts_come_first(store: Store) -> None:
    for number in range(4):
        later = DRAFT.created_at + timedelta(seconds=number)
        store.drafts.add(replace(DRAFT, id=f"DRAFT-{number}", created_at=later))

    assert [draft.id for draft in store.drafts.newest(3)] == ["DRAFT-3", "DRAFT-2", "DRAFT-1"]


def test_a_draft_of_an_unknown_key_is_not_lost_in_silence(store: Store) -> None:
    with pytest.raises(IntegrityError):
        store.drafts.add(replace(DRAFT, api_key_id="nosuchkey"))

    assert store.drafts.newest(10) == []
