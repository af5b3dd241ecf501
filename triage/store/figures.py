"""What the figures are counted from, read from the tables one row after the other."""

import json
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, Text, and_, case, cast, exists, func, select
from sqlalchemy.orm import aliased

from triage.figures.articles import ArticleJudged, ArticlesUsed
from triage.figures.ended import EndedTicket
from triage.figures.handled import Answered, Ending, Handled, Incident, Word
from triage.figures.insights import LabelChecks
from triage.store.database import Database
from triage.store.tables import FeedbackRow, LabelDoubtRow, OutcomeRow, ReviewRow, SuggestionRow

MAX_INCIDENTS = 2_000
"""Suggestions with an incident whose answers are read, the newest."""

_PAGE = 2_000
_NONE = "[]"


class FigureSource:
    """Reads what figures are counted from; ``since`` None is from the beginning.

    Of several outcomes of a ticket, and of several words of people on a suggestion, the last one
    stands; what was taken back is left out. Rows are read as they are asked for: each method holds
    a connection until it is gone through.

    Every method raises StoreError when the database cannot be reached.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def ended(self, since: datetime | None = None) -> Iterator[EndedTicket]:
        """Go through the tickets that have ended, each as its last outcome tells.

        One without a time of resolution ended when we were told. A desk that has never named an
        article, or a detail it asked for, does not say that there was none: this stays unknown.
        """
        names_articles = self._is_ever_told(OutcomeRow.article_ids)
        names_details = self._is_ever_told(OutcomeRow.asked_details)
        statement = _last_outcomes(
            select(
                OutcomeRow.ticket_id, _ended_at().label("ended_at"), OutcomeRow.category,
                cast(OutcomeRow.tier_path, Text), OutcomeRow.tier, OutcomeRow.reassignments,
                OutcomeRow.reopened, OutcomeRow.first_contact, OutcomeRow.csat,
                cast(OutcomeRow.article_ids, Text), cast(OutcomeRow.asked_details, Text),
            )
        )  # fmt: skip
        if since is not None:
            statement = statement.where(_ended_at() >= since)
        for row in self._rows(statement):
            (ticket_id, ended_at, category, path, tier, *counts, articles, details) = row
            reassignments, reopenings, first_contact, csat = counts
            yield EndedTicket(
                ticket_id=ticket_id,
                resolved_at=ended_at,
                category=category,
                tier_path=_listed(path),
                tier=tier,
                reassignments=reassignments,
                first_contact=first_contact,
                csat=csat,
                used_article=articles != _NONE if names_articles else None,
                missing_details=_listed(details) if names_details else None,
                reopenings=reopenings,
            )

    def handled(self, since: datetime | None = None) -> Iterator[Handled]:
        """Go through the suggestions made since a moment, with what became of each."""
        for row in self._rows(_suggestions(since)):
            yield _handled(row)

    def answered(self, since: datetime | None = None, *, most: int) -> Iterator[Answered]:
        """Go through the newest suggestions, with what their answers say."""
        statement = (
            _suggestions(since)
            .add_columns(SuggestionRow.answer)
            .join(SuggestionRow, SuggestionRow.id == ReviewRow.suggestion_id)
            .order_by(ReviewRow.created_at.desc())
            .limit(most)
        )
        for row in self._rows(statement):
            answer = json.loads(row.answer)
            yield Answered(
                _handled(row),
                {one["code"]: one["message"] for one in answer.get("reasons", ())},
                tuple(one["id"] for one in answer.get("articles", ())),
            )

    def newest(
        self, most: int, since: datetime | None = None, *, only_ended: bool = False
    ) -> Iterator[tuple[Handled, str, str]]:
        """Go through the newest suggestions, the newest first, each with its redacted texts.

        Parameters
        ----------
        only_ended : leave out those whose tickets have not ended
        """
        statement = (
            _suggestions(since)
            .add_columns(SuggestionRow.subject, SuggestionRow.description)
            .join(SuggestionRow, SuggestionRow.id == ReviewRow.suggestion_id)
            .order_by(ReviewRow.created_at.desc(), ReviewRow.suggestion_id)
            .limit(most)
        )
        if only_ended:
            statement = statement.where(OutcomeRow.number.is_not(None))
        for row in self._rows(statement):
            yield _handled(row), row.subject, row.description

    def incidents(self, since: datetime | None = None) -> Iterator[Incident]:
        """Go through the bursts that suggestions told of, once for each of these suggestions."""
        statement = (
            select(SuggestionRow.answer)
            .join(ReviewRow, ReviewRow.suggestion_id == SuggestionRow.id)
            .where(cast(ReviewRow.reasons, Text).contains('"incident"'))
            .order_by(ReviewRow.created_at.desc())
            .limit(MAX_INCIDENTS)
        )
        if since is not None:
            statement = statement.where(ReviewRow.created_at >= since)
        for row in self._rows(statement):
            found = json.loads(row.answer).get("incident")
            if found:
                yield Incident(
                    found["id"],
                    found["since"],
                    tuple(found.get("terms", ())),
                    tuple(found.get("tickets", ())),
                )

    def articles_used(self, since: datetime | None = None) -> Iterator[ArticlesUsed]:
        """Go through the ended tickets that articles were used for."""
        statement = _last_outcomes(
            select(
                cast(OutcomeRow.article_ids, Text),
                OutcomeRow.tier,
                cast(OutcomeRow.tier_path, Text),
            )
        ).where(cast(OutcomeRow.article_ids, Text) != _NONE)
        if since is not None:
            statement = statement.where(_ended_at() >= since)
        for articles, tier, path in self._rows(statement):
            yield ArticlesUsed(_listed(articles), (*_listed(path), tier))

    def articles_judged(self, since: datetime | None = None) -> list[ArticleJudged]:
        """Count what people said about articles; each one's last word on each ticket."""
        last = select(func.max(FeedbackRow.number)).where(
            FeedbackRow.article_id.is_not(None),
            FeedbackRow.helpful.is_not(None),
            FeedbackRow.undone_at.is_(None),
        )
        if since is not None:
            last = last.where(FeedbackRow.created_at >= since)
        last = last.group_by(
            FeedbackRow.suggestion_id, FeedbackRow.api_key_id, FeedbackRow.article_id
        )
        statement = (
            select(
                FeedbackRow.article_id,
                func.sum(case((FeedbackRow.helpful.is_(True), 1), else_=0)),
                func.count(),
            )
            .where(FeedbackRow.number.in_(last))
            .group_by(FeedbackRow.article_id)
        )
        return [ArticleJudged(name, int(helpful), n) for name, helpful, n in self._rows(statement)]

    def label_checks(self, since: datetime | None = None) -> list[LabelChecks]:
        """Count the labels of the history that people looked at, and those that wait, by target."""
        is_checked = LabelDoubtRow.state == "decided"
        if since is not None:
            is_checked = and_(is_checked, LabelDoubtRow.decided_at >= since)
        is_fixed = and_(is_checked, LabelDoubtRow.label != LabelDoubtRow.given)
        statement = select(
            LabelDoubtRow.target,
            *(
                func.sum(case((condition, 1), else_=0))
                for condition in (is_checked, is_fixed, LabelDoubtRow.state == "open")
            ),
        ).group_by(LabelDoubtRow.target)
        return [
            LabelChecks(target, int(checked), int(fixed), int(waiting))
            for target, checked, fixed, waiting in self._rows(statement)
        ]

    def _is_ever_told(self, column: Any) -> bool:
        with self._database.reading() as session:
            return bool(session.scalar(select(exists().where(cast(column, Text) != _NONE))))

    def _rows(self, statement: Select[*tuple[Any, ...]]) -> Iterator[Any]:
        with self._database.reading() as session:
            yield from session.execute(statement.execution_options(yield_per=_PAGE))


