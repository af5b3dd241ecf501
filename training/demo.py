"""The demonstration: the sample history and articles, trained into a folder of their own."""

from pathlib import Path

from training.fit import OnStep
from training.pipeline import run_training
from triage.bundle import set_champion
from triage.engine import TriageEngine, load_engine
from triage.errors import BundleError
from triage.taxonomy import data_folder
from triage.ticket import Ticket

DEMO_TICKET = Ticket(
    subject="Locked out of my account",
    description=(
        "Good morning, I typed my password wrong three times after the holiday and now it says "
        "that my account is locked. Can you unlock it please? Thanks, Maja"
    ),
)

# 3,600 tickets of which one in fifty carries a wrong label cannot bear out the usual 95%.
DEMO_PRECISION = 0.90


def demo_engine(output: Path, keys: Path, *, on_step: OnStep | None = None) -> TriageEngine:
    """Load the demo's model, training it on the sample history the first time.

    Raises
    ------
    TriageError : the folders cannot be written
    """
    try:
        return load_engine(output, keys=keys)
    except BundleError:
        # None there yet, or made with other keys or by an older version.
        trained = run_training(
            [data_folder() / "sample" / "history.csv.gz"],
            output=output,
            keys=keys,
            mapping="sample",
            kb=data_folder() / "kb",
            target_precision=DEMO_PRECISION,
            on_step=on_step,
        )
    set_champion(output, trained.version)
    return load_engine(output, keys=keys)
