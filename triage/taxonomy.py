"""Tiers, categories and assignment groups of a desk, read from a TOML file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from itertools import chain
from pathlib import Path
from typing import Any

from triage.costs import TierCosts, parse_costs
from triage.cues import phrase
from triage.errors import ConfigurationError
from triage.hierarchy import steps_of


@dataclass(frozen=True, slots=True)
class Tier:
    """A support tier: its short id ("1"), its name, and what it is there for.

    ``route`` is False where the desk wants no ticket sent there unseen, ``exclude`` True where the
    tier is never even suggested.
    """

    id: str
    name: str
    duty: str
    daily: bool
    route: bool = True
    exclude: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """How a detail is recognised: names of form fields, and cue phrases (`triage.cues`).

    ``cues`` are grouped for who writes them, by language for instance; all are looked for in every
    text, because tickets mix languages. What is ``unless`` in a text is passed over. ``recorded``
    marks the detail that the steps which the desk has recorded answer as well.
    """

    fields: tuple[str, ...] = ()
    cues: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unless: tuple[str, ...] = ()
    recorded: bool = False

    @property
    def phrases(self) -> tuple[str, ...]:
        """All cue phrases, in the order they are written."""
        return tuple(chain.from_iterable(self.cues.values()))


@dataclass(frozen=True, slots=True)
class Detail:
    """Something to know before an escalation, with the question to ask by language code."""

    id: str
    name: str
    question: Mapping[str, str]
    found: Found = Found()


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of ticket, and the ids of the details to collect before it goes up.

    ``runbook`` is what tier 1 does first where no article fits, one step an entry.
    ``tier`` is the one that usually resolves it, if the desk says so; ``route`` and ``exclude`` are
    those of `Tier`. All of it holds for the categories below it as well, ``Access`` for
    ``Access > VPN``, unless they have an entry of their own.
    """

    id: str
    name: str
    description: str
    details: tuple[str, ...]
    tier: str | None = None
    route: bool = True
    exclude: bool = False
    runbook: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WideImpact:
    """Signs that many people are hit, what tier 1 checks first then, and the article about it."""

    phrases: tuple[str, ...] = ()
    check: str | None = None
    article: str | None = None


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """The desk's own words: what tiers, categories, details and groups there are."""

    tiers: Mapping[str, Tier]
    categories: Mapping[str, Category]
    details: Mapping[str, Detail]
    groups: Mapping[str, str]
    wide_impact: WideImpact
    costs: TierCosts | None = None

    def tier_name(self, label: str) -> str:
        """Name a tier for people; an unknown label is its own name."""
        tier = self.tiers.get(label)
        return tier.name if tier else label

    def category_name(self, label: str) -> str:
        """Name a category for people; an unknown label is its own name."""
        category = self.categories.get(label)
        return category.name if category else label

    def category_of(self, label: str) -> Category | None:
        """Find a category's entry, or that of the nearest category above it that has one."""
        steps = reversed(steps_of(label))
        return next((self.categories[step] for step in steps if step in self.categories), None)

    def details_of(self, category: str | None) -> tuple[Detail, ...]:
        """List the details to collect for a category, the most telling first."""
        found = self.category_of(category) if category else None
        return tuple(self.details[name] for name in found.details) if found else ()

    def runbook_of(self, category: str | None) -> tuple[str, ...]:
        """List what tier 1 does first about a category, where no article fits."""
        found = self.category_of(category) if category else None
        return found.runbook if found else ()

    def usual_tier(self, category: str) -> str | None:
        """Name the tier that usually resolves a category, if the desk says so."""
        found = self.category_of(category)
        return found.tier if found else None

    def may_route(self, target: str, label: str) -> bool:
        """Say whether the desk lets tickets of this label be routed unseen."""
        entry = self._entry(target, label)
        return entry is None or entry.route

    def is_excluded(self, target: str, label: str) -> bool:
        """Say whether the desk wants this label never to be suggested."""
        entry = self._entry(target, label)
        return entry is not None and entry.exclude

    def names(self, target: str) -> Mapping[str, str]:
        """Give the names for people of a target's labels, those that have one."""
        entries: Mapping[str, Tier | Category] = {}
        if target == "tier":
            entries = self.tiers
        elif target == "category":
            entries = self.categories
        return {label: entry.name for label, entry in entries.items()}

    def _entry(self, target: str, label: str) -> Tier | Category | None:
        if target == "tier":
            return self.tiers.get(label)
        return self.category_of(label) if target == "category" else None

    def to_dict(self) -> dict[str, Any]:
        """Turn the taxonomy into plain data of the same shape as the TOML file."""
        return {
            "tiers": {
                tier.id: {
                    "name": tier.name,
                    "duty": tier.duty,
                    "daily": tier.daily,
                    "route": tier.route,
                    "exclude": tier.exclude,
                }
                for tier in self.tiers.values()
            },
            "categories": {
                category.id: {
                    "name": category.name,
                    "description": category.description,
                    "details": list(category.details),
                    **({"tier": category.tier} if category.tier else {}),
                    **({"runbook": list(category.runbook)} if category.runbook else {}),
                    "route": category.route,
                    "exclude": category.exclude,
                }
                for category in self.categories.values()
            },
            "details": {
                detail.id: {
                    "name": detail.name,
                    "question": dict(detail.question),
                    **_found_to_dict(detail.found),
                }
                for detail in self.details.values()
            },
            "groups": dict(self.groups),
            "wide_impact": {
                "phrases": list(self.wide_impact.phrases),
                **({"check": self.wide_impact.check} if self.wide_impact.check else {}),
                **({"article": self.wide_impact.article} if self.wide_impact.article else {}),
            },
            **({"costs": self.costs.to_dict()} if self.costs else {}),
        }


