"""The demonstration: the sample history and articles, trained into a folder of their own."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

from training.fit import OnStep
from training.history import read_history
from training.mapping import load_mapping
from training.past import past_tickets
from training.pipeline import run_training
from training.tickets import iter_tickets
from triage.bundle import set_champion
from triage.engine import Engine, load_engine, with_meaning
from triage.errors import BundleError
from triage.store import open_store
from triage.taxonomy import data_folder
from triage.ticket import Ticket

DEMO_TICKET = Ticket(
    subject="Locked out of my account",
    description=(
        "Good morning, I typed my password wrong three times after the holiday and now it says "
        "that my account is locked. Can you unlock it please? Thanks, Maja"
    ),
)

_SAMPLE = "sample/history.csv.gz"
_REMEMBERED = 2_000  # tickets; takes a second, and nobody sees the older ones in a demonstration

_WAITING = 60  # tickets that nobody has looked at yet: some minutes of work with the keyboard
_JUST_NOW = timedelta(minutes=2)
_BATCH = 500

# 3,600 tickets of which one in fifty carries a wrong label cannot bear out the usual 95%.
DEMO_PRECISION = 0.90


def demo_engine(output: Path, keys: Path, *, on_step: OnStep | None = None) -> Engine:
    """Load the demo's model, training it on the sample history the first time.

    Raises
    ------
    TriageError : the folders cannot be written
    """
    try:
        return with_meaning(load_engine(output, keys=keys), output / "cache")
    except BundleError:
        # None there yet, or made with other keys or by an older version.
        trained = run_training(
            [data_folder() / _SAMPLE],
            output=output,
            keys=keys,
            mapping="sample",
            kb=data_folder() / "kb",
            target_precision=DEMO_PRECISION,
            on_step=on_step,
        )
    set_champion(output, trained.version)
    return with_meaning(load_engine(output, keys=keys), output / "cache")


def remember_sample(database_url: str, *, on_step: OnStep | None = None) -> None:
    """Store the sample's newest tickets but the last ones, for new ones to be compared with.

    Does nothing when there are past tickets already.

    Raises
    ------
    TriageError : the database cannot be written to
    """
    with closing(open_store(database_url)) as store:
        if store.past.count():
            return
        frame = _sample().iloc[-(_REMEMBERED + _WAITING) : -_WAITING]
        for begin in range(0, len(frame), _BATCH):
            store.past.save(list(past_tickets(frame.iloc[begin : begin + _BATCH])))
            if on_step:
                on_step("remembering tickets", min(begin + _BATCH, len(frame)), len(frame))


def waiting_sample() -> list[Ticket]:
    """Give the sample's last tickets as if they had come in lately, the last one just now."""
    frame = _sample().tail(_WAITING)
    moved = datetime.now(UTC) - _JUST_NOW - frame["created_at"].iloc[-1].to_pydatetime()
    return [
        replace(ticket, created_at=created_at.to_pydatetime() + moved)
        for ticket, created_at in zip(iter_tickets(frame), frame["created_at"], strict=True)
    ]


def _sample() -> pd.DataFrame:
    read = read_history([data_folder() / _SAMPLE], load_mapping("sample"))
    return read.frame.sort_values("created_at", kind="stable")
