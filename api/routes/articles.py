"""The knowledge base, to search and to read."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.openapi import problems
from api.problems import ProblemError
from api.schemas import ArticleList
from api.security import KeyedRoute, needs
from api.service import ServiceDep
from triage.article import Article

router = APIRouter(route_class=KeyedRoute, tags=["knowledge"])


@router.get(
    "/v1/articles",
    summary="Search the knowledge base",
    responses=problems(401, 403, 422, 503),
    dependencies=[needs("predict")],
)
def search_articles(
    service: ServiceDep,
    q: Annotated[
        str,
        Query(
            max_length=1000,
            description="What the ticket says, or a few words.",
            examples=["account locked after holidays"],
        ),
    ],
) -> ArticleList:
    """Find the ten articles that fit a text best, the best first."""
    return ArticleList(articles=service.engine.knowledge.search(q))


@router.get(
    "/v1/articles/{article_id}",
    summary="Read an article",
    responses=problems(401, 403, 404, 422, 503),
    dependencies=[needs("predict")],
)
def read_article(
    service: ServiceDep,
    article_id: Annotated[
        str, Path(max_length=64, pattern=r"^[A-Za-z0-9._-]+$", examples=["KB0001"])
    ],
) -> Article:
    """Give an article with its steps, its checks and its Markdown body."""
    article = service.engine.knowledge.get(article_id)
    if article is None:
        raise ProblemError("not-found", "There is no article with this id.")
    return article