@lru_cache(maxsize=4_096)
def _listed(text: str) -> tuple[str, ...]:
    """Read a list out of its JSON; the same few paths and articles come again and again."""
    return tuple(json.loads(text))


def _ended_at() -> Any:
    return func.coalesce(OutcomeRow.resolved_at, OutcomeRow.received_at)


def _last_outcomes(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    last = select(func.max(OutcomeRow.number)).group_by(OutcomeRow.ticket_id)
    return statement.where(OutcomeRow.number.in_(last))


def _suggestions(since: datetime | None) -> Select[*tuple[Any, ...]]:
    """Select suggestions with the last word on them and the last outcome of their tickets."""
    later = aliased(ReviewRow)
    is_overtaken = exists().where(
        later.ticket_id == ReviewRow.ticket_id,
        (later.created_at > ReviewRow.created_at)
        | (
            (later.created_at == ReviewRow.created_at)
            & (later.suggestion_id > ReviewRow.suggestion_id)
        ),
    )
    # One look into an index a row: SQLite takes minutes to join with all maxima at once.
    last_word = (
        select(func.max(FeedbackRow.number))
        .where(
            FeedbackRow.suggestion_id == ReviewRow.suggestion_id,
            FeedbackRow.verdict.is_not(None),
            FeedbackRow.undone_at.is_(None),
        )
        .correlate(ReviewRow)
        .scalar_subquery()
    )
    last_outcome = (
        select(func.max(OutcomeRow.number))
        .where(OutcomeRow.ticket_id == ReviewRow.ticket_id)
        .correlate(ReviewRow)
        .scalar_subquery()
    )
    statement: Select[*tuple[Any, ...]] = (
        select(
            ReviewRow.ticket_id, ReviewRow.created_at, ReviewRow.model_version,
            ReviewRow.decision, ReviewRow.confidence, ReviewRow.tier,
            ReviewRow.category, is_overtaken.label("is_overtaken"),
            FeedbackRow.verdict, FeedbackRow.tier.label("said_tier"),
            FeedbackRow.category.label("said_category"), FeedbackRow.is_blind,
            FeedbackRow.shown_tier, FeedbackRow.shown_category,
            OutcomeRow.tier.label("final_tier"), OutcomeRow.category.label("final_category"),
            OutcomeRow.shaped_by_routing,
        )
        .outerjoin(FeedbackRow, FeedbackRow.number == last_word)
        .outerjoin(
            OutcomeRow,
            and_(
                OutcomeRow.number == last_outcome,
                OutcomeRow.received_at >= ReviewRow.created_at,
            ),
        )
    )  # fmt: skip
    return statement if since is None else statement.where(ReviewRow.created_at >= since)


def _handled(row: Any) -> Handled:
    # Taken apart at once: a hundred thousand rows are read by name in twice the time.
    (
        ticket_id, created_at, model_version, decision, confidence, tier, category, is_overtaken,
        verdict, said_tier, said_category, is_blind, shown_tier, shown_category,
        final_tier, final_category, is_shaped,
    ) = row[:17]  # fmt: skip
    word = ending = None
    if verdict is not None:
        had_suggestion = shown_tier is not None or shown_category is not None
        word = Word(verdict, said_tier, said_category, had_suggestion, is_blind)
    if final_tier is not None:
        ending = Ending(final_tier, final_category, is_shaped)
    return Handled(
        created_at,
        decision,
        confidence,
        model_version,
        tier,
        category,
        not is_overtaken,
        ticket_id is not None,
        word,
        ending,
    )
