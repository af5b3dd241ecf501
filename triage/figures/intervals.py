"""How far the true share may lie from the one that was counted."""

from math import sqrt
from statistics import NormalDist


def share_interval(hits: float, n: int, *, at_once: int = 1) -> tuple[float, float]:
    """Give the 95% interval of a share.

    Parameters
    ----------
    at_once : intervals that shall hold all together 95 times in 100 (Bonferroni)

    Notes
    -----
    Wilson, JASA 22, 1927: keeps its promise for few tickets and shares near 0 or 1 as well.
    """
    if not n:
        return 0.0, 1.0
    share = hits / n
    z = NormalDist().inv_cdf(1 - 0.025 / at_once)
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * sqrt(share * (1 - share) / n + z**2 / (4 * n * n))
    return max(middle - reach, 0.0), min(middle + reach, 1.0)