def load_taxonomy(path: Path | None = None) -> Taxonomy:
    """Read a taxonomy file; without one, the taxonomy that comes with the package.

    Raises
    ------
    ConfigurationError : the file is missing, is not TOML, or refers to something it does not define
    """
    name = path.name if path else "taxonomy.toml"
    try:
        text = path.read_text("utf-8") if path else data_text("taxonomy.toml")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"taxonomy {name}: cannot be read as UTF-8 text") from error
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"taxonomy {name}: not valid TOML: {error}") from error
    return parse_taxonomy(content, name)


def parse_taxonomy(content: Mapping[str, Any], name: str = "taxonomy") -> Taxonomy:
    """Build a taxonomy from plain data.

    Raises
    ------
    ConfigurationError : a part is missing or refers to something that is not defined
    """
    try:
        tiers = {
            key: Tier(
                key,
                value["name"],
                value.get("duty", ""),
                value.get("daily", True),
                value.get("route", True),
                value.get("exclude", False),
            )
            for key, value in content["tiers"].items()
        }
        details = {
            key: Detail(
                key,
                value["name"],
                dict(value["question"]),
                _parse_found(key, value.get("found", {}), name),
            )
            for key, value in content.get("details", {}).items()
        }
        categories = {
            key: Category(
                key,
                value["name"],
                value.get("description", ""),
                tuple(value.get("details", ())),
                value.get("tier"),
                value.get("route", True),
                value.get("exclude", False),
                tuple(str(step) for step in value.get("runbook", ())),
            )
            for key, value in content.get("categories", {}).items()
        }
        groups = {str(group): str(tier) for group, tier in content.get("groups", {}).items()}
        wide = content.get("wide_impact", {})
        wide_impact = WideImpact(
            tuple(str(phrase) for phrase in wide.get("phrases", ())),
            wide.get("check"),
            wide.get("article"),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"taxonomy {name}: an entry lacks a part or has the wrong form ({error}); "
            "see data/taxonomy.toml for a complete one"
        ) from error
    for category in categories.values():
        if category.tier is not None and category.tier not in tiers:
            raise ConfigurationError(
                f"taxonomy {name}: category {category.id!r} is usually resolved by tier "
                f"{category.tier!r}, which [tiers] does not define"
            )
        for detail in category.details:
            if detail not in details:
                raise ConfigurationError(
                    f"taxonomy {name}: category {category.id!r} asks for detail {detail!r}, "
                    "which [details] does not define"
                )
    entries: list[Tier | Category] = [*tiers.values(), *categories.values()]
    for entry in entries:
        if not (isinstance(entry.route, bool) and isinstance(entry.exclude, bool)):
            raise ConfigurationError(
                f"taxonomy {name}: route and exclude of {entry.id!r} must be true or false"
            )
    for group, tier_id in groups.items():
        if tier_id not in tiers:
            raise ConfigurationError(
                f"taxonomy {name}: group {group!r} belongs to tier {tier_id!r}, "
                "which [tiers] does not define"
            )
    costs = parse_costs(content.get("costs", {}), list(tiers), name)
    return Taxonomy(tiers, categories, details, groups, wide_impact, costs)


def _parse_found(detail: str, content: Mapping[str, Any], name: str) -> Found:
    """Read how a detail is recognised: fields, unless, recorded, and lists of cue phrases."""
    lists = {
        key: tuple(str(entry) for entry in value)
        for key, value in content.items()
        if key != "recorded" and isinstance(value, list | tuple)
    }
    recorded = content.get("recorded", False)
    if len(lists) + ("recorded" in content) < len(content) or not isinstance(recorded, bool):
        raise ConfigurationError(
            f"taxonomy {name}: [details.{detail}.found] holds lists of texts, and recorded, which "
            "is true or false"
        )
    fields = lists.pop("fields", ())
    for cue in chain.from_iterable(lists.values()):
        try:
            phrase(cue)
        except ValueError as error:
            raise ConfigurationError(
                f"taxonomy {name}: detail {detail!r} has the cue phrase {cue[:60]!r}: {error}"
            ) from error
    unless = lists.pop("unless", ())
    return Found(fields, lists, unless, recorded)


def _found_to_dict(found: Found) -> dict[str, Any]:
    """Turn it into plain data, nothing where nothing is said."""
    content: dict[str, Any] = {name: list(cues) for name, cues in found.cues.items()}
    if found.fields:
        content["fields"] = list(found.fields)
    if found.unless:
        content["unless"] = list(found.unless)
    if found.recorded:
        content["recorded"] = True
    return {"found": content} if content else {}


def data_folder() -> Path:
    """Find the project's ``data/``: beside the packages in a checkout, inside them in a wheel."""
    beside = Path(__file__).resolve().parent.parent / "data"
    if (beside / "taxonomy.toml").is_file():
        return beside
    return Path(str(resources.files("triage") / "_data"))


def data_text(name: str) -> str:
    """Read a text file of the project's ``data/``."""
    return (data_folder() / name).read_text("utf-8")
