"""Rows of the tables in docs/benchmarks.md: column title -> text, from the measured numbers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tests.benchmarks.contenders import OURS
from tests.benchmarks.intervals import Estimate, mean_of, paired
from tests.benchmarks.peers import PEERS
from tests.benchmarks.summary import best_peer

Row = dict[str, str]
Sets = Mapping[str, Mapping[str, Any]]
"""Data set -> its part of docs/benchmarks/learning.json."""

_RECIPE = "TF-IDF + logistic regression"
_SPLITS = {"random": "random", "time": "older to newer"}
_TEXTS = {"real": "real test tickets", "foreign": "foreign tickets", "nonsense": "nonsense"}


def contest(one: Mapping[str, Any]) -> Iterator[Row]:
    """Every contender on every split of one data set."""
    for split in (key for key in _SPLITS if key in one):
        for who in (OURS, *PEERS):
            row = {"split": _SPLITS[split], "who": who}
            runs = one[split]["contenders"].get(who)
            if runs is None:
                yield row | {"accuracy": one["absent"].get(who, "failed")}
                continue
            yield row | {
                "accuracy": _text(mean_of(runs["accuracy"])),
                "macro-F1": _text(mean_of(runs["macro_f1"])),
                "ECE": _text(mean_of(runs["ece"])),
                "coverage at 90%": _text(mean_of(runs["coverage_at_90"])),
                "at 95%": _text(mean_of(runs["coverage_at_95"])),
                "fit s": f"{np.mean(runs['fit_s']):.1f}",
                "tickets a second": f"{np.mean(runs['tickets_per_s']):,.0f}",
                "memory MB": f"{np.mean(_grown(runs)):.0f}",
            }


def leads(sets: Sets) -> Iterator[Row]:
    """Ours less the best peer, and its costs as multiples of that peer's."""
    for name, one in sets.items():
        for split in (key for key in _SPLITS if key in one):
            contenders = one[split]["contenders"]
            best = best_peer(contenders, "accuracy")
            if best is None:
                continue
            ours, peer = contenders[OURS], contenders[best]
            by_f1 = contenders[best_peer(contenders, "macro_f1")]
            recipe = contenders.get(_RECIPE)
            yield {
                "data set": name,
                "split": _SPLITS[split],
                "best peer": best,
                "accuracy": _text(_lead(ours, peer), signed=True),
                "macro-F1": _text(paired(ours["macro_f1"], by_f1["macro_f1"]), signed=True),
                "fit time": _times(ours["fit_s"], peer["fit_s"]),
                "of the recipe's": _times(ours["fit_s"], recipe["fit_s"]) if recipe else "",
                "tickets a second": _times(ours["tickets_per_s"], peer["tickets_per_s"]),
                "memory": _times(_grown(ours), _grown(peer)),
            }


def confidence(sets: Sets) -> Iterator[Row]:
    """How far confidences are from the truth: split by split against chance, and pooled."""
    for name, one in sets.items():
        contenders = one["random"]["contenders"]
        ours = contenders[OURS]
        below = sum(e <= c for e, c in zip(ours["ece"], ours["ece_by_chance"], strict=True))
        yield {
            "data set": name,
            "splits below that percentile": f"{below} of {len(ours['ece'])}",
            "the percentile": f"{np.mean(ours['ece_by_chance']):.3f}",
            **{
                f"pooled ECE, {who}": f"{contenders[who]['pooled_ece']:.3f}"
                if who in contenders
                else ""
                for who in (OURS, *list(PEERS)[1:])
            },
        }


def without_twins(sets: Sets) -> Iterator[Row]:
    """Accuracy on test tickets that nothing in training says almost the same as."""
    for name, one in sets.items():
        contenders = one["random"]["contenders"]
        yield {
            "data set": name,
            "tickets with a twin": f"{one['random']['twin_share']:.0%}",
            **{
                who: _text(mean_of(contenders[who]["accuracy_without_twin"]))
                if who in contenders
                else ""
                for who in (OURS, *PEERS)
            },
        }


def promises(sets: Sets) -> Iterator[Row]:
    """Precision of what is routed, over the resamples."""
    for name, one in sets.items():
        for rule, halves in one.get("promise", {}).items():
            target = float(rule.split()[0])
            made = [value for value in halves["precision"] if value is not None]
            nothing = len(halves["precision"]) - len(made)
            yield {
                "data set": name,
                "target and rule": rule,
                "at or above it": str(nothing + sum(value >= target for value in made)),
                "nothing routed": str(nothing),
                "mean precision": f"{np.mean(made):.3f}" if made else "",
                "lowest of all": f"{min(made):.3f}" if made else "",
                "routed": f"{np.mean(halves['share']):.1%}",
            }


def foreign(shares: Mapping[str, Sequence[float]]) -> Iterator[Row]:
    """Share left to a person by kind of text."""
    for kind, title in _TEXTS.items():
        if kind in shares:
            yield {"text": title, "left to a person": _text(mean_of(shares[kind]))}


def few_tickets(sets: Sets) -> Iterator[Row]:
    """Accuracy by how many tickets were learned."""
    for name, one in sets.items():
        for who, by_size in one.get("small", {}).items():
            yield {"data set": name, "who": who} | {
                size: "cannot learn" if None in values else _text(mean_of(values))
                for size, values in by_size.items()
            }


def _lead(ours: Mapping[str, Any], peer: Mapping[str, Any]) -> Estimate:
    if "lead_by_ticket" in peer:
        return Estimate(*peer["lead_by_ticket"])
    return paired(ours["accuracy"], peer["accuracy"])


def _grown(runs: Mapping[str, Any]) -> list[float]:
    # At least one: what hardly grows would make any multiple of it absurd.
    return [max(p - b, 1.0) for p, b in zip(runs["peak_mb"], runs["before_mb"], strict=True)]


def _times(ours: Sequence[float], theirs: Sequence[float]) -> str:
    return f"{np.mean(ours) / np.mean(theirs):.2g}×"


def _text(estimate: Estimate, *, signed: bool = False) -> str:
    mean = f"{estimate.mean:+.3f}" if signed else f"{estimate.mean:.3f}"
    return mean if estimate.half_width is None else f"{mean} ± {estimate.half_width:.3f}"
