"""What people and outcomes say about tickets, made rows to learn from: weighed and guarded.

One person's word counts, but not without bounds: conflicting words are held back for a person, and
no analyst alone is the source of more than a share of a class's tickets (QUALITY.md: feedback
cannot steer the model).
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from training.canonical import WEIGHT, column_array, completed
from triage.store import AnsweredTicket, Feedback, LabelDoubt, Outcome, Store

TARGETS = ("tier", "category")
BY_ONE = "by_one"
"""A column of a merged history: whether the labels rest on one person's word alone."""

MOST_OF_A_CLASS = 0.05
"""Share of a class's tickets whose label rests on one analyst's word alone."""

CORRECTED = 1.5
CONFIDENT_MISTAKE = 2.0
"""What a ticket counts that the model got wrong; more where it had been sure of itself."""

_SURE = 0.8
_EVER = datetime(1970, 1, 1, tzinfo=UTC)

Labels = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Word:
    """What people say a ticket's labels are. ``analyst`` is who, where it was one person alone."""

    labels: Labels
    weight: float
    analyst: str | None


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of the words of people and of outcomes; each is counted in one place."""

    from_history: int
    from_outcomes: int
    from_people: int
    corrected: int
    confirmed: int
    conflicts: int
    over_share: int
    erased: int
    without_text: int

    def to_dict(self) -> dict[str, int]:
        """Turn it into plain data, ready for JSON."""
        return asdict(self)

    def sentences(self) -> list[str]:
        """Tell it to a person."""
        told = [
            f"{self.from_history:,} tickets of the history, {self.from_outcomes:,} more from "
            f"outcomes and {self.from_people:,} from people, who corrected {self.corrected:,} of "
            f"the history and confirmed {self.confirmed:,}"
        ]
        held = {
            "held back, because people disagree about them": self.conflicts,
            f"not taken over: beyond {MOST_OF_A_CLASS:.0%} of a class by one analyst": (
                self.over_share
            ),
            "left out, because they were erased": self.erased,
            "left out, because their text is not here": self.without_text,
        }
        return told + [f"{n:,} tickets {what}" for what, n in held.items() if n]


def merge_store(history: pd.DataFrame, store: Store) -> tuple[pd.DataFrame, Merged]:
    """Bring a history up to date with a store: outcomes, corrections, erasures.

    Parameters
    ----------
    history : canonical frame, perhaps an empty one

    Returns
    -------
    DataFrame : canonical, with the columns `WEIGHT` and `BY_ONE`
    Merged : what became of it all
    """
    outcomes = {outcome.ticket_id: outcome for outcome in store.outcomes.since()}
    words, conflicts = agreed(store.feedback.since())
    words |= _checked(store.label_doubts.decided(), but={*words, *conflicts})
    contradicted = {
        one for one, word in words.items() if one in outcomes and _contradicts(word, outcomes[one])
    }
    conflicts |= contradicted
    ids = history["id"].astype(object).where(history["id"].notna(), None)
    erased = store.erasures.among(
        {*(one for one in ids if one is not None), *outcomes, *words, *conflicts}
    )
    kept = history[~ids.isin(erased | conflicts).to_numpy()].reset_index(drop=True)
    row_of = {one: row for row, one in enumerate(kept["id"].astype(object))}
    gone = erased | conflicts
    outcomes = {one: told for one, told in outcomes.items() if one not in gone}
    words = {one: word for one, word in words.items() if one not in gone}

    texts = {answered.ticket_id: answered for answered in store.past.answered_since(_EVER)}
    new = {one for one in outcomes.keys() | words.keys() if one not in row_of}
    told = {one: texts[one] for one in new if one in texts}
    confirmed = {
        one
        for one, word in words.items()
        if one in row_of and not _changes(word, kept.iloc[row_of[one]])
    }
    alone = {
        one: word
        for one, word in words.items()
        if one not in confirmed and (one in row_of or (one in told and one not in outcomes))
    }
    over = _over_share(alone, kept, [outcomes[one] for one in told if one in outcomes])
    alone = {one: word for one, word in alone.items() if one not in over}
    corrected = [one for one in alone if one in row_of]

    frame = kept.assign(**{WEIGHT: 1.0, BY_ONE: False})
    for one in corrected:
        row, word = row_of[one], alone[one]
        for target, label in word.labels.items():
            if label is not None:
                frame.loc[row, target] = label
        frame.loc[row, WEIGHT] = word.weight
        frame.loc[row, BY_ONE] = word.analyst is not None
    rows = [_row(told[one], outcomes.get(one), alone.get(one)) for one in sorted(told)]
    rows = [row for row in rows if row["tier"] is not None or row["category"] is not None]
    frame = pd.concat([frame, _frame_of(rows, frame)], ignore_index=True) if rows else frame
    frame = _with_lists(frame, outcomes, _judged_articles(store.feedback.since()))
    from_outcomes = sum(row["id"] in outcomes for row in rows)
    return frame, Merged(
        from_history=len(kept),
        from_outcomes=from_outcomes,
        from_people=len(rows) - from_outcomes,
        corrected=len(corrected),
        confirmed=len(confirmed),
        conflicts=len(conflicts - erased),
        over_share=len(over),
        erased=len(erased),
        without_text=len(new - told.keys()),
    )


def agreed(feedback: Iterable[Feedback]) -> tuple[dict[str, Word], set[str]]:
    """Settle what people say about each ticket.

    Of each person the last word counts that they did not take back.

    Returns
    -------
    dict : ticket id -> what holds, where nobody disagrees
    set : the tickets that people disagree about
    """
    last: dict[str, dict[str, Feedback]] = defaultdict(dict)
    for one in feedback:
        if one.ticket_id is not None and one.undone_at is None and one.verdict is not None:
            last[one.ticket_id][one.api_key_id] = one
    words, conflicts = {}, set()
    for ticket_id, by_analyst in last.items():
        said = [one for one in by_analyst.values() if one.tier or one.category]
        if len({(one.tier, one.category) for one in said}) > 1:
            conflicts.add(ticket_id)
        elif said:
            first = said[0]
            words[ticket_id] = Word(
                {"tier": first.tier, "category": first.category},
                max(_weight(one) for one in said),
                first.api_key_id if len(said) == 1 else None,
            )
    return words, conflicts


def _checked(doubts: Iterable[LabelDoubt], *, but: set[str]) -> dict[str, Word]:
    """Take over labels of the history that a person looked at, where no feedback says anything."""
    labels: dict[str, dict[str, str | None]] = {}
    people: dict[str, set[str | None]] = defaultdict(set)
    for doubt in doubts:
        if doubt.target in TARGETS and doubt.ticket_id not in but:
            known = labels.setdefault(doubt.ticket_id, dict.fromkeys(TARGETS))
            known[doubt.target] = doubt.label
            people[doubt.ticket_id].add(doubt.decided_by)
    return {one: Word(said, 1.0, sorted(map(str, people[one]))[0]) for one, said in labels.items()}


def _judged_articles(feedback: Iterable[Feedback]) -> dict[str, dict[str, bool]]:
    """Collect which articles helped with which ticket, by the last word that was not taken back."""
    judged: dict[str, dict[str, bool]] = defaultdict(dict)
    for one in feedback:
        known = one.ticket_id is not None and one.undone_at is None
        if known and one.article_id is not None and one.helpful is not None:
            judged[str(one.ticket_id)][one.article_id] = one.helpful
    return judged


def _with_lists(
    frame: pd.DataFrame,
    outcomes: Mapping[str, Outcome],
    judged: Mapping[str, Mapping[str, bool]],
) -> pd.DataFrame:
    """Complete which articles a ticket was solved with, and which details had to be asked for.

    What an outcome tells fills in what an export leaves open. An article that a person found
    helpful counts as used, one found wrong does not, whoever listed it.
    """
    articles, details = list(frame["article_ids"]), list(frame["asked_details"])
    for row, one in enumerate(frame["id"].astype(object)):
        if one in outcomes:
            articles[row] = articles[row] or outcomes[one].article_ids
            details[row] = details[row] or outcomes[one].asked_details
        if one in judged:
            words = judged[one]
            kept = [article for article in articles[row] if words.get(article, True)]
            helped = [article for article, helpful in words.items() if helpful]
            articles[row] = tuple(dict.fromkeys([*kept, *helped]))
    return frame.assign(
        article_ids=column_array("article_ids", articles),
        asked_details=column_array("asked_details", details),
    )


def _weight(feedback: Feedback) -> float:
    if feedback.verdict != "corrected":
        return 1.0
    return CONFIDENT_MISTAKE if feedback.confidence >= _SURE else CORRECTED


def _contradicts(word: Word, outcome: Outcome) -> bool:
    """Tell whether a ticket ended otherwise than a person said, without our having routed it."""
    if outcome.shaped_by_routing:
        return False
    ended = {"tier": outcome.tier, "category": outcome.category}
    return any(
        label is not None and ended[target] is not None and label != ended[target]
        for target, label in word.labels.items()
    )


def _changes(word: Word, row: pd.Series) -> bool:
    return any(label is not None and label != row[target] for target, label in word.labels.items())


def _over_share(
    words: Mapping[str, Word], history: pd.DataFrame, outcomes: Iterable[Outcome]
) -> set[str]:
    """Choose the words that exceed an analyst's share of a class; which ones is left to a hash."""
    sizes: Counter[tuple[str, str]] = Counter()
    for target in TARGETS:
        for label, n in history[target].value_counts().items():
            sizes[target, str(label)] += int(n)
    for outcome in outcomes:
        sizes["tier", outcome.tier] += 1
        if outcome.category is not None:
            sizes["category", outcome.category] += 1
    groups: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for ticket_id, word in words.items():
        for target, label in word.labels.items():
            if word.analyst is not None and label is not None:
                groups[word.analyst, target, label].append(ticket_id)
    over: set[str] = set()
    for (_, target, label), tickets in sorted(groups.items()):
        most = int(MOST_OF_A_CLASS * sizes[target, label])
        over |= set(sorted(tickets, key=_hashed)[most:])
    return over


