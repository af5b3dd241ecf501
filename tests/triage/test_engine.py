"""The engine: whole answers to whole tickets, by a real model beside a real knowledge base."""

import json
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pytest

from training.tickets import iter_tickets
from triage.engine import TriageEngine, load_engine
from triage.errors import BundleError, KnowledgeError
from triage.explain import map_terms, weigh_terms
from triage.knowledge import KnowledgeBase
from triage.model import TriageModel
from triage.prepare import prepare
from triage.recommender import ArticleRecommender
from triage.suggestion import Suggestion
from triage.taxonomy import Taxonomy
from triage.ticket import Ticket
from triage.tier_rules import next_tier

CLEAR = Ticket(
    "account locked, forgot password",
    "I forgot my password since monday morning, how can I reset it again. Locked login token.",
    id="T-1",
)
UNCLEAR = Ticket("printer mailbox forgot cluster", "toner and calendar, how about the outage")
NO_ARTICLE = Ticket("outlook mailbox calendar", "forgot how to reset the inbox again")
FOR_SPECIALISTS = Ticket(
    "vpn tunnel certificate", "cluster firewall outage kernel vpn gateway timeout"
)
NONSENSE = Ticket("qwv zxj krpl", "blorf snig wump trake vonsel drib")
TICKETS = [CLEAR, UNCLEAR, Ticket(), NO_ARTICLE, NONSENSE, FOR_SPECIALISTS]


class SavedBundle(Protocol):
    """What the fixture of tests/conftest.py holds."""

    folder: Path
    models: Path
    keys: Path


@pytest.fixture
def ask(loaded_engine: TriageEngine) -> Callable[[Ticket], Suggestion]:
    return lambda ticket: loaded_engine.suggest([ticket])[0]


def changed(engine: TriageEngine, **parts: Any) -> TriageEngine:
    """The same engine with parts of its model replaced."""
    return replace(engine, model=replace(engine.model, **parts))


def with_knowledge(engine: TriageEngine, knowledge: KnowledgeBase) -> TriageEngine:
    return replace(engine, recommender=ArticleRecommender(knowledge))


def codes(suggestion: Suggestion) -> list[str]:
    return [reason.code for reason in suggestion.reasons]


def comparable(suggestion: Suggestion) -> dict[str, Any]:
    return {**suggestion.to_dict(), "suggestion_id": ""}


def test_clear_ticket_is_routed_with_all_that_the_desk_needs(
    ask: Callable[[Ticket], Suggestion], saved: SavedBundle, taxonomy: Taxonomy
) -> None:
    answer = ask(CLEAR)

    assert answer.decision == "route"
    assert codes(answer) == ["promise_kept"]
    assert answer.tier is not None and answer.category is not None
    assert (answer.tier.label, answer.tier.name) == ("1", taxonomy.tier_name("1"))
    assert (answer.category.label, answer.category.name) == (
        "access",
        taxonomy.category_name("access"),
    )
    assert answer.next_tier == "1"
    assert (answer.ticket_id, answer.model_version) == ("T-1", saved.folder.name)
    assert [hit.id for hit in answer.articles] == ["KB1"]
    assert [(step.text, step.article_id) for step in answer.steps] == [
        ("Verify who is calling.", "KB1"),
        ("Unlock the account.", "KB1"),
    ]
    assert answer.warnings == []


def test_ticket_between_two_labels_is_not_routed(ask: Callable[[Ticket], Suggestion]) -> None:
    answer = ask(UNCLEAR)

    assert answer.decision != "route"
    assert all(code.startswith("unsure_") for code in codes(answer))


@pytest.mark.parametrize(
    "ticket",
    [Ticket(), Ticket(" ", "\n\t\xa0"), Ticket("", "<p><br></p>"), Ticket("\u200b", "\u2060")],
)
def test_empty_ticket_is_left_to_a_person(
    ask: Callable[[Ticket], Suggestion], ticket: Ticket
) -> None:
    answer = ask(ticket)

    assert answer.decision == "review"
    assert codes(answer) == ["empty"]
    assert answer.tier is not None and answer.tier.label is None
    assert answer.category is not None and answer.category.label is None
    assert answer.next_tier is None
    assert answer.articles == [] and answer.steps == []
    assert answer.explanation == {}


def test_nonsense_is_left_to_a_person(ask: Callable[[Ticket], Suggestion]) -> None:
    answer = ask(NONSENSE)

    assert answer.decision == "review"
    assert codes(answer) == ["out_of_domain"]
    assert answer.tier is not None and answer.tier.decision == "review"


