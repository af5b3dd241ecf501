"""The figures about suggestions: how many, what people said to them, whether they came true."""

from collections.abc import Callable, Sequence

from triage.figures.handled import Ending, Handled, Word
from triage.figures.measure import Measure

ASKED = "asked"
SUGGESTED, ROUTED, LEFT = "suggested", "routed", "left_to_a_person"
ACCEPTED, CORRECTED, REJECTED = "accepted", "corrected", "rejected"
SEEN, BLIND = "agreed_seen", "agreed_blind"
BY_WORD, LEFT_AS_IT_WAS, OTHERWISE = "ended_accepted", "ended_as_it_was", "ended_otherwise"
ROUTED_RIGHT = "routed_right"
ROUTED_RIGHT_BY_PEOPLE, ROUTED_RIGHT_BY_OUTCOME = (
    "routed_right_by_people",
    "routed_right_by_outcome",
)
CHANGED, TIER_CHANGED, CATEGORY_CHANGED = (
    "routed_changed",
    "routed_tier_changed",
    "routed_category_changed",
)

COVERAGE = (SUGGESTED, ROUTED, LEFT)
SAID = (ACCEPTED, CORRECTED, REJECTED)
CAME_TRUE = (BY_WORD, LEFT_AS_IT_WAS, OTHERWISE)
CHANGES = (CHANGED, TIER_CHANGED, CATEGORY_CHANGED)


def suggestion_measures() -> list[Measure[Handled]]:
    """List what is asked about each suggestion; it counts in the week in which it was made."""
    return [*_coverage(), *_said(), *_came_true(), *_routed()]


def facts_of(one: Handled) -> tuple[object, ...]:
    """Give what the answers to all these questions depend on."""
    return one.is_newest, one.decision, one.tier, one.category, one.word, one.ending


def _coverage() -> list[Measure[Handled]]:
    asked = "of all tickets that we were asked about. Of several suggestions for a ticket, the last"
    return [
        Measure(
            ASKED,
            "Tickets we were asked about",
            "count",
            "Tickets with a suggestion in the store, each once, at the day of the last one.",
            lambda one: 1,
            _is_newest,
        ),
        Measure(
            SUGGESTED,
            "Something suggested",
            "share",
            f"Tickets for which a tier or a category was suggested or set, {asked} counts.",
            lambda one: one.decision != "review",
            _is_newest,
        ),
        Measure(
            ROUTED,
            "Routed unseen",
            "share",
            f"Tickets that were sure enough to be routed without a look, {asked} counts.",
            lambda one: one.decision == "route",
            _is_newest,
        ),
        Measure(
            LEFT,
            "Left to a person",
            "share",
            f"Tickets for which nothing was suggested, {asked} counts.",
            lambda one: one.decision == "review",
            _is_newest,
        ),
    ]


def _said() -> list[Measure[Handled]]:
    of = "of the suggestions with a label about which a person said something; their last word"
    verdicts = (
        (ACCEPTED, "Accepted", "accepted"),
        (CORRECTED, "Corrected", "corrected"),
        (REJECTED, "Rejected", "rejected"),
    )
    return [
        *(
            Measure(
                name,
                title,
                "share",
                f"Suggestions that were {verdict}, {of}.",
                _said_to(verdict),
                _was_judged,
            )
            for name, title, verdict in verdicts
        ),
        Measure(
            SEEN,
            "Agreed, the suggestion in view",
            "share",
            f"Suggestions that were accepted, {of}, where the person saw the suggestion.",
            _said_to("accepted"),
            lambda one: _was_judged(one) and not _was_blind(one),
        ),
        Measure(
            BLIND,
            "Agreed, without seeing it",
            "share",
            f"Suggestions that were met by a person who had not seen them (blind sample), {of}.",
            _said_to("accepted"),
            lambda one: _was_judged(one) and _was_blind(one),
        ),
    ]


