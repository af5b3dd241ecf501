"""A draft that came in over HTTP turned into an article's file, or refused without repeating it."""

import re
import secrets
from hashlib import sha256

from api.problems import Fault, ProblemError
from api.schemas import ArticleIn
from triage.article import LIST_FIELDS, Article, parse_article, read_front_matter
from triage.article_check import DRAFT_PREFIX
from triage.article_file import article_file, section
from triage.errors import KnowledgeError

_KEPT_OF_ID = 40
# A reason may begin with the article's id and may end with words of the YAML reader: neither is
# ours to repeat.
_ABOUT_ID = re.compile(r"article \S+?(?:, line \d+ of its body)?: ")
_NOT_YAML = "the front matter is not valid YAML"
_SECTIONS = (("steps", "Steps"), ("verify", "Verify"), ("escalate_when", "Escalate when"))


def draft_file(
    sent: ArticleIn, api_key_id: str, idempotency_key: str | None
) -> tuple[str, Article]:
    """Write the file of a draft, with an id of its own.

    The id is made of the caller's and the idempotency key alone, so that whatever is sent with
    the key again has the same one. Without such a key it is random, and keeps the id of the article
    that is to be edited; that id stands in the file in either case.

    Returns
    -------
    the file, and the article that it parses as

    Raises
    ------
    ProblemError : it is no article that the knowledge base would read
    """
    if idempotency_key is None:
        number = secrets.token_hex(8)
    else:
        number = sha256(f"{api_key_id}\0{idempotency_key}".encode()).hexdigest()[:16]
    if sent.content is None:
        text = _from_parts(sent, f"{DRAFT_PREFIX}{number}")
    else:
        text = _from_content(sent.content, number, is_keyed=idempotency_key is not None)
    article, problems = parse_article(text, "draft")
    if article is None:
        raise _refusal(problems[0].reason, "content" if sent.content else "body")
    return text, article


def _from_parts(sent: ArticleIn, draft_id: str) -> str:
    front = {
        "id": draft_id,
        "title": _line(sent.title or ""),
        "category": _line(sent.category or ""),
        "tier": _line(sent.tier or ""),
        "symptoms": _lines(sent.symptoms),
        "applies_to": _lines(sent.applies_to),
    }
    if not front["title"]:
        raise _refusal("the title is blank", "title")
    for name in ("title", "symptoms", "applies_to", *(name for name, _ in _SECTIONS)):
        value = getattr(sent, name)
        for text in [value] if isinstance(value, str) else value:
            line = _line(text)
            entries = {name: [line]} if name in LIST_FIELDS else {}
            alone = article_file({"id": "a", "title": "a", **entries}, "" if entries else line)
            _, problems = parse_article(alone, "a")
            if refused := [one for one in problems if one.severity == "error"]:
                raise _refusal(refused[0].reason, name)
    sections = [
        section(heading, lines, is_numbered=name == "steps")
        for name, heading in _SECTIONS
        if (lines := _lines(getattr(sent, name)))
    ]
    return article_file(front, "\n\n".join([sent.body or "", *sections]))


def _from_content(content: str, number: str, *, is_keyed: bool) -> str:
    """Give a whole file its id, after what is wrong with it was told by its own lines."""
    article, problems = parse_article(content, "draft")
    if article is None and not problems[0].reason.startswith(
        ("article id", "the front matter has")
    ):
        line = problems[0].line
        place = f"line {line}: " if line else ""
        raise _refusal(problems[0].reason, "content", place)
    try:
        front, body, _ = read_front_matter(content)
    except KnowledgeError as error:
        raise _refusal(str(error), "content") from None
    if article is None:
        return article_file({**front, "id": f"{DRAFT_PREFIX}{number}"}, body)
    edited = "" if is_keyed else f"{article.id[:_KEPT_OF_ID]}-"
    file = article_file({**front, "id": f"{DRAFT_PREFIX}{edited}{number}"}, body)
    return file.replace("---\n", f"---\n# An edit of {article.id}.\n", 1)


def _refusal(reason: str, field: str, place: str = "") -> ProblemError:
    if _NOT_YAML in reason:
        reason = _NOT_YAML
    told = _ABOUT_ID.sub("", reason)
    return ProblemError(
        "invalid",
        f"The article cannot be taken: {place}{told}.",
        errors=[Fault(pointer=f"/{field}", problem="invalid")],
    )


def _line(text: str) -> str:
    return " ".join(text.split())


def _lines(texts: list[str]) -> list[str]:
    return [line for text in texts if (line := _line(text))]
