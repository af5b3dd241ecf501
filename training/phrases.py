"""The text of made-up tickets: phrases in a small template language, and how people put them down.

In a template ``[a|b]`` picks one of the alternatives, ``{slot}`` is filled in, `` // `` breaks the
line. The phrases are in data/sample/phrases.toml, what goes wrong is in data/sample/scenarios.
"""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from triage.taxonomy import data_folder

_CHOICE = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")
_PLAIN_WORD = re.compile(r"(?<![\w@.\\/-])[^\W\d_]{4,}(?![\w@\\/-])")
_PLAIN_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ü": "Ue", "ß": "ss"})


def expand(template: str, rng: Random, slot: Callable[[str], str]) -> str:
    """Write out one wording of a template; ``slot`` gives the value for a slot's name."""
    while choice := _CHOICE.search(template):
        picked = rng.choice(choice[1].split("|"))
        template = template[: choice.start()] + picked + template[choice.end() :]
    text = _SLOT.sub(lambda found: slot(found[1]), template.replace(" // ", "\n"))
    return re.sub(r" +([.,!]*)(?= |\n|$)", r"\1", text).strip()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the invented company."""

    name: str
    language: str
    site: str
    department: str
    phone: str
    extension: str

    @property
    def first(self) -> str:
        """First name."""
        return self.name.split()[0]

    @property
    def mail(self) -> str:
        """Mail address, in a domain that is kept for examples."""
        first, last = self.name.translate(_PLAIN_GERMAN).lower().split(maxsplit=1)
        return f"{first}.{last.replace(' ', '')}@example.com"


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something that goes wrong at the company; see data/sample/README.md for the parts."""

    id: str
    category: str
    weight: float
    tiers: Mapping[str, float]
    groups: Mapping[str, str]
    via: tuple[str, ...]
    articles: tuple[str, ...]
    vague: str
    scope: str
    is_alert: bool
    since: date
    until: date
    subjects: Mapping[str, Sequence[str]]
    bodies: Mapping[str, Sequence[str]]
    resolutions: Sequence[str]


def load_scenarios() -> list[Scenario]:
    """Read every scenario, in order of files and within a file."""
    return [
        _scenario(path.stem, entry)
        for path in sorted((data_folder() / "sample" / "scenarios").glob("*.toml"))
        for entry in tomllib.loads(path.read_text("utf-8"))["scenario"]
    ]


def _scenario(category: str, entry: Mapping[str, Any]) -> Scenario:
    languages = {"en": "", "de": "_de"} if "bodies_de" in entry else {"en": ""}
    return Scenario(
        id=entry["id"],
        category=category,
        weight=entry["weight"],
        tiers=entry["tiers"],
        groups=entry["groups"],
        via=tuple(entry["via"]),
        articles=tuple(entry["articles"]),
        vague=entry["vague"],
        scope=entry["scope"],
        is_alert=entry.get("alert", False),
        since=date.fromisoformat(entry.get("from", "0001-01-01")),
        until=date.fromisoformat(entry.get("until", "9999-12-31")),
        subjects={key: _lines(entry[f"subjects{end}"]) for key, end in languages.items()},
        bodies={key: _lines(entry[f"bodies{end}"]) for key, end in languages.items()},
        resolutions=_lines(entry["resolutions"]),
    )


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


