"""A ticket that has ended, as far as the figures of the desk need to know it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from triage.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True)
class EndedTicket:
    """How a ticket ended; None, or an empty path, where that is not known.

    Parameters
    ----------
    tier_path : tiers in the order they held the ticket, up to the one that resolved it; None for
        somebody whose tier is not known
    tier : the one that resolved it
    reassignments, reopenings : how often
    reopened : for a desk that only knows whether, not how often
    first_contact : whether the desk itself says that the first contact solved it
    csat : the requester's rating, on whatever scale the desk has
    user_facing : whether a person waits for it, rather than a machine that raised it
    used_article : whether a knowledge article was followed
    missing_details : what nobody had asked before it went up, by the desk's names
    """

    ticket_id: str
    resolved_at: datetime | None = None
    category: str | None = None
    tier_path: tuple[str | None, ...] = ()
    tier: str | None = None
    reassignments: int | None = None
    reopened: bool | None = None
    first_contact: bool | None = None
    csat: float | None = None
    user_facing: bool | None = None
    used_article: bool | None = None
    missing_details: tuple[str, ...] | None = None
    reopenings: int | None = None

    @property
    def was_reopened(self) -> bool | None:
        """Say whether it was opened again, by the count where there is one."""
        return self.reopened if self.reopenings is None else self.reopenings > 0


@dataclass(frozen=True, slots=True)
class TierOrder:
    """The desk's tiers from the lowest up, and those of them that work by the day."""

    tiers: tuple[str, ...]
    daily: tuple[str, ...]
    names: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, taxonomy: Taxonomy) -> Self:
        """Take the tiers of a taxonomy in the order they are written there."""
        return cls(
            tiers=tuple(taxonomy.tiers),
            daily=tuple(tier.id for tier in taxonomy.tiers.values() if tier.daily),
            names=taxonomy.names("tier"),
        )

    def __post_init__(self) -> None:
        """Refuse a desk without a first tier.

        Raises
        ------
        ValueError : no tier works by the day, or one of these is not among the tiers
        """
        if not self.daily or not set(self.daily) <= set(self.tiers):
            raise ValueError(
                f"the daily tiers {self.daily!r} must be at least one, and among {self.tiers!r}"
            )

    @property
    def first(self) -> str:
        """The tier that people reach first: the lowest that works by the day."""
        return self.daily[0]

    @property
    def specialists(self) -> str:
        """The tier that is dearest to reach: the highest that works by the day."""
        return self.daily[-1]

    def rank(self, tier: str | None) -> int | None:
        """Give a tier's place from the lowest up; None for one that is not in the order."""
        return self.tiers.index(tier) if tier in self.tiers else None
