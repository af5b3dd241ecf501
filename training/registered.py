"""The registered model: a version for each bundle, and the aliases champion and challenger."""

from pathlib import Path
from typing import Any

from triage.bundle import champion

MODEL = "ticket-triage"
BUNDLE = "bundle"
"""Tag of runs and versions: which bundle they are of."""

CHAMPION, CHALLENGER = "champion", "challenger"


def register(client: Any, version: str, run_id: str, source: str) -> None:
    """Register a run's model; it becomes the challenger until a promotion says otherwise."""
    if not client.search_registered_models(f"name = '{MODEL}'"):
        client.create_registered_model(MODEL)
    made = client.create_model_version(MODEL, source, run_id, tags={BUNDLE: version})
    client.set_registered_model_alias(MODEL, CHALLENGER, made.version)


def unregister(client: Any, version: str) -> None:
    """Remove a bundle's versions: what an attempt to send it left behind."""
    for found in _versions(client, version):
        client.delete_model_version(MODEL, found.version)


def follow_champion(client: Any, models: Path) -> None:
    """Let the alias champion name the bundle that serves; none where that is not registered."""
    if not client.search_registered_models(f"name = '{MODEL}'"):
        return
    serving = champion(models)
    found = _versions(client, serving) if serving else []
    aliases = client.get_registered_model(MODEL).aliases
    if not found:
        if CHAMPION in aliases:
            client.delete_registered_model_alias(MODEL, CHAMPION)
        return
    client.set_registered_model_alias(MODEL, CHAMPION, found[0].version)
    if str(aliases.get(CHALLENGER)) == str(found[0].version):
        client.delete_registered_model_alias(MODEL, CHALLENGER)


def _versions(client: Any, version: str) -> list[Any]:
    return list(client.search_model_versions(f"name = '{MODEL}' and tags.{BUNDLE} = '{version}'"))
