"""The demonstration: the sample history and articles, trained into a folder of their own."""

from contextlib import closing
from pathlib import Path

from training.fit import OnStep
from training.past import add_history
from training.pipeline import run_training
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
    """Store the sample's newest tickets the first time, for new ones to be compared with.

    Raises
    ------
    TriageError : the database cannot be written to
    """
    with closing(open_store(database_url)) as store:
        if not store.past.count():
            add_history(
                store,
                [data_folder() / _SAMPLE],
                mapping="sample",
                newest=_REMEMBERED,
                on_step=on_step,
            )
