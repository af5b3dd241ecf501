"""Articles that change while the service runs."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import Settings, load_settings
from triage.knowledge_engine import load_knowledge_engine
from triage.store import open_store

WAIT_S = 20.0


def write(folder: Path, name: str, title: str, body: str = "## Steps\n\n1. Do it.\n") -> None:
    (folder / f"{name}.md").write_text(f"---\nid: {name}\ntitle: {title}\n---\n\n{body}", "utf-8")


def client_of(app: FastAPI, settings: Settings) -> TestClient:
    store = open_store(settings.database_url)
    _, secret = store.create_key("admin", ["admin"])
    store.close()
    return TestClient(app, headers={"X-API-Key": secret})


def settings_for(folder: Path, tmp_path: Path) -> Settings:
    return load_settings(
        kb=folder, models=tmp_path / "models", database_url=f"sqlite:///{tmp_path / 'triage.db'}"
    )


def found(client: TestClient, query: str) -> list[str]:
    hits: list[dict[str, Any]] = client.get("/v1/articles", params={"q": query}).json()["articles"]
    return [hit["id"] for hit in hits]


def becomes_true(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.2)
    return False


def test_an_article_that_is_added_edited_or_taken_away_is_followed_without_a_restart(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "kb"
    folder.mkdir()
    write(folder, "KB1", "The printer does not print")
    write(folder, "KB2", "The mailbox is full")
    settings = settings_for(folder, tmp_path)
    app = create_app(settings, engine=load_knowledge_engine(folder))
    with client_of(app, settings) as client:
        before = found(client, "turnstile badge")

        write(folder, "KB3", "The turnstile refuses the badge")
        is_added = becomes_true(lambda: found(client, "turnstile badge")[:1] == ["KB3"])
        write(folder, "KB2", "The badge photo is wrong")
        is_edited = becomes_true(lambda: found(client, "badge photo")[:1] == ["KB2"])
        (folder / "KB1.md").unlink()
        is_gone = becomes_true(lambda: client.get("/v1/articles/KB1").status_code == 404)

    assert "KB3" not in before
    assert is_added and is_edited and is_gone


def test_a_folder_that_breaks_leaves_the_articles_as_they_were(tmp_path: Path) -> None:
    folder = tmp_path / "kb"
    folder.mkdir()
    write(folder, "KB1", "The printer does not print")
    settings = settings_for(folder, tmp_path)
    app = create_app(settings, engine=load_knowledge_engine(folder))
    with client_of(app, settings) as client:
        (folder / "KB1.md").write_text("no front matter at all", "utf-8")
        time.sleep(5)

        assert found(client, "printer") == ["KB1"]
        assert client.get("/v1/articles/KB1").status_code == 200
