from contextlib import closing
from pathlib import Path

import pandas as pd
from typer.testing import CliRunner

from training.audit.finding import Finding, Suspect
from training.audit.review import doubts_of
from triage.cli import app
from triage.store import open_store


def history() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": ["INC-1", "INC-2", None, "x" * 300],
            "subject": ["Printer jams", "Mail bounces", "VPN drops", "Long"],
            "description": ["<b>Ask</b> ada@desk.example", "again", "again", "again"],
        }
    )


def wrong(*suspects: Suspect, target: str = "category") -> Finding:
    return Finding("wrong_labels", "confident_learning", "", suspects, 4, target=target)


def test_wrong_labels_become_doubts_with_redacted_texts() -> None:
    finding = wrong(Suspect(1, "vpn", "email", 0.8), Suspect(0, "email", "printing", 0.9))

    second, first = doubts_of(history(), [finding])

    assert (first.ticket_id, first.target, first.given) == ("INC-1", "category", "email")
    assert (first.likely, first.doubt, first.state) == ("printing", 0.9, "open")
    assert "ada" not in first.description and "<b>" not in first.description
    assert (second.ticket_id, second.subject) == ("INC-2", "Mail bounces")


def test_tickets_nobody_could_erase_again_are_left_out() -> None:
    finding = wrong(Suspect(2, "vpn", "email", 0.8), Suspect(3, "vpn", "email", 0.8))

    assert list(doubts_of(history(), [finding])) == []


def test_other_findings_are_no_doubts() -> None:
    leak = Finding("leak", "field", "", (Suspect(0, "a", "b", 0.9),), 4, target="category")

    assert list(doubts_of(history(), [leak])) == []


def test_audit_puts_wrong_labels_on_the_review_page(tmp_path: Path) -> None:
    words = {"vpn": "vpn tunnel gateway remote", "printing": "printer toner paper tray"}
    rows = [
        (f"T{number}", words[label], label) for number, label in enumerate(["vpn", "printing"] * 40)
    ]
    # The words differ from ticket to ticket, or all of them were one cluster of twins.
    rows = [(one, f"{text} case {int(one[1:]) * 7919}", label) for one, text, label in rows]
    rows += [(f"W{n}", f"printer toner paper jam number {n}x{n * 31}", "vpn") for n in range(3)]
    export = tmp_path / "history.csv"
    pd.DataFrame(rows, columns=["id", "subject", "category"]).to_csv(export, index=False)
    url = f"sqlite:///{tmp_path / 'triage.db'}"
    environment = {"TRIAGE_DATABASE_URL": url, "COLUMNS": "200"}

    first = CliRunner().invoke(app, ["data", "audit", str(export), "--review"], env=environment)
    CliRunner().invoke(app, ["data", "audit", str(export), "--review"], env=environment)

    assert first.exit_code == 0, first.output
    assert "wait for a person at /review/labels" in first.output
    with closing(open_store(url)) as store:
        found = {doubt.ticket_id: doubt for doubt in store.label_doubts.queue()}
    assert {"W0", "W1", "W2"} <= found.keys()
    assert (found["W0"].given, found["W0"].likely) == ("vpn", "printing")
