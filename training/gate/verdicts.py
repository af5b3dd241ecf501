"""What the gate has said of bundles, as it is kept beside them."""

import json
from pathlib import Path

from triage.errors import TriageError


def passed_against(models: Path, version: str, champion: str | None) -> None:
    """Require that a bundle passed the gate against the model that serves now.

    Raises
    ------
    TriageError : it was never judged, was refused, or was judged against another model
    """
    if champion is None:
        return
    report = models / "reports" / f"{version}-gate.json"
    try:
        verdict = json.loads(report.read_text("utf-8"))
    except (OSError, ValueError):
        raise TriageError(
            f"{version} was never compared with {champion}; do so with triage retrain, or promote "
            "it with --force --reason WHY"
        ) from None
    if verdict.get("champion") != champion:
        raise TriageError(
            f"{version} was compared with {verdict.get('champion')}, but {champion} serves now; "
            "retrain, or promote it with --force --reason WHY"
        )
    if not verdict.get("passed"):
        failed = [check["told"] for check in verdict.get("checks", []) if not check["passed"]]
        raise TriageError(f"{version} was refused: {'; '.join(failed)}")
