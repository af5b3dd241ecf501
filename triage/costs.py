"""What it costs to send a ticket to the wrong tier, as the desk sees it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from triage.errors import ConfigurationError

FloatArray = npt.NDArray[np.float64]

_STEPS = ("under_escalation", "over_escalation")
_EXAMPLE = "e.g. under_escalation = 2.0 and over_escalation = 1.0, for each tier too low or high"


@dataclass(frozen=True, slots=True)
class TierCosts:
    """A cost matrix over tiers: ``table[resolving tier][tier shown]`` is the cost of showing it."""

    table: Mapping[str, Mapping[str, float]]

    def matrix(self, labels: Sequence[str]) -> FloatArray:
        """Give the costs of these tiers, shape (n_labels, n_labels), resolving tier by tier shown.

        Raises
        ------
        ConfigurationError : the desk has not defined one of the tiers
        """
        for label in labels:
            if label not in self.table:
                raise ConfigurationError(
                    f"[costs.tier] is set, but the tier {label!r} of the history is none of the "
                    f"taxonomy's ({', '.join(self.table)}); map it to one of these with [tiers] "
                    "in the mapping, or add it to the taxonomy"
                )
        return np.array([[self.table[true][shown] for shown in labels] for true in labels])

    def of(self, true: str, shown: str) -> float:
        """Look up one cost; NaN where one of the two is no tier of the desk."""
        return self.table.get(true, {}).get(shown, math.nan)

    def to_dict(self) -> dict[str, Any]:
        """Turn the costs into plain data, every one of them written out."""
        return {"tier": {"table": {true: dict(row) for true, row in self.table.items()}}}


def parse_costs(content: Any, tiers: Sequence[str], name: str) -> TierCosts | None:
    """Read ``[costs.tier]``: a cost for each step too low or high, and single costs that differ.

    Parameters
    ----------
    content : the table ``costs`` of a taxonomy
    tiers : the desk's tiers, lowest first

    Returns
    -------
    TierCosts, or None where nothing is set

    Raises
    ------
    ConfigurationError : an unknown key or tier, no number, or a cost that is left open
    """
    place = f"taxonomy {name}: [costs.tier]"
    if not isinstance(content, Mapping) or set(content) - {"tier"}:
        raise ConfigurationError(f"taxonomy {name}: [costs] holds one table, [costs.tier]")
    if "tier" not in content:
        return None
    entries = content["tier"]
    if not isinstance(entries, Mapping):
        raise ConfigurationError(f"{place} must be a table, {_EXAMPLE}")
    for key in entries:
        if key not in (*_STEPS, "table"):
            raise ConfigurationError(f"{place} knows no {key!r}; set {', '.join(_STEPS)} or table")
    single = _single_costs(entries.get("table", {}), tiers, place)
    steps = {key: _number(entries[key], place, key) for key in _STEPS if key in entries}
    table: dict[str, dict[str, float]] = {}
    for true_rank, true in enumerate(tiers):
        table[true] = {}
        for rank, shown in enumerate(tiers):
            key = _STEPS[0] if rank < true_rank else _STEPS[1]
            if (true, shown) in single:
                table[true][shown] = single[true, shown]
            elif rank == true_rank:
                table[true][shown] = 0.0
            elif key in steps:
                table[true][shown] = steps[key] * abs(rank - true_rank)
            else:
                raise ConfigurationError(
                    f"{place} does not say what it costs to show tier {shown} where {true} is "
                    f"right; set {key}, or table.{true!r}.{shown!r}"
                )
    return TierCosts(table)


def _single_costs(content: Any, tiers: Sequence[str], place: str) -> dict[tuple[str, str], float]:
    costs = {}
    if not isinstance(content, Mapping):
        raise ConfigurationError(f'{place} table must be tables such as [costs.tier.table."1"]')
    for true, row in content.items():
        if not isinstance(row, Mapping):
            raise ConfigurationError(f"{place} table.{true!r} must be a table of tier = cost")
        for shown, cost in row.items():
            for tier in (true, shown):
                if tier not in tiers:
                    raise ConfigurationError(
                        f"{place} table names tier {tier!r}, which [tiers] does not define"
                    )
            costs[true, shown] = _number(cost, place, f"table.{true!r}.{shown!r}")
    return costs


def _number(value: Any, place: str, key: str) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value < math.inf:
        raise ConfigurationError(f"{place} {key} must be a number of 0 or more, not {value!r}")
    return float(value)
