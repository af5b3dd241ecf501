"""Sessions: who is signed in, and for how long."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from triage.store import Store, open_store
from triage.store.database import Database
from triage.store.sessions import LIFETIME
from triage.store.tables import SessionRow

NOW = datetime.now(UTC)


def test_token_leads_to_the_key_that_signed_in(store: Store) -> None:
    ada, bob = (store.create_key(name, ["review"])[0].id for name in ("ada", "bob"))

    tokens = store.sessions.begin(ada, NOW), store.sessions.begin(bob, NOW)

    assert [store.sessions.find(token, NOW) for token in tokens] == [ada, bob]
    assert tokens[0] != tokens[1] and len(tokens[0]) >= 43
    for wrong in ("", "x", tokens[0][:-1], tokens[0] + "x", "\ud800"):
        assert store.sessions.find(wrong, NOW) is None


def test_token_is_nowhere_in_the_database(sqlite_url: str, tmp_path: Path) -> None:
    store = open_store(sqlite_url)
    key = store.create_key("ada", ["review"])[0].id

    token = store.sessions.begin(key, NOW)

    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    store.close()
    assert key.encode() in written
    assert token.encode() not in written


def test_session_ends_by_itself(store: Store) -> None:
    key = store.create_key("ada", ["review"])[0].id
    token = store.sessions.begin(key, NOW)

    assert store.sessions.find(token, NOW + LIFETIME - timedelta(seconds=1)) == key
    assert store.sessions.find(token, NOW + LIFETIME) is None


def test_session_is_ended_by_who_signs_out_and_the_others_stay(store: Store) -> None:
    key = store.create_key("ada", ["review"])[0].id
    here, elsewhere = store.sessions.begin(key, NOW), store.sessions.begin(key, NOW)

    store.sessions.end(here)
    store.sessions.end(here)
    store.sessions.end("never began")

    assert store.sessions.find(here, NOW) is None
    assert store.sessions.find(elsewhere, NOW) == key


def test_session_of_a_revoked_key_is_over(store: Store) -> None:
    key = store.create_key("ada", ["review"])[0].id
    token = store.sessions.begin(key, NOW)

    store.revoke_key(key)

    assert store.sessions.find(token, NOW) is None


def test_session_does_not_outlive_its_key(store: Store) -> None:
    expiry = NOW + timedelta(hours=1)
    key = store.create_key("visitor", ["review"], expiry)[0].id
    token = store.sessions.begin(key, NOW)

    assert store.sessions.find(token, NOW + timedelta(minutes=59)) == key
    assert store.sessions.find(token, expiry) is None


def test_sessions_that_are_over_are_removed_when_the_next_one_begins(
    database_url: str, store: Store
) -> None:
    key = store.create_key("ada", ["review"])[0].id
    for _ in range(3):
        store.sessions.begin(key, NOW)

    store.sessions.begin(key, NOW + LIFETIME)

    database = Database(database_url)
    with database.reading() as session:
        left = session.query(SessionRow).count()
    database.close()
    assert left == 1
