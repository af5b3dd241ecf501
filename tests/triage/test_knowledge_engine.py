"""A desk without a history: what articles alone are answered with, and that it is said."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.article import Article
from triage.engine import TriageEngine, open_engine
from triage.errors import BundleError, KnowledgeError
from triage.knowledge import KnowledgeBase, load_knowledge
from triage.knowledge_engine import KnowledgeEngine, knowledge_engine, load_knowledge_engine
from triage.taxonomy import Taxonomy, WideImpact, data_folder, load_taxonomy
from triage.ticket import Ticket

OURS = data_folder() / "kb"
WORDS = ["account", "locked", "vpn", "drucker", "paper", "whole", "office", "niemand", "server"]
LOCKED = Ticket("Locked out of my account", "Typed my password wrong, now the account is locked.")
POEM = Ticket(
    "An evening",
    "The cat sat on the mat and looked at the moon over the quiet village, and the river went by "
    "as it always had.",
)


@pytest.fixture(scope="module")
def untaught() -> KnowledgeEngine:
    return load_knowledge_engine(OURS)


def codes(engine: KnowledgeEngine, ticket: Ticket) -> tuple[str, list[str]]:
    (suggestion,) = engine.suggest([ticket])
    return suggestion.decision, [reason.code for reason in suggestion.reasons]


def relabelled(articles: tuple[Article, ...], **changes: Any) -> KnowledgeBase:
    return KnowledgeBase([replace(article, **changes) for article in articles])


def test_suggestion_says_that_nothing_was_learned(untaught: KnowledgeEngine) -> None:
    (suggestion,) = untaught.suggest([LOCKED])

    assert suggestion.decision == "suggest"
    assert suggestion.model_version == untaught.version
    assert suggestion.tier is not None and suggestion.category is not None
    assert (suggestion.tier.label, suggestion.category.label) == ("1", "access")
    assert suggestion.tier.basis == suggestion.category.basis == "knowledge"
    assert suggestion.tier.set == suggestion.category.set == []
    assert [reason.code for reason in suggestion.reasons] == ["no_history"]
    assert "triage train" in suggestion.reasons[0].next_action


def test_steps_are_those_of_the_best_article(untaught: KnowledgeEngine) -> None:
    (suggestion,) = untaught.suggest([LOCKED])

    assert suggestion.articles[0].id == "KB0001"
    assert {step.article_id for step in suggestion.steps} == {"KB0001"}
    assert suggestion.missing_details
    assert suggestion.warnings == []


@pytest.mark.parametrize(
    "ticket", [POEM, Ticket("qwe zxcv bnmp asdkj"), Ticket("set an alarm for seven tomorrow")]
)
def test_text_that_no_article_fits_is_left_to_a_person(
    untaught: KnowledgeEngine, ticket: Ticket
) -> None:
    (suggestion,) = untaught.suggest([ticket])

    assert suggestion.decision == "review"
    assert [reason.code for reason in suggestion.reasons] == ["no_article", "no_history"]
    assert suggestion.tier is not None and suggestion.tier.label is None
    assert suggestion.category is not None and suggestion.category.label is None
    assert suggestion.articles == []


def test_empty_ticket_is_left_to_a_person(untaught: KnowledgeEngine) -> None:
    assert codes(untaught, Ticket()) == ("review", ["empty"])


def test_ticket_of_several_troubles_is_left_to_a_person(untaught: KnowledgeEngine) -> None:
    without_tiers = relabelled(untaught.knowledge.articles, tier=None)
    engine = knowledge_engine(without_tiers, load_taxonomy())

    (suggestion,) = engine.suggest([Ticket("licence, paper, certificate, headset")])

    assert suggestion.decision == "review"
    assert [reason.code for reason in suggestion.reasons] == ["no_article", "no_history"]
    assert suggestion.articles == []


def test_wide_impact_is_not_for_the_first_tier(untaught: KnowledgeEngine) -> None:
    (suggestion,) = untaught.suggest([Ticket("Wi-Fi down, nobody can work", "the whole office")])

    assert suggestion.reasons[0].code == "wide_impact"
    assert suggestion.tier is not None and suggestion.tier.label not in ("0", "1")


def test_articles_without_labels_are_offered_alone(untaught: KnowledgeEngine) -> None:
    bare = relabelled(untaught.knowledge.articles, category=None, tier=None)
    engine = knowledge_engine(bare, load_taxonomy())

    (suggestion,) = engine.suggest([LOCKED])

    assert (suggestion.decision, suggestion.tier, suggestion.category) == ("suggest", None, None)
    assert suggestion.articles[0].id == "KB0001"
    assert engine.thresholds == {}


def test_tier_comes_from_the_taxonomy_where_no_article_names_one(
    untaught: KnowledgeEngine, taxonomy: Taxonomy
) -> None:
    words = replace(
        taxonomy,
        categories=taxonomy.categories
        | {"access": replace(taxonomy.categories["access"], tier="2")},
    )
    engine = knowledge_engine(relabelled(untaught.knowledge.articles, tier=None), words)

    (suggestion,) = engine.suggest([LOCKED])

    assert suggestion.tier is not None
    assert (suggestion.tier.label, suggestion.tier.basis) == ("2", "taxonomy")


def test_excluded_category_is_never_suggested(
    untaught: KnowledgeEngine, taxonomy: Taxonomy
) -> None:
    words = replace(
        taxonomy,
        categories=taxonomy.categories
        | {"access": replace(taxonomy.categories["access"], exclude=True)},
    )
    engine = knowledge_engine(untaught.knowledge, words)

    (suggestion,) = engine.suggest([LOCKED])

    assert suggestion.category is not None and suggestion.category.label != "access"
    assert "access" not in [other.label for other in suggestion.category.alternatives]


def test_category_that_is_a_path_is_shown_as_far_as_it_is_likely(
    untaught: KnowledgeEngine,
) -> None:
    split = [
        replace(article, category=f"it > {article.category}")
        for article in untaught.knowledge.articles
    ]
    engine = knowledge_engine(KnowledgeBase(split), load_taxonomy())

    (suggestion,) = engine.suggest([LOCKED])

    assert suggestion.category is not None
    assert [step.label for step in suggestion.category.path] == ["it", "it > access"]


def test_stored_form_of_a_ticket_is_redacted(untaught: KnowledgeEngine) -> None:
    (answer,) = untaught.answer([Ticket("Locked", "write to ada@desk.example", id="7")])

    assert "ada@desk.example" not in answer.ticket.description
    assert answer.suggestion.ticket_id == answer.ticket.id == "7"


def test_version_follows_articles_and_taxonomy(
    untaught: KnowledgeEngine, taxonomy: Taxonomy
) -> None:
    articles = untaught.knowledge.articles
    renamed = replace(taxonomy, wide_impact=WideImpact(("all of us",)))

    again = knowledge_engine(KnowledgeBase(articles[::-1]), taxonomy)
    fewer = knowledge_engine(KnowledgeBase(articles[1:]), taxonomy)
    other = knowledge_engine(untaught.knowledge, renamed)

    assert untaught.version == again.version
    assert untaught.version.startswith("knowledge-")
    assert len({untaught.version, fewer.version, other.version}) == 3


def test_categories_of_a_taxonomy_count_when_it_is_the_desks_own(tmp_path: Path) -> None:
    for name in ("KB0001", "KB0018"):
        shutil.copy(next(OURS.glob(f"{name}*")), tmp_path)

    packaged = load_knowledge_engine(tmp_path)
    own = load_knowledge_engine(tmp_path, data_folder() / "taxonomy.toml")

    assert packaged.classifier.labels["category"] == ["access", "vpn"]
    assert set(own.classifier.labels["category"]) == set(own.taxonomy.categories)


@settings(max_examples=60, deadline=None)
@given(
    words=st.lists(
        st.one_of(
            st.sampled_from(WORDS),
            st.text(max_size=8),
        ),
        max_size=30,
    )
)
def test_nothing_is_ever_routed(untaught: KnowledgeEngine, words: list[str]) -> None:
    (suggestion,) = untaught.suggest([Ticket(" ".join(words[:5]), " ".join(words[5:]))])

    assert suggestion.decision in ("suggest", "review")
    assert suggestion.reasons
    for prediction in (suggestion.tier, suggestion.category):
        assert prediction is not None and prediction.decision != "route"
        assert (prediction.label is None) == (prediction.decision == "review")
        assert 0 <= prediction.confidence <= 0.95


def test_no_tickets_get_no_answers(untaught: KnowledgeEngine) -> None:
    assert untaught.answer([]) == []


def test_folder_without_a_model_is_served_by_articles(tmp_path: Path, keys: Path) -> None:
    engine = open_engine(tmp_path / "models", keys=keys, knowledge=OURS)

    assert isinstance(engine, KnowledgeEngine)
    assert engine.basis == "knowledge"
    assert engine.knowledge.version == load_knowledge(OURS).version


def test_model_wins_over_articles_alone(saved: Any) -> None:
    engine = open_engine(saved.models, keys=saved.keys, knowledge=OURS)

    assert isinstance(engine, TriageEngine)
    assert engine.basis == "model"
    assert engine.knowledge.get("KB0001") is not None


def test_neither_model_nor_articles_names_both_ways_out(tmp_path: Path, keys: Path) -> None:
    with pytest.raises(BundleError, match=r"triage train .* --kb FOLDER"):
        open_engine(tmp_path, keys=keys)


def test_articles_that_cannot_be_read_are_an_error(tmp_path: Path, keys: Path) -> None:
    with pytest.raises(KnowledgeError):
        open_engine(tmp_path, keys=keys, knowledge=tmp_path / "nowhere")


def test_broken_model_is_refused_and_not_papered_over(saved: Any, tmp_path: Path) -> None:
    models = tmp_path / "models"
    shutil.copytree(saved.models, models)
    (models / saved.folder.name / "model.json").write_text("{}", "utf-8")

    with pytest.raises(BundleError):
        open_engine(models, keys=saved.keys, knowledge=OURS)


@pytest.mark.parametrize("lost", ["champion", "bundle"])
def test_half_of_a_models_folder_is_refused_too(saved: Any, tmp_path: Path, lost: str) -> None:
    models = tmp_path / "models"
    shutil.copytree(saved.models, models)
    if lost == "champion":
        (models / "champion").unlink()
    else:
        shutil.rmtree(models / saved.folder.name)

    with pytest.raises(BundleError):
        open_engine(models, keys=saved.keys, knowledge=OURS)