def test_tickets_of_the_history_are_seldom_out_of_domain(
    loaded_engine: TriageEngine, history: pd.DataFrame
) -> None:
    answers = loaded_engine.suggest(list(iter_tickets(history)))

    # The threshold gives up 4%; one in twelve is full of names and numbers.
    assert np.mean(["out_of_domain" in codes(answer) for answer in answers]) <= 0.045


@pytest.mark.parametrize(
    "phrase", ["the whole office is hit", "NOBODY\n CAN   WORK", "Das ganze Büro steht still"]
)
def test_wide_impact_comes_first_is_never_routed_and_gets_no_routine_article(
    ask: Callable[[Ticket], Suggestion], phrase: str
) -> None:
    assert ask(CLEAR).decision == "route"

    answer = ask(replace(CLEAR, description=f"{CLEAR.description} {phrase}"))

    assert answer.decision == "suggest"
    assert codes(answer)[0] == "wide_impact"
    assert answer.articles == []
    assert all(step.article_id is None for step in answer.steps)


def test_wide_impact_is_told_however_odd_the_rest_reads_and_never_routed(
    ask: Callable[[Ticket], Suggestion],
) -> None:
    answer = ask(replace(NONSENSE, subject="whole office"))

    assert answer.decision in {"suggest", "review"}
    assert codes(answer)[0] == "wide_impact"
    assert answer.tier is not None and answer.tier.label != "1"


def test_wide_impact_never_lowers_the_tier(
    ask: Callable[[Ticket], Suggestion], history: pd.DataFrame
) -> None:
    for ticket in list(iter_tickets(history))[:40]:
        plain = ask(ticket)
        wide = ask(replace(ticket, description=f"{ticket.description}\nthe whole office is down"))
        if plain.tier and wide.tier and plain.tier.label and wide.tier.label:
            assert wide.tier.label >= plain.tier.label


def test_answers_do_not_depend_on_the_batch(
    loaded_engine: TriageEngine, history: pd.DataFrame
) -> None:
    tickets = [*TICKETS, *list(iter_tickets(history))[:60]]

    together = [comparable(answer) for answer in loaded_engine.suggest(tickets)]

    one_by_one = [comparable(loaded_engine.suggest([ticket])[0]) for ticket in tickets]
    assert together == one_by_one
    in_reverse = [comparable(answer) for answer in loaded_engine.suggest(tickets[::-1])]
    assert in_reverse[::-1] == together


def test_threads_share_an_engine(saved: SavedBundle) -> None:
    engine = load_engine(saved.folder, keys=saved.keys)  # fresh: nothing is cached yet

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(engine.suggest, [[ticket] for ticket in TICKETS * 4]))

    expected = [comparable(answer) for answer in engine.suggest(TICKETS)]
    assert [comparable(answer[0]) for answer in answers] == expected * 4


def test_every_suggestion_has_an_id_of_its_own(loaded_engine: TriageEngine) -> None:
    answers = loaded_engine.suggest([CLEAR] * 20)

    assert len({answer.suggestion_id for answer in answers}) == 20


def test_no_tickets_get_no_answers(loaded_engine: TriageEngine) -> None:
    assert loaded_engine.suggest([]) == []


def test_classifying_gives_what_suggestions_say(loaded_engine: TriageEngine) -> None:
    verdicts = loaded_engine.classify(TICKETS)

    for row, answer in enumerate(loaded_engine.suggest(TICKETS)):
        for target, said in (("tier", answer.tier), ("category", answer.category)):
            labels = loaded_engine.model.heads[target].labels
            probabilities = verdicts[target].probabilities[row]
            assert said is not None
            held_back = said.decision == "route" and answer.decision != "route"
            assert verdicts[target].decisions[row] == ("suggest" if held_back else said.decision)
            assert said.confidence == round(probabilities.max(), 4)
            assert said.alternatives[0].label == labels[probabilities.argmax()]


def test_suggestion_is_plain_json(loaded_engine: TriageEngine) -> None:
    for answer in loaded_engine.suggest(TICKETS):
        text = json.dumps(answer.to_dict(), allow_nan=False)

        assert json.loads(text)["decision"] == answer.decision


def test_the_telling_word_of_a_clear_ticket_is_on_top(
    ask: Callable[[Ticket], Suggestion],
) -> None:
    answer = ask(Ticket("printer trouble", "my manager asks for it, please help me, forgot how"))

    assert answer.category is not None and answer.category.label == "printing"
    assert answer.explanation["category"][0].term == "printer"
    assert answer.explanation["category"][0].weight > 0
    assert answer.explanation["tier"][0].term in ("forgot", "how")


