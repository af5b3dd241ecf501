"""The knowledge base, to search and to read, and drafts of new articles."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.drafts import draft_file
from api.openapi import problems
from api.problems import Fault, ProblemError
from api.routes.triage import IdempotencyKey
from api.schemas import ArticleIn, ArticleList, DraftList, DraftOut
from api.security import KeyedRoute, needs
from api.service import ServiceDep
from triage.article import Article, parse_article
from triage.article_check import DRAFT_PREFIX
from triage.store import ApiKeyInfo, ArticleDraft

router = APIRouter(route_class=KeyedRoute, tags=["knowledge"])

_MAX_DRAFTS = 200


@router.get(
    "/v1/articles",
    summary="Search the knowledge base, or list drafts",
    responses=problems(401, 403, 422, 503),
    dependencies=[needs("predict"), needs("review")],
)
def search_articles(
    request: Request,
    service: ServiceDep,
    q: Annotated[
        str | None,
        Query(
            max_length=1000,
            description="What the ticket says, or a few words.",
            examples=["account locked after holidays"],
        ),
    ] = None,
    drafts: Annotated[
        bool, Query(description="List the newest drafts instead; needs scope `review`.")
    ] = False,
) -> ArticleList | DraftList:
    """Find the ten articles that fit a text best, the best first. Drafts are never among them."""
    if drafts:
        key: ApiKeyInfo = request.state.api_key
        if not key.allows("review"):
            raise ProblemError("forbidden", "Drafts need a key with scope review.")
        newest = service.store.drafts.newest(_MAX_DRAFTS)
        return DraftList(drafts=[_shown(draft) for draft in newest])
    if q is None:
        missing = Fault(parameter="q", problem="missing")
        raise ProblemError("invalid", "Say what to search for.", errors=[missing])
    return ArticleList(articles=service.engine.recommender.search(q))


@router.post(
    "/v1/articles",
    status_code=201,
    summary="Hand in a draft of an article",
    responses=problems(400, 401, 403, 408, 413, 415, 422, 503),
    dependencies=[needs("feedback"), needs("review")],
)
def add_draft(
    sent: ArticleIn,
    request: Request,
    response: Response,
    service: ServiceDep,
    idempotency_key: IdempotencyKey = None,
) -> DraftOut:
    """Keep a draft for editors, who publish it as a file of the knowledge base.

    It is held to the rules of published articles, and is never offered for a ticket. It is stored
    before the answer; the same `Idempotency-Key` with the same body gets the same draft.
    """
    key: ApiKeyInfo = request.state.api_key
    text, article = draft_file(sent, key.id, idempotency_key)
    draft = ArticleDraft(article.id, article.title, text, datetime.now(UTC), key.id)
    standing = service.store.drafts.add(draft)
    if standing.content != text:
        raise ProblemError(
            "idempotency-conflict", "Another request was sent with this key; choose a new one."
        )
    response.headers["Location"] = f"/v1/articles/{standing.id}"
    return _shown(standing)


@router.get(
    "/v1/articles/{article_id}",
    summary="Read an article",
    responses=problems(401, 403, 404, 422, 503),
    dependencies=[needs("predict"), needs("review")],
)
def read_article(
    request: Request,
    service: ServiceDep,
    article_id: Annotated[
        str, Path(max_length=64, pattern=r"^[A-Za-z0-9._-]+$", examples=["KB0001"])
    ],
) -> Article:
    """Give an article with its steps, its checks and its Markdown body; a draft to reviewers."""
    article = service.engine.knowledge.get(article_id)
    key: ApiKeyInfo = request.state.api_key
    if article is None and article_id.startswith(DRAFT_PREFIX) and key.allows("review"):
        draft = service.store.drafts.get(article_id)
        article = parse_article(draft.content, draft.id)[0] if draft else None
    if article is None:
        raise ProblemError("not-found", "There is no article with this id.")
    return article


def _shown(draft: ArticleDraft) -> DraftOut:
    return DraftOut(id=draft.id, title=draft.title, created_at=draft.created_at)