class Phrasebook:
    """What people say around a problem, by language, and who the people are."""

    def __init__(self) -> None:
        text = (data_folder() / "sample" / "phrases.toml").read_text("utf-8")
        self._content = tomllib.loads(text)
        self._pools: dict[tuple[str, str], list[str]] = {}
        self.company: str = self._content["company"]["name"]

    def phrases(self, language: str, pool: str) -> list[str]:
        """List the phrases of a pool, e.g. "greetings" or "vague.files"."""
        if (language, pool) not in self._pools:
            found = self._content[language]
            for key in pool.split("."):
                found = found[key]
            self._pools[language, pool] = _lines(found)
        return self._pools[language, pool]

    def slot_values(self, language: str, slot: str) -> list[str]:
        """List what a slot may be filled with.

        Raises
        ------
        KeyError : there is no slot of that name
        """
        slots = self._content["slots"]
        values: list[str] = slots[language].get(slot) or slots["any"][slot]
        return values

    def people(self, rng: Random) -> list[Person]:
        """Invent the company's staff, in random order."""
        names = {language: self._names(language) for language in ("en", "de")}
        for pool in names.values():
            rng.shuffle(pool)
        staff = []
        for site in self._content["company"]["sites"]:
            language = site["language"]
            for _ in range(site["people"]):
                department = rng.choice(self.slot_values(language, "dept")).removeprefix("the ")
                phone = expand(site["phone"], rng, str)
                phone = re.sub("#", lambda _: str(rng.randrange(10)), phone)
                extension = str(rng.randrange(1000, 9999))
                name = names[language].pop()
                staff.append(Person(name, language, site["name"], department, phone, extension))
        rng.shuffle(staff)
        return staff

    def _names(self, language: str) -> list[str]:
        people = self._content["people"]
        return [
            f"{first} {last}"
            for first in people[f"first_{language}"]
            for last in people[f"last_{language}"]
        ]


# What of a ticket tells the problem. The shares decide how hard the sample is; they were chosen so
# that an ordinary linear text classifier gets about six tickets in seven right.
_CLARITY = {"clear": 64, "vague subject": 17, "vague text": 9, "short": 5, "vague": 5}

# Chance of each kind of sentence around the problem.
_AROUND = {"since": 0.22, "tried": 0.16, "screenshot": 0.1, "urgency": 0.22}
_RAMBLE = 0.1
_SCOPE = 0.3
_HINT = {"1": 0.08, "2": 0.4, "3": 0.4}
_HINT_OF_RARER_TIER = 0.95
"""Chance of words about who can solve it: for a scenario's usual tier, and for a rarer one."""

# Chances by channel; phone and walk-in tickets are typed by an analyst.
_GREETING = {"Email": 0.75, "Self-service": 0.3, "Chat": 0.35}
_CLOSING = {"Email": 0.7, "Self-service": 0.3, "Chat": 0.1}
_SIGNATURE = {"Email": 0.55, "Self-service": 0.08}
_LOWER_CASE = {"Chat": 0.5, "Phone": 0.2}
_TYPIST_CHANNELS = ("Phone", "Walk-in")

_FREE_SLOTS = ("day", "day2", "n", "time")
"""Drawn afresh at each use; any other slot means one thing throughout a ticket."""


