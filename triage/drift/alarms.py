"""Alarm levels: what quiet history does not reach, whichever of its weeks one looks at."""

import numpy as np

from triage.drift.distances import NEW_TERMS, TERMS, measure
from triage.drift.profile import RUN, IntArray, Runs

SIZES = (100, 250, 500, 1000)
"""Sizes of a window, in tickets, that levels are set for: small ones vary more."""

LEAST = SIZES[0]
"""Tickets below which a window tells nothing."""

N_WINDOWS = 400
_BLOCK_RUNS = 5  # fifty tickets: what belongs together in time stays together

# Share of the windows drawn that may alarm. A third of the five in a hundred that are promised:
# the future is a little farther from the past than the past's parts are from one another.
_FALSE_ALARMS = 0.015

_LEAST_LEVEL = {TERMS: 0.002, NEW_TERMS: 4.0}
_LEAST_INDEX = 0.05  # a stability index below it is of no consequence, however sure


def quiet_levels(runs: Runs, *, seed: int = 0) -> dict[int, dict[str, float]]:
    """Set the levels of each size of a window, so that all signals together rarely alarm.

    Half of the windows drawn are stretches of the history as they were, half are put together of
    blocks of fifty tickets; each is held against the rest of the history. Each signal is scaled by
    its own spread, and one factor for all is chosen by the greatest of them.

    Parameters
    ----------
    runs : the reference, run by run, in order of time

    Returns
    -------
    dict : size in tickets -> signal -> level; no size that is more than half of the reference
    """
    chance = np.random.default_rng(seed)
    return {
        size: _levels(runs, size // RUN, chance) for size in SIZES if 2 * (size // RUN) <= len(runs)
    }


def _levels(runs: Runs, n_runs: int, chance: np.random.Generator) -> dict[str, float]:
    every = runs.tally()
    drawn = []
    for number in range(N_WINDOWS):
        window = runs.tally(_drawn(len(runs), n_runs, chance, is_stretch=bool(number % 2)))
        drawn.append(measure(every.without(window), window))
    names = [name for name in drawn[0] if all(name in one for one in drawn)]
    values = np.array([[one[name] for name in names] for one in drawn])
    middle = np.median(values, axis=0)
    least = np.array([_LEAST_LEVEL.get(name, _LEAST_INDEX) for name in names])
    # A signal that never moved has no spread of its own.
    spread = np.maximum(np.quantile(values, 0.84, axis=0) - middle, least / 10)
    greatest = ((values - middle) / spread).max(axis=1)
    factor = float(np.quantile(greatest, 1 - _FALSE_ALARMS))
    levels = np.maximum(middle + factor * spread, least)
    return dict(zip(names, levels.tolist(), strict=True))


def _drawn(n_all: int, n_runs: int, chance: np.random.Generator, *, is_stretch: bool) -> IntArray:
    """Choose the runs of a window: one stretch, or blocks from anywhere, none of them twice."""
    if is_stretch:
        return np.arange(n_runs) + int(chance.integers(n_all - n_runs + 1))
    starts = np.arange(0, n_all - _BLOCK_RUNS + 1, _BLOCK_RUNS)
    # A ticket that is in a window twice would look like a rise.
    chosen = chance.permutation(starts)[: n_runs // _BLOCK_RUNS]
    return np.asarray((chosen[:, None] + np.arange(_BLOCK_RUNS)).ravel())
