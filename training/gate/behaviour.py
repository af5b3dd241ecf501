"""How a model must behave whatever it has learned: tested on tickets changed in harmless ways."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from training.gate.checks import Check
from triage.engine import TriageEngine
from triage.ticket import Ticket

LEAST_UNCHANGED = 0.97
"""Of the tickets whose text was changed in a way that says nothing, so many keep their labels."""

LEAST_LEFT = 0.9
"""Of the texts that say nothing, so many are left to a person."""

_NONSENSE = (
    "qwe rtzu iop asd fgh",
    "xkcd blorf znarg wibble",
    "7431 9987 2210 5555 8080",
    "....... !!!! ????",
    "lorem dolor amet sit vestibulum nunc",
    "jfkdls jfkdlsa jfkdls fjdksl",
    "ahoj hejsan salut terve",
    "zzzz zzzz zzzz zzzz zzzz",
    "gulp frob quux plugh xyzzy",
    "hmmmmmm aaaaaah ooooooh",
)
_WIDE = "The whole site is down, nobody in the office can work."

_CHANGES: dict[str, Callable[[str], str]] = {
    "case": str.upper,
    "white space": lambda text: "  " + text.replace(" ", "   ") + " \n\n",
    "invisible character": lambda text: text.replace("e", "e\u200b"),
    "greeting": lambda text: f"Hello,\n\n{text}",
    "signature": lambda text: f"{text}\n\nKind regards,\nRobin",
}


def behaviour_checks(engine: TriageEngine, tickets: Sequence[Ticket]) -> list[Check]:
    """Test a model on some tickets of the desk, changed, and on texts that say nothing."""
    return [_keeps_labels(engine, tickets), _leaves_nonsense(engine), _keeps_up(engine, tickets)]


def _keeps_labels(engine: TriageEngine, tickets: Sequence[Ticket]) -> Check:
    before = _labels(engine, tickets)
    kept = {}
    for name, change in _CHANGES.items():
        changed = [replace(ticket, description=change(ticket.description)) for ticket in tickets]
        kept[name] = float((_labels(engine, changed) == before).all(axis=1).mean())
    worst = min(kept, key=lambda name: kept[name])
    told = f"{kept[worst]:.0%} of {len(tickets)} tickets keep their labels when the {worst} changes"
    return Check("invariance", kept[worst] >= LEAST_UNCHANGED, told, kept)


def _leaves_nonsense(engine: TriageEngine) -> Check:
    answers = engine.suggest([Ticket(subject=text) for text in _NONSENSE])
    left = sum(answer.decision == "review" for answer in answers)
    told = f"{left} of {len(_NONSENSE)} texts that say nothing are left to a person"
    return Check("nonsense", left >= LEAST_LEFT * len(_NONSENSE), told, {"left": left})


def _keeps_up(engine: TriageEngine, tickets: Sequence[Ticket]) -> Check:
    order = list(engine.model.taxonomy.tiers)
    wide = [replace(ticket, description=f"{ticket.description}\n{_WIDE}") for ticket in tickets]
    lowered = 0
    for before, after in zip(engine.suggest(tickets), engine.suggest(wide), strict=True):
        tiers = [one.tier.label for one in (before, after) if one.tier and one.tier.label in order]
        if len(tiers) == 2 and order.index(str(tiers[1])) < order.index(str(tiers[0])):
            lowered += 1
    told = f"the tier of {lowered} of {len(tickets)} tickets sinks when a whole site is down"
    return Check("wide_impact", lowered == 0, told, {"lowered": lowered})


def _labels(engine: TriageEngine, tickets: Sequence[Ticket]) -> np.ndarray:
    verdicts = engine.classify(tickets)
    return np.column_stack([verdicts[target].chosen for target in sorted(verdicts)])
