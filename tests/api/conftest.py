import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from triage.store import Store, open_store


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


fake_service = _load("fake_service")
made_suggestions = _load("made_suggestions")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{tmp_path / 'triage.db'}", log_level="error")


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    opened = open_store(settings.database_url, busy_timeout_s=0.1)
    yield opened
    opened.close()


@pytest.fixture
def engine() -> Any:
    return fake_service.FakeEngine()


@pytest.fixture
def make_client(
    settings: Settings, engine: Any, store: Store
) -> Iterator[Callable[..., TestClient]]:
    """Start services with some settings changed; their clients carry an admin's key."""
    with ExitStack() as running:

        def make(**changes: Any) -> TestClient:
            app = create_app(settings.model_copy(update=changes), engine=engine, store=store)
            client = TestClient(app)
            _, secret = store.create_key("admin", ["admin"])
            client.headers["X-API-Key"] = secret
            return running.enter_context(client)

        yield make


@pytest.fixture
def client(make_client: Callable[..., TestClient]) -> TestClient:
    return make_client()