def test_terms_of_an_explanation_are_words_of_the_ticket(
    loaded_engine: TriageEngine, history: pd.DataFrame
) -> None:
    tickets = [*TICKETS, *list(iter_tickets(history))[:40]]

    for ticket, answer in zip(tickets, loaded_engine.suggest(tickets), strict=True):
        readable = prepare(ticket)
        words = f"{readable.subject} {readable.description}".lower().split()
        for terms in answer.explanation.values():
            assert len(terms) <= 8
            assert all(term.weight for term in terms)
            assert all(any(term.term in word for word in words) for term in terms)


@pytest.mark.parametrize("target", ["tier", "category"])
def test_weights_of_all_words_add_up_to_the_margin_over_the_runner_up(
    model: TriageModel, history: pd.DataFrame, target: str
) -> None:
    fitted = model.heads[target].classifier
    for ticket in [*TICKETS, *list(iter_tickets(history))[:40]]:
        prepared = replace(prepare(ticket), fields={})  # fields are no words
        row = model.features.transform([prepared])
        scores = fitted.decision_function(row)[0]
        second, first = scores.argsort()[-2:]

        terms = weigh_terms(
            map_terms(model.features, prepared, row.indices),
            row.data * (fitted.coef_[:, first] - fitted.coef_[:, second])[row.indices],
            top=10**6,
        )

        intercepts = fitted.intercept_[first] - fitted.intercept_[second]
        assert math.fsum(term.weight for term in terms) == pytest.approx(
            scores[first] - scores[second] - intercepts, abs=1e-4 * (len(terms) + 1)
        )


def test_explanation_in_the_answer_is_that_of_label_against_runner_up(
    loaded_engine: TriageEngine,
) -> None:
    answer = loaded_engine.suggest([CLEAR])[0]

    assert answer.tier is not None
    head = loaded_engine.model.heads["tier"]
    first, second = (head.labels.index(a.label) for a in answer.tier.alternatives[:2])
    prepared = prepare(CLEAR)
    row = loaded_engine.model.features.transform([prepared])
    contrast = head.classifier.coef_[:, first] - head.classifier.coef_[:, second]
    expected = weigh_terms(
        map_terms(loaded_engine.model.features, prepared, row.indices),
        row.data * contrast[row.indices],
    )
    assert answer.explanation["tier"] == expected


def test_ticket_for_specialists_goes_to_the_second_tier_first(
    ask: Callable[[Ticket], Suggestion], taxonomy: Taxonomy
) -> None:
    answer = ask(FOR_SPECIALISTS)

    assert answer.tier is not None and answer.tier.label == "3"
    assert answer.next_tier == next_tier("3", taxonomy) == "2"


def test_ticket_without_an_article_gets_the_details_to_collect_and_a_warning(
    ask: Callable[[Ticket], Suggestion], taxonomy: Taxonomy
) -> None:
    answer = ask(NO_ARTICLE)

    assert answer.category is not None and answer.category.label == "email"
    questions = [detail.question["en"] for detail in taxonomy.details_of("email")]
    runbook = taxonomy.runbook_of("email")
    assert questions and runbook
    assert set(answer.missing_details) <= set(questions) and answer.missing_details
    assert [(step.kind, step.text) for step in answer.steps] == [
        *(("do", text) for text in runbook),
        *(("ask", text) for text in answer.missing_details),
    ]
    assert {step.article_id for step in answer.steps} == {None}
    assert answer.warnings == ["No article of the knowledge base fits this ticket."]


def test_routine_article_is_not_offered_when_its_tier_hardly_ever_resolves_this(
    loaded_engine: TriageEngine, knowledge: KnowledgeBase
) -> None:
    ticket = Ticket(
        "vpn client certificate expired", "cluster firewall outage replication kernel logs"
    )
    untiered = KnowledgeBase([replace(article, tier=None) for article in knowledge.articles])

    answer = loaded_engine.suggest([ticket])[0]
    of_any_tier = with_knowledge(loaded_engine, untiered).suggest([ticket])[0]

    assert answer.tier is not None and answer.tier.label == "3"
    assert answer.articles == []
    assert [hit.id for hit in of_any_tier.articles] == ["KB3"]


def test_article_without_steps_leaves_the_details_to_collect(
    loaded_engine: TriageEngine, knowledge: KnowledgeBase
) -> None:
    stepless = KnowledgeBase([replace(article, steps=()) for article in knowledge.articles])

    answer = with_knowledge(loaded_engine, stepless).suggest([CLEAR])[0]

    assert [hit.id for hit in answer.articles] == ["KB1"]
    assert answer.steps and {step.article_id for step in answer.steps} == {None}
    assert answer.warnings == []


def test_model_without_a_tier_suggests_at_most(loaded_engine: TriageEngine) -> None:
    heads = {"category": loaded_engine.model.heads["category"]}
    engine = changed(loaded_engine, heads=heads, joint=None)

    answers = engine.suggest(TICKETS)

    assert "route" not in [answer.decision for answer in answers]
    assert answers[0].decision == "suggest" and codes(answers[0]) == ["no_tier_model"]
    assert answers[0].category is not None and answers[0].category.label == "access"
    assert answers[0].tier is None and answers[0].next_tier is None
    assert codes(answers[2]) == ["empty"]


