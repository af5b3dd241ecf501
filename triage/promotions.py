"""Which model served when, and why: a line for each promotion, beside the models."""

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from triage.bundle import champion, list_bundles, set_champion
from triage.errors import BundleError

_LOG = "promotions.jsonl"


@dataclass(frozen=True, slots=True)
class Promotion:
    """A model that took another's place. ``kind`` is "gate", "forced", "rollback" or "first"."""

    at: str
    version: str
    previous: str | None
    kind: str
    by: str = ""
    reason: str = ""


def promote(models: Path, version: str, *, kind: str, by: str = "", reason: str = "") -> Promotion:
    """Make a bundle the champion, in one step, and note it.

    Raises
    ------
    BundleError : there is no such bundle, or the folder cannot be written
    """
    if version not in list_bundles(models):
        raise BundleError(f"{models} holds no bundle {version}; `triage models list` shows them")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    noted = Promotion(now, version, champion(models), kind, by, reason)
    # The note first: a champion without one cannot be rolled back, a note alone does no harm.
    try:
        with (models / _LOG).open("a", encoding="utf-8") as stream:
            # A line of its own, even behind one that a crash cut off.
            stream.write(f"\n{json.dumps(asdict(noted), ensure_ascii=False)}\n")
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise BundleError(f"{models.name}/{_LOG} cannot be written: {error.strerror}") from error
    set_champion(models, version)
    return noted


def promotions(models: Path) -> list[Promotion]:
    """List the promotions, the oldest first; a line that was cut off by a crash is none."""
    try:
        lines = (models / _LOG).read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise BundleError(f"{models.name}/{_LOG} cannot be read") from error
    found = []
    for line in lines:
        try:
            found.append(Promotion(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return found


def roll_back(models: Path, *, by: str = "", reason: str = "") -> Promotion:
    """Give the place back to the model that served before the champion.

    Raises
    ------
    BundleError : nothing served before it, or that bundle is gone
    """
    now = champion(models)
    before = next(
        (
            one.previous
            for one in reversed(promotions(models))
            if one.version == now and one.previous and one.kind != "rollback"
        ),
        None,
    )
    if before is None:
        raise BundleError(f"nothing is known to have served in {models} before {now}")
    return promote(models, before, kind="rollback", by=by, reason=reason)