class Author:
    """Somebody about to write one ticket."""

    def __init__(
        self, book: Phrasebook, rng: Random, me: Person, staff: Sequence[Person], language: str
    ) -> None:
        colleague, other = [person for person in rng.sample(staff, 3) if person is not me][:2]
        self._book = book
        self._rng = rng
        self._language = language
        self._known = {
            "me": me.name,
            "first": me.first,
            "mail": me.mail,
            "phone": me.phone,
            "extension": me.extension,
            "site": me.site,
            "department": me.department,
            "company": book.company,
            "colleague": rng.choice((colleague.first, colleague.name)),
            "colleague2": other.first,
            "colleague_mail": colleague.mail,
            "ticket": f"INC00{rng.randrange(10_000, 99_999)}",
        }

    def fill(self, template: str) -> str:
        """Write out a template as this person would."""
        return expand(template, self._rng, self._slot)

    def say(self, pool: str) -> str:
        """Say something from a pool of the phrasebook."""
        return self.fill(self._rng.choice(self._book.phrases(self._language, pool)))

    def ticket(
        self, scenario: Scenario, tier: str, channel: str, opened_at: datetime
    ) -> tuple[str, str]:
        """Write subject and description of a ticket.

        Parameters
        ----------
        tier : the tier that will resolve it; where it is not the scenario's usual one, the text
            mostly tells why
        """
        subject = self.fill(self._rng.choice(scenario.subjects[self._language]))
        body, more = map(self.fill, self._rng.sample(scenario.bodies[self._language], 2))
        if scenario.is_alert:
            return subject, body
        clarity = self._rng.choices(list(_CLARITY), list(_CLARITY.values()))[0]
        if clarity == "short":
            return self._mangled(subject, channel), self._rng.choice(("", "", subject))
        if clarity.startswith("vague"):
            pools = ("vague.any", f"vague.{scenario.vague}")
            if clarity != "vague text":
                subject = self.say(self._rng.choice(("vague_subjects", *pools)))
            if clarity != "vague subject":
                body = self.say(self._rng.choice(("pleas", *pools)))
        elif self._happens(0.3):
            body = f"{body} {more}"
        body = self._around(body, scenario, tier)
        subject = self._mangled(subject, channel)
        return self._dressed(subject, self._mangled(body, channel), channel, opened_at)

    def reminder(self, subject: str, description: str) -> tuple[str, str]:
        """Write once more about a ticket that nobody has answered."""
        return f"{self._prefix('RE', 'AW')}{subject}", f"{self.say('reminders')}\n\n{description}"

    def _slot(self, name: str) -> str:
        if name in self._known:
            return self._known[name]
        value = self._rng.choice(self._book.slot_values(self._language, name))
        if name not in _FREE_SLOTS:
            self._known[name] = value
        return value

    def _happens(self, chance: float) -> bool:
        return self._rng.random() < chance

    def _around(self, body: str, scenario: Scenario, tier: str) -> str:
        sentences = [body]
        scope = self._rng.choice(("one", "many")) if scenario.scope == "any" else scenario.scope
        if self._happens(_SCOPE):
            sentences.append(self.say(f"scope_{scope}"))
        is_usual = scenario.tiers[tier] == max(scenario.tiers.values())
        if self._happens(_HINT[tier] if is_usual else _HINT_OF_RARER_TIER):
            sentences.append(self.say(f"hint_{tier}"))
        sentences += [self.say(pool) for pool, chance in _AROUND.items() if self._happens(chance)]
        while self._happens(_RAMBLE):
            sentences.insert(self._rng.randrange(len(sentences) + 1), self.say("ramble"))
        joint = self._rng.choice((" ", " ", "\n", "\n\n"))
        if joint == " ":
            sentences = [text if text[-1] in ".!?" else f"{text}." for text in sentences]
        return joint.join(sentences)

    def _dressed(
        self, subject: str, body: str, channel: str, opened_at: datetime
    ) -> tuple[str, str]:
        if channel in _TYPIST_CHANNELS:
            return subject, f"{self.say('phone_notes')}\n{body}" if self._happens(0.5) else body
        if self._happens(_GREETING.get(channel, 0)):
            joint = self._rng.choice(("\n", "\n\n", " "))
            body = f"{self.say('greetings')}{joint}{body}"
        if self._happens(_CLOSING.get(channel, 0)):
            body = f"{body}\n\n{self.say('closings')}"
        if self._happens(_SIGNATURE.get(channel, 0)):
            body = f"{body}\n{self.say('signatures')}"
        if channel != "Email":
            return subject, body
        sent = opened_at - timedelta(minutes=self._rng.randrange(30, 3000))
        pattern = "%d.%m.%Y %H:%M" if self._language == "de" else "%d/%m/%Y %H:%M"
        self._known |= {"subject": subject, "sent": sent.strftime(pattern)}
        if self._happens(0.07):
            note, header = self.say("forward_notes"), self.say("forward_headers")
            return f"{self._prefix('FW', 'WG')}{subject}", f"{note}\n\n{header}\n\n{body}"
        if self._happens(0.08):
            return f"{self._prefix('RE', 'AW')}{subject}", f"{body}\n\n{self.say('quotes')}"
        return subject, body

    def _prefix(self, english: str, german: str) -> str:
        return f"{german if self._language == 'de' else english}: "

    def _mangled(self, text: str, channel: str) -> str:
        if self._language == "de" and self._happens(0.15):
            text = text.translate(_PLAIN_GERMAN)
        if self._happens(0.2):
            text = _PLAIN_WORD.sub(self._mistyped, text)
        if self._happens(_LOWER_CASE.get(channel, 0.1)):
            return text.lower()
        return text.upper() if self._happens(0.03) else text

    def _mistyped(self, found: re.Match[str]) -> str:
        word = found[0]
        if not self._happens(0.1):
            return word
        at = self._rng.randrange(1, len(word) - 1)
        swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        return self._rng.choice((swapped, word[:at] + word[at + 1 :], word[:at] + word[at - 1 :]))