def _hashed(ticket_id: str) -> str:
    return hashlib.sha256(ticket_id.encode("utf-8", "surrogatepass")).hexdigest()


def _row(answered: AnsweredTicket, outcome: Outcome | None, word: Word | None) -> dict[str, Any]:
    """Make a ticket that no export has a row of a history."""
    row: dict[str, Any] = {
        "id": answered.ticket_id,
        "created_at": answered.created_at,
        "subject": answered.subject,
        "description": answered.description,
        "tier": None,
        "category": None,
        WEIGHT: 1.0,
        BY_ONE: False,
    }
    if outcome is not None:
        row |= {
            "tier": outcome.tier,
            "category": outcome.category,
            "resolution": outcome.resolution or None,
            "article_ids": outcome.article_ids,
            "asked_details": outcome.asked_details,
            "reassignments": outcome.reassignments,
            "reopened": None if outcome.reopened is None else outcome.reopened > 0,
            "first_contact": outcome.first_contact,
            "csat": outcome.csat,
            "resolved_at": outcome.resolved_at,
        }
    if word is not None:
        row |= {target: label for target, label in word.labels.items() if label is not None}
        row |= {WEIGHT: word.weight, BY_ONE: word.analyst is not None and outcome is None}
    return row


def _frame_of(rows: list[dict[str, Any]], like: pd.DataFrame) -> pd.DataFrame:
    names = [name for name in rows[0] if name not in (WEIGHT, BY_ONE)]
    names += [name for row in rows for name in row if name not in (*names, WEIGHT, BY_ONE)]
    lists = {"article_ids", "asked_details"}
    columns = {
        name: column_array(name, [row.get(name, () if name in lists else None) for row in rows])
        for name in dict.fromkeys(names)
    }
    frame = completed(pd.DataFrame(columns))
    missing = [name for name in like.columns if name not in frame and name not in (WEIGHT, BY_ONE)]
    for name in missing:
        frame[name] = pd.Series([None] * len(rows), dtype=like[name].dtype)
    frame[WEIGHT] = [row[WEIGHT] for row in rows]
    frame[BY_ONE] = [row[BY_ONE] for row in rows]
    return frame[list(like.columns)]
