"""A few made-up tickets whose answers a bundle keeps: read again, it must answer the same."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from triage.ticket import Ticket

if TYPE_CHECKING:
    from triage.engine import TriageEngine

_TEXTS = (
    ("Account locked", "I typed my password wrong too often and cannot sign in."),
    ("VPN drops", "The tunnel breaks off every few minutes when I work from home."),
    ("Printer prints nothing", "The queue is full, the paper tray too, but no page comes out."),
    ("No sound in meetings", "Others cannot hear me in calls since the headset was changed."),
    ("Mailbox full", "I cannot send any message, it says that my mailbox has no room."),
    ("Laptop is very slow", "Opening a file takes minutes since the last update."),
    ("Access to a folder", "I moved to another team and need its shared drive."),
    ("Strange message with a link", "Somebody asks me to confirm my password on a web page."),
    ("Konto gesperrt", "Nach dem Urlaub komme ich nicht mehr in mein Konto."),
    ("Drucker druckt nicht", "Es kommt kein Blatt heraus, die Anzeige blinkt rot."),
    ("Kein WLAN", "Im dritten Stock findet mein Rechner kein Netz."),
    ("Server not reachable", "The application shows a database error for everybody."),
)
_CLOSE = 0.002  # rounding, and sums in another order on another processor


def golden_answers(engine: "TriageEngine") -> dict[str, list[list[Any]]]:
    """Answer the made-up tickets: target -> label and confidence of each."""
    verdicts = engine.classify([Ticket(*texts) for texts in _TEXTS])
    return {
        target: [
            [engine.model.heads[target].labels[int(column)], round(float(confidence), 4)]
            for column, confidence in zip(found.chosen, found.confidence, strict=True)
        ]
        for target, found in verdicts.items()
    }


def golden_faults(engine: "TriageEngine") -> str:
    """Say how a loaded model answers otherwise than when it was trained; empty when it does not.

    A model of an earlier version, whose manifest holds no such answers, has no faults.
    """
    expected: Mapping[str, list[list[Any]]] | None = engine.manifest.get("golden")
    if expected is None:
        return ""
    found = golden_answers(engine)
    if found.keys() != expected.keys():
        return "it answers other targets than when it was trained"
    for target, answers in expected.items():
        for (label, confidence), (now, sure) in zip(answers, found[target], strict=True):
            if label != now or abs(confidence - sure) > _CLOSE:
                return f"it answers otherwise than when it was trained ({target})"
    return ""