def test_model_of_other_targets_alone_answers_them(loaded_engine: TriageEngine) -> None:
    heads = {"priority": loaded_engine.model.heads["tier"]}
    engine = changed(loaded_engine, heads=heads, joint=None)

    answer = engine.suggest([CLEAR])[0]

    assert answer.tier is None and answer.category is None
    assert answer.targets["priority"].label == "1"
    assert codes(answer) == ["no_tier_model"]


def test_joint_promise_holds_back_what_each_target_alone_would_route(
    loaded_engine: TriageEngine,
) -> None:
    assert loaded_engine.model.joint is not None
    engine = changed(loaded_engine, joint=replace(loaded_engine.model.joint, threshold=None))

    answer = engine.suggest([CLEAR])[0]

    assert answer.decision == "suggest"
    assert codes(answer) == ["joint_unsure"]


SECRETS = (
    "anna.muster@example.com",
    "Sommer2024!x",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "192.168.17.23",
)


def test_secrets_of_a_ticket_are_nowhere_in_the_suggestion(loaded_engine: TriageEngine) -> None:
    mail, password, card, iban, address = SECRETS
    ticket = Ticket(
        f"locked {mail}",
        f"My account is locked, mail me at {mail}. My password: {password} and the card {card}, "
        f"IBAN {iban}, from {address}. I forgot how to reset it.",
        fields={"site": "Lyon"},
    )

    answer = loaded_engine.suggest([ticket])[0]
    stored = prepare(ticket)

    told = json.dumps(comparable(answer)) + stored.subject + stored.description
    compact = "".join(told.split()).lower()
    for secret in SECRETS:
        assert "".join(secret.split()).lower() not in compact
        for part in secret.lower().replace("@", ".").split("."):
            assert part not in told.lower() or len(part) < 4
    assert "locked" in stored.subject and "reset" in stored.description
    # Too oddly worded for this little desk to be shown a label, but understood.
    assert answer.category is not None and answer.category.alternatives[0].label == "access"


@pytest.mark.parametrize(
    "dressed",
    [
        "Hello team,\nI forgot my password since monday morning, how can I reset it again. Locked "
        "login token.\nKind regards\nAnna",
        "I FORGOT my password\tsince monday\n\nmorning, how can I RESET it again. Locked login "
        "token.",
        "I for\u200bgot my pass\u00adword since monday morning, how can I reset it again. Locked "
        "login token.",
        "Ｉ forgot my ｐａｓｓｗｏｒｄ since monday morning, how can I reset it again. Locked "
        "login token.",
    ],
    ids=["greeting and signature", "case and white space", "invisible characters", "width"],
)
def test_how_a_text_is_dressed_changes_nothing(
    ask: Callable[[Ticket], Suggestion], dressed: str
) -> None:
    plain, answer = ask(CLEAR), ask(replace(CLEAR, description=dressed))

    assert (answer.decision, answer.reasons) == (plain.decision, plain.reasons)
    assert (answer.tier, answer.category) == (plain.tier, plain.category)
    assert (answer.steps, answer.explanation) == (plain.steps, plain.explanation)


def test_engine_is_loaded_from_a_bundle_or_a_models_folder(saved: SavedBundle) -> None:
    by_folder = load_engine(saved.folder, keys=saved.keys)
    by_champion = load_engine(saved.models, keys=saved.keys)

    assert by_folder.version == by_champion.version == saved.folder.name
    assert by_folder.manifest["target_precision"] == by_folder.model.target_precision


def test_articles_of_a_folder_replace_those_of_the_bundle(
    saved: SavedBundle, tmp_path: Path
) -> None:
    (tmp_path / "reset.md").write_text(
        "---\nid: OWN1\ntitle: Forgot password, account locked\ncategory: access\ntier: '1'\n---\n"
        "## Steps\n\n1. Use the portal.\n",
        "utf-8",
    )

    answer = load_engine(saved.folder, keys=saved.keys, knowledge=tmp_path).suggest([CLEAR])[0]

    assert [(step.text, step.article_id) for step in answer.steps] == [("Use the portal.", "OWN1")]


def test_engine_refuses_a_missing_model_and_a_missing_folder_of_articles(
    saved: SavedBundle, tmp_path: Path
) -> None:
    with pytest.raises(BundleError):
        load_engine(tmp_path, keys=saved.keys)
    with pytest.raises(KnowledgeError):
        load_engine(saved.folder, keys=saved.keys, knowledge=tmp_path / "missing")
