"""What an editor should put right in articles that can be read: `triage kb check`."""

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from triage.article import Article, Problem
from triage.taxonomy import Taxonomy
from triage.words import stems, words

REVIEW_PERIOD = timedelta(days=365)

_PASSWORD = (
    r"(?:passwords?|passphrases?|pin|one-time codes?|kennw(?:o|ö)rt(?:er)?|passw(?:o|ö)rt(?:er)?)\b"
)
_WHOSE = (
    r"(?:(?:the|their|his|her|a|an|current|old|new|windows|domain|network|user(?:['’]s)?)\s+){0,4}"
)
# What follows is about a password, not the password itself: "ask for the password policy".
_ABOUT = r"(?!\s+(?:change|reset|polic|expir|age|history|manager))"
_ASKS_FOR_PASSWORD = re.compile(
    rf"\bask\b[^.;]{{0,60}}?\bfor\s+{_WHOSE}{_PASSWORD}{_ABOUT}"
    rf"|\brequest\s+{_WHOSE}{_PASSWORD}{_ABOUT}"
    rf"|\b(?:tell|send|give|mail|e-mail|read)\s+(?:you|us|me)\s+{_WHOSE}{_PASSWORD}{_ABOUT}"
    rf"|\bwrite\s+down\s+{_WHOSE}{_PASSWORD}{_ABOUT}"
    rf"|\bnach\s+(?:dem|ihrem|seinem)\s+{_PASSWORD}|\b{_PASSWORD}\s+erfragen",
    re.IGNORECASE,
)
_NEGATION = re.compile(r"\b(?:never|not|don['’]t|nie|niemals|nicht)\b", re.IGNORECASE)
_RISKY = re.compile(
    r"\b(?:format\s+[a-z]:|format-volume|diskpart|clear-disk|del\s+(?:/\w+\s+)*/[fsq]\b|rmdir\s+/s"
    r"|rm\s+-\w*[rf]\w*|remove-item\b[^.;]{0,80}-recurse|regedit|reg\s+delete|mkfs|dd\s+if="
    r"|drop\s+(?:table|database)|truncate\s+table|bcdedit|cipher\s+/w|vssadmin\s+delete)",
    re.IGNORECASE,
)
_WARNING = re.compile(
    r"\b(?:warning|caution|careful(?:ly)?|danger|back\s?up|backed up|irreversibl[ey]"
    r"|cannot be undone|never|only (?:after|if|when)|achtung|vorsicht|sichern|sicherung)\b",
    re.IGNORECASE,
)


def check(articles: Sequence[Article], taxonomy: Taxonomy, *, today: date) -> list[Problem]:
    """Find what an editor should put right, article by article.

    Unknown categories, tiers and details and steps that ask for a password are errors. No steps,
    a risky command without a word of warning, a review more than a year old and a title that
    says the same as another are warnings.

    Returns
    -------
    problems in the order of the articles; ``file`` is the article's id
    """
    problems: list[Problem] = []
    id_of_title: dict[frozenset[str], str] = {}
    for article in articles:
        problems += [Problem(article.id, None, reason) for reason in _errors(article, taxonomy)]
        warnings = list(_warnings(article, today))
        title = frozenset(stem for word in words(article.title) for stem in stems(word))
        title = title or frozenset([article.title])
        twin = id_of_title.setdefault(title, article.id)
        if twin != article.id:
            warnings.append(f"the title says the same as that of {twin}: merge or rename")
        problems += [Problem(article.id, None, reason, "warning") for reason in warnings]
    return problems


def _errors(article: Article, taxonomy: Taxonomy) -> Iterator[str]:
    if article.category is not None and article.category not in taxonomy.categories:
        yield f"category {article.category!r} is not in the taxonomy"
    if article.tier is not None and article.tier not in taxonomy.tiers:
        yield f"tier {article.tier!r} is not in the taxonomy"
    for detail in article.required_details:
        if detail not in taxonomy.details:
            yield f"required detail {detail!r} is not in the taxonomy"
    for number, step in enumerate(article.steps, start=1):
        if _asks_for_password(step):
            yield f"step {number} asks for a password: nobody at the desk ever needs one"


def _warnings(article: Article, today: date) -> Iterator[str]:
    if not article.steps:
        yield 'no steps: add a section "## Steps" with a numbered list'
    for number, step in enumerate(article.steps, start=1):
        if (command := _RISKY.search(step)) and not _WARNING.search(step):
            yield f"step {number} uses {command[0]!r} without a word of warning"
    if article.reviewed is None:
        yield "never reviewed: add reviewed: YYYY-MM-DD"
    elif article.reviewed > today:
        yield f"reviewed on {article.reviewed}, which is yet to come"
    elif today - article.reviewed > REVIEW_PERIOD:
        yield f"last reviewed on {article.reviewed}: review it again"


def _asks_for_password(step: str) -> bool:
    return any(
        _ASKS_FOR_PASSWORD.search(sentence) and not _NEGATION.search(sentence)
        for sentence in re.split(r"[.;!?]\s", step)
    )