def _came_true() -> list[Measure[Handled]]:
    of = "of the tickets with a suggestion that have ended"
    return [
        Measure(
            BY_WORD,
            "Accepted by a person",
            "share",
            f"Tickets whose suggestion a person accepted in so many words, {of}.",
            lambda one: _verdict(one) == "accepted",
            _has_ended,
        ),
        Measure(
            LEFT_AS_IT_WAS,
            "Left as it was",
            "share",
            f"Tickets about which no person said anything, and whose outcome agrees, {of}. "
            "Nobody accepted these: perhaps nobody looked.",
            lambda one: one.word is None and _by_outcome(one) is True,
            _has_ended,
        ),
        Measure(
            OTHERWISE,
            "Ended otherwise",
            "share",
            f"Tickets whose suggestion a person corrected or rejected, or whose outcome names "
            f"another tier or category and no person had accepted it, {of}.",
            lambda one: (
                _verdict(one) in ("corrected", "rejected")
                or (one.word is None and not _by_outcome(one))
            ),
            _has_ended,
        ),
    ]


def _routed() -> list[Measure[Handled]]:
    of = "of the routed tickets about which a person or an outcome tells"
    return [
        Measure(
            ROUTED_RIGHT,
            "Right of what was routed",
            "share",
            f"Routed tickets for which neither a person nor the outcome names another tier or "
            f"category, {of}.",
            lambda one: not _is_changed(one),
            _is_routed_and_known,
        ),
        Measure(
            ROUTED_RIGHT_BY_PEOPLE,
            "Right, by people alone",
            "share",
            "Routed tickets that a person accepted, of those that a person looked at.",
            lambda one: _verdict(one) == "accepted",
            lambda one: _is_routed(one) and one.word is not None,
        ),
        Measure(
            ROUTED_RIGHT_BY_OUTCOME,
            "Right, by outcomes that our routing has shaped",
            "share",
            "Routed tickets whose outcome names the tier and category that we had set, of those "
            "that have ended. No word of its own: tickets tend to end where they were sent.",
            _by_outcome,
            lambda one: _is_routed(one) and one.ending is not None,
        ),
        Measure(
            CHANGED,
            "Changed after we had set it",
            "share",
            f"Routed tickets to which a person or the outcome gave another tier or category, {of}.",
            _is_changed,
            _is_routed_and_known,
        ),
        Measure(
            TIER_CHANGED,
            "Another tier in the end",
            "share",
            f"Routed tickets to which a person or the outcome gave another tier, {of}.",
            _differs("tier"),
            _is_routed_and_known,
        ),
        Measure(
            CATEGORY_CHANGED,
            "Another category in the end",
            "share",
            f"Routed tickets to which a person or the outcome gave another category, {of}.",
            _differs("category"),
            _is_routed_and_known,
        ),
    ]


def _is_newest(one: Handled) -> bool:
    return one.is_newest


def _was_judged(one: Handled) -> bool:
    return one.word is not None and one.word.had_suggestion


def _was_blind(one: Handled) -> bool:
    return one.word is not None and one.word.is_blind


def _has_ended(one: Handled) -> bool:
    if not one.is_newest or one.decision == "review" or one.ending is None:
        return False
    return one.word is not None or _by_outcome(one) is not None


def _is_routed(one: Handled) -> bool:
    return one.is_newest and one.decision == "route"


def _is_routed_and_known(one: Handled) -> bool:
    return _is_routed(one) and bool(one.word or one.ending)


def _verdict(one: Handled) -> str | None:
    return one.word.verdict if one.word else None


def _said_to(verdict: str) -> Callable[[Handled], bool]:
    return lambda one: _verdict(one) == verdict


def _by_outcome(one: Handled) -> bool | None:
    return one.agrees(one.ending) if one.ending else None


def _told(one: Handled) -> Sequence[Word | Ending]:
    return [told for told in (one.word, one.ending) if told is not None]


def _is_changed(one: Handled) -> bool:
    return any(one.agrees(told) is False for told in _told(one))


def _differs(target: str) -> Callable[[Handled], bool | None]:
    def answer(one: Handled) -> bool | None:
        # Who rejects a suggestion says that it is wrong, but not in what.
        named = [told for told in _told(one) if getattr(told, target) is not None]
        fits = [one.agrees(told, (target,)) for told in named]
        return True if False in fits else (False if True in fits else None)

    return answer
